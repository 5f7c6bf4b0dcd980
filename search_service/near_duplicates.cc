#include "search_service/near_duplicates.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

constexpr size_t kShingleWords = 5;
// Sketches that one search looks at. Chains begin with what came last.
constexpr size_t kMaxVisits = 4'000;
constexpr size_t kLeastBuckets = 1'024;

// The finalizer of SplitMix64 (G. Steele, D. Lea, C. Flood, 2014): every bit of the result depends on every bit of `x`.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// The 64 hash functions: multiply-shift of the shingle's hash, with these factors and terms.
struct HashFunctions {
  std::array<uint64_t, Sketch::kSize> factor = {};
  std::array<uint64_t, Sketch::kSize> term = {};
};
constexpr HashFunctions MakeHashFunctions() {
  HashFunctions functions;
  uint64_t state = 0;
  for (size_t i = 0; i < Sketch::kSize; ++i) {
    functions.factor[i] = Mix(state += 0x9E3779B97F4A7C15U) | 1U;
    functions.term[i] = Mix(state += 0x9E3779B97F4A7C15U);
  }
  return functions;
}
constexpr HashFunctions kFunctions = MakeHashFunctions();

// Takes the characters of a body one by one and gives the hashes of its words.
class WordHasher {
 public:
  explicit WordHasher(std::vector<uint64_t>& words) : words_(words) {}
  void Add(UChar32 c) { hash_ = Mix(hash_ ^ static_cast<uint64_t>(c)) + 1; }
  void End() {
    if (hash_ != 0) words_.push_back(hash_);
    hash_ = 0;
  }

 private:
  std::vector<uint64_t>& words_;
  uint64_t hash_ = 0;
};

bool IsInWord(UChar32 c) { return u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0; }

// Case and punctuation count for nothing: editors change them first.
std::vector<uint64_t> HashWords(absl::string_view text) {
  std::vector<uint64_t> words;
  words.reserve(text.size() / 6);
  WordHasher word(words);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    if (const uint8_t byte = bytes[i]; byte < 0x80) {
      ++i;
      if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
        word.Add(byte);
      } else if (byte >= 'A' && byte <= 'Z') {
        word.Add(byte + ('a' - 'A'));
      } else {
        word.End();
      }
      continue;
    }
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c < 0 || !IsInWord(c)) {
      word.End();
    } else if (IsUnspacedScript(static_cast<char32_t>(c))) {
      word.End();
      word.Add(c);
      word.End();
    } else {
      word.Add(u_tolower(c));
    }
  }
  word.End();
  return words;
}

}  // namespace

std::string Sketch::Encode() const {
  std::string bytes;
  bytes.reserve(2 * kSize);
  for (const uint16_t value : values) {
    bytes.push_back(static_cast<char>(value & 0xFFU));
    bytes.push_back(static_cast<char>(value >> 8U));
  }
  return bytes;
}

std::optional<Sketch> Sketch::Decode(absl::string_view bytes) {
  if (bytes.size() != 2 * kSize) return std::nullopt;
  Sketch sketch;
  for (size_t i = 0; i < kSize; ++i) {
    sketch.values[i] = static_cast<uint16_t>(static_cast<uint8_t>(bytes[2 * i]) |
                                             static_cast<unsigned>(static_cast<uint8_t>(bytes[2 * i + 1])) << 8U);
  }
  return sketch;
}

