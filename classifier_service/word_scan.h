// What reading words fast takes: the plain words of a text, those of ASCII alone, found and hashed 64 bytes at a time
// without looking at bytes one by one. Most of most texts is plain; what a reader makes of all else is its own affair,
// so that the text features and the gazetteer share this, do it once for an article, and differ in that.
#ifndef DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_
#define DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "classifier_service/classification.h"

namespace dateline::classifier {

static_assert(std::endian::native == std::endian::little, "words are hashed and folded as little-endian blocks");

// The 128-bit product folds every input bit into every output bit (the step of wyhash and of Abseil's hash).
inline uint64_t MixHash(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The first `size` bytes of the 16 at `bytes`, as two blocks; what lies behind them is 0.
struct WordBlocks {
  uint64_t low = 0;
  uint64_t high = 0;
};
inline WordBlocks LoadWord(const char* bytes, size_t size) {
  // From the right place on, 16 bytes of it let through the first `size`.
  static constexpr std::array<uint8_t, 32> kMask = {255, 255, 255, 255, 255, 255, 255, 255,  //
                                                    255, 255, 255, 255, 255, 255, 255, 255};
  WordBlocks blocks;
  WordBlocks mask;
  std::memcpy(&blocks.low, bytes, 8);
  std::memcpy(&blocks.high, bytes + 8, 8);
  std::memcpy(&mask.low, kMask.data() + 16 - size, 8);
  std::memcpy(&mask.high, kMask.data() + 24 - size, 8);
  return {blocks.low & mask.low, blocks.high & mask.high};
}

// One step of the hash of a word: nearly all words need but one.
inline constexpr size_t kWordStep = 16;
inline uint64_t HashSeed(size_t size) { return size * 0xA0761D6478BD642FU; }
inline uint64_t HashStep(uint64_t hash, const WordBlocks& blocks) { return MixHash(hash ^ blocks.low, blocks.high); }

// The hash of a folded word behind which 16 more bytes may be read.
inline uint64_t HashPaddedWord(const char* word, size_t size) {
  uint64_t hash = HashSeed(size);
  for (; size > kWordStep; size -= kWordStep, word += kWordStep) {
    hash = HashStep(hash, LoadWord(word, kWordStep));
  }
  return HashStep(hash, LoadWord(word, size));
}

// The same for any word.
inline uint64_t HashWord(absl::string_view word) {
  uint64_t hash = HashSeed(word.size());
  for (; word.size() > kWordStep; word.remove_prefix(kWordStep)) {
    hash = HashStep(hash, LoadWord(word.data(), kWordStep));
  }
  std::array<char, kWordStep> rest = {};
  std::memcpy(rest.data(), word.data(), word.size());
  return HashStep(hash, LoadWord(rest.data(), word.size()));
}

// Whether readers take a code point as if it were not there, inside of words, too: zero-width spaces and joiners,
// direction marks, soft hyphens, byte order marks.
constexpr bool IsInvisible(int32_t code_point) {
  return (code_point >= 0x200B && code_point <= 0x200F) || (code_point >= 0x202A && code_point <= 0x202E) ||
         (code_point >= 0x2060 && code_point <= 0x2069) || code_point == 0xAD || code_point == 0xFEFF;
}

// A place in a text where a reader has to look.
struct ScannedWord {
  uint64_t hash;     // HashWord() of the word in lower case; 0 where it is not plain.
  uint32_t start;    // Byte offset.
  uint8_t size;      // Of a plain word; 0: something else begins here.
  bool has_letter;   // All three are false where it is not plain.
  bool has_small;    // A letter in lower case.
  bool first_upper;  // Begins with a letter in upper case.
};

// A text of less than 4 GiB, divided at everything but letters and digits of ASCII. Plain words, of at most kMaxPlain
// bytes, come with their hash; longer ones, and runs of `&` and of other than ASCII, are shown where they begin. A
// place inside of what was shown before may be shown, too: readers say from where on they look.
//
// Points into the text, which must outlive it. Safe to read from any number of threads.
class ScannedText {
 public:
  static constexpr size_t kMaxPlain = 32;

  explicit ScannedText(absl::string_view text) : text_(text) {
    for (size_t base = 0; base < text_.size();) {
      if (capacity_ < count_ + kBlock) {
        Grow();
      }
      base = ScanBlock(base);
    }
  }

  absl::string_view text() const { return text_; }
  absl::Span<const ScannedWord> words() const { return absl::MakeConstSpan(words_.get(), count_); }

 private:
  static constexpr size_t kBlock = 64;
  // How far behind the beginning of a word its folding reads.
  static constexpr size_t kPadding = kMaxPlain;

  static constexpr uint64_t kEveryByte = 0x0101010101010101U;
  // In ASCII a letter has 0x40, a digit has not; a small letter and a digit have 0x20.
  static constexpr uint64_t kLetter = 0x40 * kEveryByte;

  // The bytes of a block as bits.
  struct Bits {
    uint64_t word = 0;   // Letters and digits of ASCII.
    uint64_t other = 0;  // `&`, and what is not ASCII.
  };

  // Makes room for the words of another block. What is not used yet is not set: that would take as long as the search.
  void Grow() {
    capacity_ = std::max(2 * capacity_, text_.size() / 4 + kBlock);
    auto larger = std::make_unique_for_overwrite<ScannedWord[]>(capacity_);  // NOLINT(*-avoid-c-arrays)
    std::copy_n(words_.get(), count_, larger.get());
    words_ = std::move(larger);
  }

  // Finds the words of the 64 bytes from `base` on. One that goes on behind them is left for the next block, whose
  // beginning is returned.
  size_t ScanBlock(size_t base) {
    const size_t left = text_.size() - base;
    const char* bytes = text_.data() + base;
    std::array<char, kBlock + kPadding> tail;  // NOLINT(*-member-init): only where it is used.
    if (left < tail.size()) {
      tail.fill(0);
      std::memcpy(tail.data(), bytes, left);
      bytes = tail.data();
    }
    const Bits bits = Classify(bytes);
    for (uint64_t starts = (bits.word & ~(bits.word << 1)) | (bits.other & ~(bits.other << 1)); starts != 0;
         starts &= starts - 1) {
      const auto at = static_cast<size_t>(std::countr_zero(starts));
      const auto size = static_cast<size_t>(std::countr_one(bits.word >> at));
      if (at + size == kBlock && at > 0 && size > 0) {
        return base + at;
      }
      ScannedWord& word = words_[count_++];
      if (size != 0 && size <= kMaxPlain) {
        Fold(bytes + at, size, word);
      } else {
        word = {};
      }
      word.start = static_cast<uint32_t>(base + at);
    }
    return base + kBlock;
  }

  // In two loops without branches, which the compiler turns into a few instructions on 16 bytes each.
  static Bits Classify(const char* bytes) {
    std::array<uint8_t, kBlock> word;   // NOLINT(*-member-init): set below.
    std::array<uint8_t, kBlock> other;  // NOLINT(*-member-init): set below.
    for (size_t i = 0; i < kBlock; ++i) {
      const auto byte = static_cast<uint8_t>(bytes[i]);
      const auto letter = static_cast<uint8_t>(static_cast<uint8_t>((byte | 0x20) - 'a') < 26 ? 1 : 0);
      const auto digit = static_cast<uint8_t>(static_cast<uint8_t>(byte - '0') < 10 ? 1 : 0);
      const auto stop = static_cast<uint8_t>(byte == '&' ? 1 : 0);
      word[i] = static_cast<uint8_t>(letter | digit);
      other[i] = static_cast<uint8_t>((byte >> 7) | stop);
    }
    return {Pack(word), Pack(other)};
  }

  // One bit for each byte, which is 0 or 1.
  static uint64_t Pack(const std::array<uint8_t, kBlock>& flags) {
    uint64_t bits = 0;
    for (size_t i = 0; i < kBlock; i += 8) {
      uint64_t eight = 0;
      std::memcpy(&eight, flags.data() + i, sizeof eight);
      // The product brings the lowest bit of byte i to bit 56 + i.
      bits |= ((eight * 0x0102040810204080U) >> 56) << i;
    }
    return bits;
  }

  // Hashes a word as HashWord() does when it is in lower case.
  static void Fold(const char* bytes, size_t size, ScannedWord& word) {
    word.size = static_cast<uint8_t>(size);
    word.first_upper = (*bytes & 0x60) == 0x40;
    uint64_t hash = HashSeed(size);
    uint64_t letters = 0;
    uint64_t small = 0;
    // A block in lower case. What shifts by a bit stays in its byte: ASCII leaves room for it.
    const auto fold = [&](uint64_t block) {
      const uint64_t here = block & kLetter;
      letters |= here;
      small |= here & (block << 1);
      return block | (here >> 1);
    };
    for (; size > kWordStep; size -= kWordStep, bytes += kWordStep) {
      const WordBlocks blocks = LoadWord(bytes, kWordStep);
      hash = HashStep(hash, {fold(blocks.low), fold(blocks.high)});
    }
    const WordBlocks blocks = LoadWord(bytes, size);
    word.hash = HashStep(hash, {fold(blocks.low), fold(blocks.high)});
    word.has_letter = letters != 0;
    word.has_small = small != 0;
  }

  absl::string_view text_;
  std::unique_ptr<ScannedWord[]> words_;  // NOLINT(*-avoid-c-arrays)
  size_t count_ = 0;
  size_t capacity_ = 0;
};

// An article whose words are found, once for all who read it. Points into the article, which must outlive it.
struct ScannedArticle {
  explicit ScannedArticle(const ArticleText& text) : article(text), title(text.title), body(text.body) {}

  const ArticleText& article;
  ScannedText title;
  ScannedText body;
};

// Goes through a scanned text.
class WordCursor {
 public:
  explicit WordCursor(const ScannedText& text) : next_(text.words().data()), end_(next_ + text.words().size()) {}

  // The first place that begins at `pos` or behind it; null if there is none. `pos` never goes back.
  const ScannedWord* At(size_t pos) {
    while (next_ != end_ && next_->start < pos) {
      ++next_;
    }
    return next_ != end_ ? next_ : nullptr;
  }

 private:
  const ScannedWord* next_;
  const ScannedWord* end_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_
