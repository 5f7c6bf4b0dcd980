// What reading words fast takes: the plain words of a text, those of ASCII alone, found and hashed by the dozen without
// looking at bytes one by one. Most of most texts is plain; what a reader makes of all else is its own affair, so that
// the text features and the gazetteer share this and differ in that.
#ifndef DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_
#define DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace dateline::classifier {

static_assert(std::endian::native == std::endian::little, "words are hashed and folded as little-endian blocks");

// The 128-bit product folds every input bit into every output bit (the step of wyhash and of Abseil's hash).
inline uint64_t MixHash(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The hash of a folded word.
inline uint64_t HashWord(absl::string_view word) {
  uint64_t hash = word.size();
  for (; word.size() >= 8; word.remove_prefix(8)) {
    uint64_t block = 0;
    std::memcpy(&block, word.data(), 8);
    hash = MixHash(hash, block);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, word.data(), word.size());
  return MixHash(hash, rest);
}

// The same for a word behind which eight more bytes may be read.
inline uint64_t HashPaddedWord(const char* word, size_t size) {
  uint64_t hash = size;
  uint64_t block = 0;
  for (; size >= 8; size -= 8, word += 8) {
    std::memcpy(&block, word, 8);
    hash = MixHash(hash, block);
  }
  std::memcpy(&block, word, 8);
  return MixHash(hash, block & ((uint64_t{1} << (8 * size)) - 1));
}

// A place in a text where a reader has to look.
struct ScannedWord {
  uint64_t hash = 0;   // HashWord() of the word in lower case; of no meaning where it is not plain.
  uint32_t start = 0;  // Byte offset.
  uint8_t size = 0;    // Of a plain word; 0: something else begins here.
  bool upper = false;  // Has letters in upper case,
  bool lower = false;  // and in lower case.
};

// Divides a text of less than 4 GiB at everything but letters and digits of ASCII. Plain words, of at most kMaxPlain
// bytes, come with their hash; longer ones, runs of other than ASCII, and `stop` (a byte of ASCII that a reader wants
// to see) are shown where they begin.
class WordScan {
 public:
  static constexpr size_t kMaxPlain = 32;

  explicit WordScan(absl::string_view text, char stop = '\0') : text_(text), stop_(stop) {}

  // The first place that begins at `pos` or behind it; null if there is none. Valid until the next call. `pos` never
  // goes back. `fetch` is told the hash of every plain word some time before its turn comes.
  template <typename Fetch>
  const ScannedWord* At(size_t pos, Fetch&& fetch) {
    for (;;) {
      for (; next_ < count_; ++next_) {
        if (words_[next_].start >= pos) {
          return &words_[next_];
        }
      }
      base_ = std::max(base_, pos);
      if (base_ >= text_.size()) {
        return nullptr;
      }
      next_ = 0;
      count_ = 0;
      while (count_ < kAhead && base_ < text_.size()) {
        ScanBlock(fetch);
      }
    }
  }

 private:
  static constexpr size_t kBlock = 64;
  static constexpr size_t kAhead = 32;  // How many words are found at a time, at least.
  // How far behind a word its folding reads.
  static constexpr size_t kPadding = 8;

  static constexpr uint64_t kEveryByte = 0x0101010101010101U;
  // In ASCII a letter has 0x40, a digit has not; a small letter and a digit have 0x20.
  static constexpr uint64_t kLetter = 0x40 * kEveryByte;
  static constexpr uint64_t kSmall = 0x20 * kEveryByte;

  // The bytes of a block as bits.
  struct Bits {
    uint64_t word = 0;   // Letters and digits of ASCII.
    uint64_t other = 0;  // `stop`, and what is not ASCII.
  };

  // Finds the words of the next 64 bytes. One that goes on behind them is left for the next block.
  template <typename Fetch>
  void ScanBlock(Fetch&& fetch) {
    const size_t left = text_.size() - base_;
    const char* bytes = text_.data() + base_;
    std::array<char, kBlock + kPadding> tail;  // NOLINT(*-member-init): only where it is used.
    if (left < tail.size()) {
      tail.fill(0);
      std::memcpy(tail.data(), bytes, left);
      bytes = tail.data();
    }
    const Bits bits = Classify(bytes);
    size_t end = kBlock;
    for (uint64_t starts = (bits.word & ~(bits.word << 1)) | (bits.other & ~(bits.other << 1)); starts != 0;
         starts &= starts - 1) {
      const auto at = static_cast<size_t>(std::countr_zero(starts));
      const auto size = static_cast<size_t>(std::countr_one(bits.word >> at));
      if (at + size == kBlock && at > 0 && size > 0) {
        end = at;
        break;
      }
      ScannedWord& word = words_[count_++];
      word.start = static_cast<uint32_t>(base_ + at);
      word.size = 0;
      if (size != 0 && size <= kMaxPlain) {
        Fold(bytes + at, size, word);
        fetch(word.hash);
      }
    }
    base_ += end;
  }

  // In two loops without branches, which the compiler turns into a few instructions on 16 bytes each.
  Bits Classify(const char* bytes) const {
    std::array<uint8_t, kBlock> word;   // NOLINT(*-member-init): set below.
    std::array<uint8_t, kBlock> other;  // NOLINT(*-member-init): set below.
    for (size_t i = 0; i < kBlock; ++i) {
      const auto byte = static_cast<uint8_t>(bytes[i]);
      const auto letter = static_cast<uint8_t>(static_cast<uint8_t>((byte | 0x20) - 'a') < 26 ? 1 : 0);
      const auto digit = static_cast<uint8_t>(static_cast<uint8_t>(byte - '0') < 10 ? 1 : 0);
      const auto stop = static_cast<uint8_t>(bytes[i] == stop_ && stop_ != 0 ? 1 : 0);
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
    uint64_t upper = 0;
    uint64_t lower = 0;
    uint64_t hash = size;
    const auto take = [&](uint64_t mask) {
      uint64_t block = 0;
      std::memcpy(&block, bytes, sizeof block);
      block &= mask;
      const uint64_t small = block << 1;  // 0x20 where 0x40 was; ASCII leaves room for it in each byte.
      upper |= block & ~small & kLetter;
      lower |= block & small & kLetter;
      hash = MixHash(hash, (block | kSmall) & mask);
    };
    size_t rest = size;
    for (; rest >= 8; rest -= 8, bytes += 8) {
      take(~uint64_t{0});
    }
    take((uint64_t{1} << (8 * rest)) - 1);
    word.hash = hash;
    word.size = static_cast<uint8_t>(size);
    word.upper = upper != 0;
    word.lower = lower != 0;
  }

  absl::string_view text_;
  char stop_;
  size_t base_ = 0;  // Where the next block begins.
  size_t next_ = 0;
  size_t count_ = 0;
  std::array<ScannedWord, kAhead + kBlock> words_;  // NOLINT(*-member-init): `count_` says what of it is set.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_WORD_SCAN_H_
