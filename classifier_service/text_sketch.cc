#include "classifier_service/text_sketch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/text.h"

namespace dateline::classifier {
namespace {

constexpr size_t kShingleWords = 5;
constexpr size_t kMaxWords = 2000;

constexpr size_t kHashesPerText = 4;
constexpr size_t kHashesToMatch = 3;
constexpr size_t kBitsPerHash = 10;
constexpr int kProbes = 5;

// The four smallest; none of a text that is too short.
std::vector<uint64_t> Smallest(absl::string_view title, absl::string_view body) {
  std::vector<uint64_t> hashes = ShinglesOf(title, body);
  hashes.resize(hashes.size() < kHashesPerText ? 0 : kHashesPerText);
  return hashes;
}

}  // namespace

std::vector<uint64_t> ShinglesOf(absl::string_view title, absl::string_view body) {
  const std::string text = common::FoldForMatch(absl::StrCat(title, " ", body));
  std::vector<uint64_t> words;
  for (size_t i = 0; i < text.size() && words.size() < kMaxWords;) {
    const auto is_word = [](char c) { return absl::ascii_isalnum(c) || (static_cast<unsigned char>(c) & 0x80U) != 0; };
    while (i < text.size() && !is_word(text[i])) {
      ++i;
    }
    const size_t start = i;
    uint64_t hash = 1469598103934665603ULL;  // FNV-1a: the same on every machine.
    while (i < text.size() && is_word(text[i])) {
      hash = (hash ^ static_cast<unsigned char>(text[i++])) * 1099511628211ULL;
    }
    if (i > start) {
      words.push_back(hash);
    }
  }
  std::vector<uint64_t> shingles;
  for (size_t i = 0; i + kShingleWords <= words.size(); ++i) {
    uint64_t hash = 0;
    for (size_t k = 0; k < kShingleWords; ++k) {
      hash = (hash ^ words[i + k]) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    shingles.push_back(hash);
  }
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

TextSketch::TextSketch(size_t texts) : bits_((texts * kHashesPerText * kBitsPerHash + 7) / 8, '\0') {}

TextSketch TextSketch::FromBytes(std::string bytes) {
  TextSketch sketch;
  sketch.bits_ = std::move(bytes);
  return sketch;
}

// Probes by double hashing (Kirsch and Mitzenmacher 2006). The smallest hashes have few bits left in their upper half,
// so that they are mixed first (the finaliser of MurmurHash3).
size_t TextSketch::BitOf(uint64_t hash, int probe) const {
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ULL;
  hash ^= hash >> 33;
  const uint64_t step = (hash >> 32) | 1U;
  return static_cast<size_t>((hash + static_cast<uint64_t>(probe) * step) % (bits_.size() * 8));
}

void TextSketch::Add(absl::string_view title, absl::string_view body) {
  if (bits_.empty()) {
    return;
  }
  for (const uint64_t hash : Smallest(title, body)) {
    for (int probe = 0; probe < kProbes; ++probe) {
      const size_t bit = BitOf(hash, probe);
      bits_[bit / 8] = static_cast<char>(static_cast<unsigned char>(bits_[bit / 8]) | (1U << (bit % 8)));
    }
  }
}

bool TextSketch::Contains(absl::string_view title, absl::string_view body) const {
  if (bits_.empty()) {
    return false;
  }
  size_t known = 0;
  for (const uint64_t hash : Smallest(title, body)) {
    bool all = true;
    for (int probe = 0; probe < kProbes && all; ++probe) {
      const size_t bit = BitOf(hash, probe);
      all = (static_cast<unsigned char>(bits_[bit / 8]) >> (bit % 8) & 1U) != 0;
    }
    known += all ? 1 : 0;
  }
  return known >= kHashesToMatch;
}

}  // namespace dateline::classifier
