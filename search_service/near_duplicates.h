// Finds texts that repeat another one nearly word for word: syndicated copies, reprints, a page that was published
// twice.
//
// What is compared is the set of a body's shingles, its runs of five words: headlines never count, since those of
// different reports on one event are alike. Two bodies are near-duplicates if the resemblance (Jaccard index) of these
// sets is kNearDuplicate or more. Whether one of a hundred thousand bodies is near is found by MinHash sketches in
// bands: A. Broder, "On the resemblance and containment of documents", 1997; P. Li and C. König, "b-bit minwise
// hashing", 2010; bands as in J. Leskovec et al., "Mining of Massive Datasets", chapter 3. A sketch only proposes; who
// decides compares the texts.
#ifndef DATELINE_SEARCH_SERVICE_NEAR_DUPLICATES_H_
#define DATELINE_SEARCH_SERVICE_NEAR_DUPLICATES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace dateline::search {

// docs/adr/0006 says what lies above and below.
inline constexpr double kNearDuplicate = 0.7;
// Bodies of fewer shingles are never near-duplicates: a line that stands for the text ("Read more on our site") or a
// notice says nothing about who repeats whom.
inline constexpr size_t kMinShingles = 30;

// The least hashes of a body's shingles by 64 hash functions, 16 bits of each. Two sketches agree in about as many
// places of 64 as the bodies resemble each other. The same on every machine and in every build: sketches are stored.
struct Sketch {
  static constexpr size_t kSize = 64;
  std::array<uint16_t, kSize> values = {};

  // 128 bytes.
  std::string Encode() const;
  // Nullopt unless Encode made it.
  static std::optional<Sketch> Decode(absl::string_view bytes);
  // Share of equal places.
  double Resemblance(const Sketch& other) const;
};

// A body as near-duplicates see it. Time linear in the length of the body, which must be UTF-8.
class Shingles {
 public:
  explicit Shingles(absl::string_view body);

  // Whether there are kMinShingles.
  bool enough() const { return hashes_.size() >= kMinShingles; }
  Sketch MakeSketch() const;
  // 0 to 1.
  double Resemblance(const Shingles& other) const;

 private:
  std::vector<uint64_t> hashes_;  // Of the different ones, rising.
};

// The sketches of a collection, some 300 bytes each. Not thread-safe.
class SketchIndex {
 public:
  // Of each row one: a sketch that it has already is replaced.
  void Put(int64_t row, const Sketch& sketch);
  void Remove(int64_t row);
  size_t size() const { return places_.size(); }

  struct Match {
    int64_t row = 0;
    double resemblance = 0.0;  // By the sketches.
  };
  // Rows whose sketch resembles this one by `least` and more, the nearest first, of equal ones the lowest row first; at
  // most so many. Of pairs that resemble each other by 0.7 it finds 98 in 100, by 0.8 and more 999 in 1,000. Where
  // thousands share a band, as with reports from one template, the newest of them are looked at.
  std::vector<Match> Find(const Sketch& sketch, double least, size_t max_matches) const;

 private:
  // 16 bands of 4: two sketches are compared if they agree in one of the bands.
  static constexpr size_t kBands = 16;
  static constexpr size_t kBandSize = Sketch::kSize / kBands;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Entry {
    int64_t row = 0;
    Sketch sketch;
    std::array<uint32_t, kBands> next;  // In the chain of its bucket of the band.
  };

  size_t BucketOf(const Sketch& sketch, size_t band) const;
  void Link(uint32_t entry);
  void Unlink(uint32_t entry);
  void Grow();

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;                         // Unused entries.
  absl::flat_hash_map<int64_t, uint32_t> places_;      // By row.
  std::vector<std::array<uint32_t, kBands>> buckets_;  // A power of two of them; heads of chains.
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_NEAR_DUPLICATES_H_
