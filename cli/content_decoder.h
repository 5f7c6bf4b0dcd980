// What servers send packed, unpacked as it arrives.
#ifndef DATELINE_CLI_CONTENT_DECODER_H_
#define DATELINE_CLI_CONTENT_DECODER_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::cli {

// For one answer. libcurl unpacks as well, but takes what breaks off for whole. Not thread-safe.
class ContentDecoder {
 public:
  // What to ask for, as a header's value.
  static constexpr char kAccepted[] = "gzip, deflate";

  // FailedPrecondition for a Content-Encoding that was not asked for. Empty and "identity" leave everything as it is.
  static absl::StatusOr<ContentDecoder> For(absl::string_view content_encoding);

  ~ContentDecoder();
  ContentDecoder(ContentDecoder&&) noexcept;
  ContentDecoder& operator=(ContentDecoder&&) noexcept;

  // Calls `take` with what `bytes` unpack to, piece by piece, until it answers false. False then. DataLoss if they are
  // damaged.
  absl::StatusOr<bool> Decode(absl::string_view bytes, const std::function<bool(absl::string_view)>& take);

  // After all bytes: DataLoss if they break off.
  absl::Status Finish() const;

 private:
  struct Stream;
  explicit ContentDecoder(std::unique_ptr<Stream> stream);

  std::unique_ptr<Stream> stream_;  // Null: nothing is packed.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_CONTENT_DECODER_H_
