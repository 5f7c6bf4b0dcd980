#include "cli/content_decoder.h"

#include <zlib.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace dateline::cli {
namespace {

std::string Pack(const std::string& text, int window_bits) {
  z_stream zlib = {};
  EXPECT_EQ(deflateInit2(&zlib, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in = text;
  std::string packed(deflateBound(&zlib, text.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(in.data());
  zlib.avail_in = static_cast<uInt>(in.size());
  zlib.next_out = reinterpret_cast<Bytef*>(packed.data());
  zlib.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - zlib.avail_out);
  deflateEnd(&zlib);
  return packed;
}

constexpr int kGzip = MAX_WBITS + 16;
constexpr int kZlib = MAX_WBITS;
constexpr int kDeflateAlone = -MAX_WBITS;

struct Decoded {
  std::string text;
  absl::Status status;
};

Decoded DecodeInPieces(const std::string& encoding, const std::string& bytes, size_t piece) {
  absl::StatusOr<ContentDecoder> decoder = ContentDecoder::For(encoding);
  if (!decoder.ok()) return {.text = "", .status = decoder.status()};
  Decoded decoded;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const absl::StatusOr<bool> more =
        decoder->Decode(absl::string_view(bytes).substr(at, piece), [&decoded](absl::string_view text) {
          absl::StrAppend(&decoded.text, text);
          return true;
        });
    if (!more.ok()) return {.text = decoded.text, .status = more.status()};
  }
  decoded.status = decoder->Finish();
  return decoded;
}

TEST(ContentDecoderTest, UnpacksInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, "line ", i * 7919 % 1000, "\n");
  text.append(500'000, 'x');  // Unpacks to many times what is read.
  for (const size_t piece : {1UL, 1000UL, 10'000'000UL}) {
    for (const auto& [encoding, packed] : {std::pair<std::string, std::string>("gzip", Pack(text, kGzip)),
                                           {"X-GZIP ", Pack(text, kGzip)},
                                           {"deflate", Pack(text, kZlib)},
                                           {"deflate", Pack(text, kDeflateAlone)},
                                           {"gzip, deflate", Pack(Pack(text, kGzip), kZlib)},
                                           {"gzip,,identity,gzip", Pack(Pack(text, kGzip), kGzip)},
                                           {"gzip", Pack(text, kGzip) + std::string(16, '\0')},
                                           {"", text},
                                           {"identity", text}}) {
      const Decoded decoded = DecodeInPieces(encoding, packed, piece);
      EXPECT_TRUE(decoded.status.ok()) << encoding << ": " << decoded.status;
      EXPECT_EQ(decoded.text, text) << encoding;
    }
  }
  EXPECT_TRUE(DecodeInPieces("gzip", "", 1).status.ok()) << "an answer without content";
  EXPECT_EQ(DecodeInPieces("gzip", Pack("one ", kGzip) + Pack("two", kGzip), 5).text, "one two");
}

TEST(ContentDecoderTest, TellsWhatIsNotWhole) {
  const std::string packed = Pack(std::string(10'000, 'a') + "the end", kGzip);
  for (const size_t size : {1UL, 10UL, packed.size() / 2, packed.size() - 1}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeInPieces("gzip", packed.substr(0, size), 100).status)) << size;
  }
  std::string damaged = packed;
  damaged[damaged.size() - 5] ^= 1;  // In the checksum.
  EXPECT_TRUE(absl::IsDataLoss(DecodeInPieces("gzip", damaged, 100).status));
  EXPECT_TRUE(absl::IsDataLoss(DecodeInPieces("gzip", "<html>", 100).status));
  EXPECT_TRUE(absl::IsDataLoss(DecodeInPieces("deflate", "x", 100).status));
  EXPECT_TRUE(absl::IsDataLoss(DecodeInPieces("gzip, gzip", Pack(packed.substr(0, 30), kGzip), 100).status));
}

TEST(ContentDecoderTest, RefusesWhatWasNotAskedFor) {
  EXPECT_TRUE(absl::IsFailedPrecondition(ContentDecoder::For("br").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ContentDecoder::For("gzip, gzip, gzip").status()));
}

TEST(ContentDecoderTest, StopsWhenItIsTold) {
  absl::StatusOr<ContentDecoder> decoder = ContentDecoder::For("gzip");
  ASSERT_TRUE(decoder.ok());
  size_t taken = 0;
  const absl::StatusOr<bool> more =
      decoder->Decode(Pack(std::string(10'000'000, 'x'), kGzip), [&taken](absl::string_view text) {
        taken += text.size();
        return taken < 100'000;
      });
  ASSERT_TRUE(more.ok());
  EXPECT_FALSE(*more);
  EXPECT_LT(taken, 1'000'000U);
}

}  // namespace
}  // namespace dateline::cli
