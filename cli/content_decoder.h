// What servers send packed, unpacked as it arrives.
#ifndef DATELINE_CLI_CONTENT_DECODER_H_
#define DATELINE_CLI_CONTENT_DECODER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::cli {

// For one answer. libcurl unpacks as well, but takes what breaks off for whole. Not thread-safe.
class ContentDecoder {
 public:
  // What to ask for, as a header's value.
  static constexpr char kAccepted[] = "gzip, deflate";

  // FailedPrecondition for a Content-Encoding that was not asked for. Empty and "identity" leave everything as it is; a
  // list of two is unpacked twice.
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
  explicit ContentDecoder(std::vector<std::unique_ptr<Stream>> streams);
  // What the layers from `layer` on make of `bytes`.
  absl::StatusOr<bool> DecodeLayer(size_t layer, absl::string_view bytes,
                                   const std::function<bool(absl::string_view)>& take);
  absl::StatusOr<bool> Inflate(size_t layer, absl::string_view bytes,
                               const std::function<bool(absl::string_view)>& take);

  std::vector<std::unique_ptr<Stream>> streams_;  // The outermost first; empty: nothing is packed.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_CONTENT_DECODER_H_
