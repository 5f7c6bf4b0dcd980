#include "cli/content_decoder.h"

#define ZLIB_CONST  // What is unpacked is not written to.
#include <zlib.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/printable.h"

namespace dateline::cli {
namespace {

constexpr size_t kPieceBytes = 65'536;
constexpr int kAnyHeader = MAX_WBITS + 32;  // zlib.h: that of gzip or of zlib, whichever is there.

}  // namespace

struct ContentDecoder::Stream {
  Stream() { usable = inflateInit2(&zlib, kAnyHeader) == Z_OK; }
  ~Stream() { inflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib = {};
  bool usable = false;
  bool begun = false;
  bool ended = false;  // At the end of a member; another may follow.
};

ContentDecoder::ContentDecoder(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
ContentDecoder::~ContentDecoder() = default;
ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;

absl::StatusOr<ContentDecoder> ContentDecoder::For(absl::string_view content_encoding) {
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(content_encoding));
  if (name.empty() || name == "identity") return ContentDecoder(nullptr);
  if (name != "gzip" && name != "x-gzip" && name != "deflate") {
    return absl::FailedPreconditionError(absl::StrCat("the server answers in Content-Encoding ",
                                                      common::Printable(name.substr(0, 40)), "; asked for was ",
                                                      kAccepted));
  }
  auto stream = std::make_unique<Stream>();
  if (!stream->usable) return absl::ResourceExhaustedError("no memory to unpack the answer");
  return ContentDecoder(std::move(stream));
}

absl::StatusOr<bool> ContentDecoder::Decode(absl::string_view bytes,
                                            const std::function<bool(absl::string_view)>& take) {
  if (stream_ == nullptr) return take(bytes);
  z_stream& zlib = stream_->zlib;
  std::array<char, kPieceBytes> piece;
  zlib.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  zlib.avail_in = static_cast<uInt>(bytes.size());
  // Also when all is read: more may be ready than there was room for.
  bool more = !bytes.empty();
  while (more) {
    if (stream_->ended && zlib.avail_in == 0) break;
    if (std::exchange(stream_->ended, false)) inflateReset(&zlib);
    stream_->begun = true;
    zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
    zlib.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&zlib, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return absl::DataLossError("the answer is damaged: it can't be unpacked");
    }
    const size_t got = piece.size() - zlib.avail_out;
    if (got > 0 && !take(absl::string_view(piece.data(), got))) return false;
    stream_->ended = result == Z_STREAM_END;
    more = zlib.avail_in > 0 || zlib.avail_out == 0;
  }
  return true;
}

absl::Status ContentDecoder::Finish() const {
  if (stream_ == nullptr || !stream_->begun || stream_->ended) return absl::OkStatus();
  return absl::DataLossError("the answer breaks off: what was sent packed is not whole");
}

}  // namespace dateline::cli
