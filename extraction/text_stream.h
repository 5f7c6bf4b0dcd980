// Bytes of a source, read ahead as far as a reader needs, and the same as UTF-8. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_TEXT_STREAM_H_
#define DATELINE_EXTRACTION_TEXT_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "extraction/source_reader.h"

namespace dateline::extraction {

// A source with a buffer, which holds what was read ahead and no more than what was asked for and one read. That the
// source can't be read any further is an error of the call that comes to the end of what could be.
class Input {
 public:
  explicit Input(ReadFunction read) : read_(std::move(read)) {}

  // Reads until `size` bytes are buffered or the source ends. An error only if nothing is buffered.
  absl::Status Fill(size_t size);
  absl::string_view buffered() const { return absl::string_view(buffer_).substr(start_); }
  void Consume(size_t bytes) { start_ += bytes; }
  // True once the source has ended, well or not; what is buffered is then all that is left.
  bool ended() const { return ended_; }

  // The next line with its LF; nullopt after the last. Of a line beyond `limit` bytes only the first `limit` + 1 are
  // returned; the rest of it is passed over.
  absl::StatusOr<std::optional<std::string>> ReadLine(size_t limit);

  // All that is left, or its first `limit` + 1 bytes.
  absl::StatusOr<std::string> ReadAll(size_t limit);

  // At least one byte, or none at the end.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);

 private:
  void ReadMore();
  absl::Status SkipLine();

  ReadFunction read_;
  std::string buffer_;
  size_t start_ = 0;
  bool ended_ = false;
  absl::Status status_;  // Why it can't be read any further.
};

// What `input` gives, as valid UTF-8 without a byte order mark, piece by piece. The charset is found as DecodeText
// (charset.h) finds it, where the text first holds something else than ASCII; `declared` may be empty. What is no text
// in that charset becomes U+FFFD.
ReadFunction ReadAsUtf8(Input input, std::string declared);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_TEXT_STREAM_H_
