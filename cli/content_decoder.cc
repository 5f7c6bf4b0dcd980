#include "cli/content_decoder.h"

#define ZLIB_CONST  // What is unpacked is not written to.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/printable.h"

namespace dateline::cli {
namespace {

constexpr size_t kPieceBytes = 65'536;
constexpr int kAnyHeader = MAX_WBITS + 32;  // zlib.h: that of gzip or of zlib, whichever is there.
constexpr int kNoHeader = -MAX_WBITS;       // zlib.h: deflate alone.
// How many layers are taken off: a server and a cache before it may both have packed what was packed already.
constexpr size_t kMaxLayers = 2;
constexpr size_t kHeaderBytes = 2;

// Whether the first bytes of what is called "deflate" are deflate without the header of zlib that belongs there: some
// servers send it so, and browsers read it.
bool LacksHeader(absl::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  const bool is_zlib = (first & 0x0FU) == Z_DEFLATED && (first * 256U + second) % 31 == 0;  // RFC 1950, 2.2.
  return !is_zlib && !(first == 0x1FU && second == 0x8BU);
}

}  // namespace

// One layer of packing.
struct ContentDecoder::Stream {
  explicit Stream(bool may_lack_header) : undecided(may_lack_header) {
    usable = inflateInit2(&zlib, kAnyHeader) == Z_OK;
  }
  ~Stream() { inflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib = {};
  bool usable = false;
  bool undecided;    // It may lack its header, which the first bytes show.
  std::string head;  // They, until there are enough.
  bool begun = false;
  bool ended = false;  // At the end of a member; another may follow.
};

ContentDecoder::ContentDecoder(std::vector<std::unique_ptr<Stream>> streams) : streams_(std::move(streams)) {}
ContentDecoder::~ContentDecoder() = default;
ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;

absl::StatusOr<ContentDecoder> ContentDecoder::For(absl::string_view content_encoding) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (const absl::string_view part : absl::StrSplit(content_encoding, ',')) {
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(part));
    if (name.empty() || name == "identity") continue;
    if (name != "gzip" && name != "x-gzip" && name != "deflate") {
      return absl::FailedPreconditionError(absl::StrCat("the server answers in Content-Encoding ",
                                                        common::Printable(name.substr(0, 40)), "; asked for was ",
                                                        kAccepted));
    }
    if (streams.size() == kMaxLayers) {
      return absl::FailedPreconditionError(
          absl::StrCat("the server answers packed more than ", kMaxLayers, " times, by its Content-Encoding"));
    }
    // What was packed last is named last, and unpacked first.
    streams.insert(streams.begin(), std::make_unique<Stream>(name == "deflate"));
    if (!streams.front()->usable) return absl::ResourceExhaustedError("no memory to unpack the answer");
  }
  return ContentDecoder(std::move(streams));
}

absl::StatusOr<bool> ContentDecoder::Decode(absl::string_view bytes,
                                            const std::function<bool(absl::string_view)>& take) {
  return DecodeLayer(0, bytes, take);
}

absl::StatusOr<bool> ContentDecoder::DecodeLayer(size_t layer, absl::string_view bytes,
                                                 const std::function<bool(absl::string_view)>& take) {
  if (layer == streams_.size()) return take(bytes);
  Stream& stream = *streams_[layer];
  stream.begun = stream.begun || !bytes.empty();
  if (stream.undecided) {
    const size_t missing = std::min(kHeaderBytes - stream.head.size(), bytes.size());
    stream.head.append(bytes.data(), missing);
    bytes.remove_prefix(missing);
    if (stream.head.size() < kHeaderBytes) return true;
    stream.undecided = false;
    if (LacksHeader(stream.head)) inflateReset2(&stream.zlib, kNoHeader);
    const std::string head = std::exchange(stream.head, "");
    absl::StatusOr<bool> taken = Inflate(layer, head, take);
    if (!taken.ok() || !*taken) return taken;
  }
  return Inflate(layer, bytes, take);
}

absl::StatusOr<bool> ContentDecoder::Inflate(size_t layer, absl::string_view bytes,
                                             const std::function<bool(absl::string_view)>& take) {
  Stream& stream = *streams_[layer];
  z_stream& zlib = stream.zlib;
  std::array<char, kPieceBytes> piece;
  zlib.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  zlib.avail_in = static_cast<uInt>(bytes.size());
  // Also when all is read: more may be ready than there was room for.
  bool more = !bytes.empty();
  while (more) {
    // Zeros are what fills up a block behind the end (gzip passes over them as well).
    while (stream.ended && zlib.avail_in > 0 && *zlib.next_in == 0) {
      ++zlib.next_in;
      --zlib.avail_in;
    }
    if (stream.ended && zlib.avail_in == 0) break;
    if (std::exchange(stream.ended, false)) inflateReset(&zlib);
    zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
    zlib.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&zlib, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return absl::DataLossError("the answer is damaged: it can't be unpacked");
    }
    const size_t got = piece.size() - zlib.avail_out;
    if (got > 0) {
      absl::StatusOr<bool> taken = DecodeLayer(layer + 1, absl::string_view(piece.data(), got), take);
      if (!taken.ok() || !*taken) return taken;
    }
    stream.ended = result == Z_STREAM_END;
    more = zlib.avail_in > 0 || zlib.avail_out == 0;
  }
  return true;
}

absl::Status ContentDecoder::Finish() const {
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (stream->begun && !stream->ended) {
      return absl::DataLossError("the answer breaks off: what was sent packed is not whole");
    }
  }
  return absl::OkStatus();
}

}  // namespace dateline::cli
