#include "web_gateway/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace dateline::web_gateway {
namespace {

// zlib adds 16 to the window's bits where it shall read or write the gzip header instead of its own.
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;
// Fast over small: answers are made while somebody waits and mostly go over loopback or a good line.
constexpr int kCompressionLevel = 4;
constexpr size_t kChunkBytes = 64 * 1024;

Bytef* AsZlibInput(absl::string_view data) {
  // zlib's interface lacks the const; it does not write to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // NOLINT
}

}  // namespace

std::string Gzip(absl::string_view data) {
  z_stream stream = {};
  if (deflateInit2(&stream, kCompressionLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return "";
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, deflateEnd);
  std::string out(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = AsZlibInput(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  return out;
}

absl::StatusOr<std::string> Gunzip(absl::string_view data, size_t max_bytes) {
  if (data.size() > std::numeric_limits<uInt>::max()) {
    return absl::ResourceExhaustedError("the gzip data is larger than 4 GB");
  }
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) {
    return absl::ResourceExhaustedError("no memory to decompress gzip data: try again later");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, inflateEnd);
  stream.next_in = AsZlibInput(data);
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t filled = out.size();
    // One byte more than allowed tells "exactly full" from "too large".
    const size_t room = std::min(kChunkBytes, max_bytes + 1 - filled);
    out.resize(filled + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(filled + room - stream.avail_out);
    if (out.size() > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the message is larger than ", max_bytes, " bytes once decompressed"));
    }
  }
  if (result != Z_STREAM_END) {
    return absl::InvalidArgumentError("the message is no complete gzip data, though it is declared as gzip");
  }
  if (stream.avail_in != 0) {
    return absl::InvalidArgumentError("the gzip data is followed by other bytes");
  }
  return out;
}

}  // namespace dateline::web_gateway