double Sketch::Resemblance(const Sketch& other) const {
  int equal = 0;
  for (size_t i = 0; i < kSize; ++i) equal += values[i] == other.values[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(kSize);
}

Shingles::Shingles(absl::string_view body) {
  const std::vector<uint64_t> words = HashWords(body);
  if (words.size() < kShingleWords) return;
  hashes_.reserve(words.size() - kShingleWords + 1);
  for (size_t i = 0; i + kShingleWords <= words.size(); ++i) {
    uint64_t hash = 0;
    for (size_t k = 0; k < kShingleWords; ++k) hash = Mix(hash + words[i + k]);
    hashes_.push_back(hash);
  }
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

Sketch Shingles::MakeSketch() const {
  std::array<uint32_t, Sketch::kSize> least;
  least.fill(UINT32_MAX);
  for (const uint64_t hash : hashes_) {
    for (size_t i = 0; i < Sketch::kSize; ++i) {
      least[i] = std::min(least[i], static_cast<uint32_t>((hash * kFunctions.factor[i] + kFunctions.term[i]) >> 32U));
    }
  }
  Sketch sketch;
  for (size_t i = 0; i < Sketch::kSize; ++i) sketch.values[i] = static_cast<uint16_t>(least[i]);
  return sketch;
}

double Shingles::Resemblance(const Shingles& other) const {
  size_t common = 0;
  for (auto a = hashes_.begin(), b = other.hashes_.begin(); a != hashes_.end() && b != other.hashes_.end();) {
    if (*a == *b) {
      ++common;
      ++a;
      ++b;
    } else if (*a < *b) {
      ++a;
    } else {
      ++b;
    }
  }
  const size_t all = hashes_.size() + other.hashes_.size() - common;
  return all == 0 ? 0.0 : static_cast<double>(common) / static_cast<double>(all);
}

size_t SketchIndex::BucketOf(const Sketch& sketch, size_t band) const {
  uint64_t key = 0;
  for (size_t i = 0; i < kBandSize; ++i) key = key << 16U | sketch.values[band * kBandSize + i];
  return Mix(key) & (buckets_.size() - 1);
}

void SketchIndex::Link(uint32_t entry) {
  for (size_t band = 0; band < kBands; ++band) {
    uint32_t& first = buckets_[BucketOf(entries_[entry].sketch, band)][band];
    entries_[entry].next[band] = std::exchange(first, entry);
  }
}

void SketchIndex::Unlink(uint32_t entry) {
  for (size_t band = 0; band < kBands; ++band) {
    uint32_t* link = &buckets_[BucketOf(entries_[entry].sketch, band)][band];
    while (*link != entry) link = &entries_[*link].next[band];
    *link = entries_[entry].next[band];
  }
}

void SketchIndex::Grow() {
  std::array<uint32_t, kBands> empty;
  empty.fill(kNone);
  const size_t size = std::max(kLeastBuckets, std::bit_ceil(2 * entries_.size()));
  buckets_.assign(size, empty);
  buckets_.shrink_to_fit();
  std::vector<uint32_t> used;
  used.reserve(places_.size());
  for (const auto& [row, entry] : places_) used.push_back(entry);
  std::sort(used.begin(), used.end());
  for (const uint32_t entry : used) Link(entry);
}

void SketchIndex::Put(int64_t row, const Sketch& sketch) {
  Remove(row);
  uint32_t entry = 0;
  if (free_.empty()) {
    entry = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    entry = free_.back();
    free_.pop_back();
  }
  entries_[entry].row = row;
  entries_[entry].sketch = sketch;
  if (places_.size() >= buckets_.size()) Grow();
  places_.emplace(row, entry);
  Link(entry);
}

void SketchIndex::Remove(int64_t row) {
  const auto found = places_.find(row);
  if (found == places_.end()) return;
  Unlink(found->second);
  free_.push_back(found->second);
  places_.erase(found);
}

std::vector<SketchIndex::Match> SketchIndex::Find(const Sketch& sketch, double least, size_t max_matches) const {
  std::vector<Match> matches;
  if (places_.empty()) return matches;
  absl::flat_hash_set<uint32_t> seen;
  size_t visits = 0;
  for (size_t band = 0; band < kBands; ++band) {
    // Each band gets its share, so that a band that all reports of a template share leaves some to the others.
    const size_t limit = kMaxVisits * (band + 1) / kBands;
    for (uint32_t entry = buckets_[BucketOf(sketch, band)][band]; entry != kNone && visits < limit;
         entry = entries_[entry].next[band]) {
      ++visits;
      const double resemblance = entries_[entry].sketch.Resemblance(sketch);
      if (resemblance >= least && seen.insert(entry).second) matches.push_back({entries_[entry].row, resemblance});
    }
  }
  std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.resemblance != b.resemblance ? a.resemblance > b.resemblance : a.row < b.row;
  });
  if (matches.size() > max_matches) matches.resize(max_matches);
  return matches;
}

}  // namespace dateline::search
