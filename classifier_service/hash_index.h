// A table from 64-bit hashes to small values that answers "not in here" from the cache. What is asked for is mostly not
// in it (a word of a text that no name begins with, two words that no model knows as a phrase), and a table of tens of
// thousands of entries lies beyond the processor's nearest memory: so one byte of each hash stands in an array of its
// own, eight bytes to a bucket, which are compared in one go and without a branch that could be guessed wrong; only
// where a byte agrees is the entry looked at. Whoever has many hashes to ask for can have the memory fetched ahead.
#ifndef DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_
#define DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dateline::classifier {

// Safe to read from any number of threads.
template <typename Value>
class HashIndex {
 public:
  // Returns false, and changes nothing, if the hash is in the table already.
  bool Insert(uint64_t hash, const Value& value) {
    if (Find(hash) != nullptr) {
      return false;
    }
    if (2 * (size_ + 1) > entries_.size()) {
      Grow();
    }
    Place(hash, value);
    return true;
  }

  // The value that was inserted with `hash`; null if there is none. Valid until the next insertion.
  const Value* Find(uint64_t hash) const {
    for (size_t bucket = BucketOf(hash);; bucket = (bucket + 1) & mask_) {
      for (uint64_t likely = Likely(bucket, hash); likely != 0; likely &= likely - 1) {
        const Entry& entry = entries_[SlotOf(bucket, likely)];
        if (entry.hash == hash) {
          return &entry.value;
        }
      }
      if (!IsFull(bucket)) {
        return nullptr;
      }
    }
  }
  Value* Find(uint64_t hash) { return const_cast<Value*>(std::as_const(*this).Find(hash)); }

  // Has the memory fetched that MayHave() looks at.
  void Fetch(uint64_t hash) const { __builtin_prefetch(tags_.data() + BucketOf(hash)); }

  // False for nearly all hashes that are not in the table; for others, has the memory fetched that Find() looks at.
  bool MayHave(uint64_t hash) const {
    const size_t bucket = BucketOf(hash);
    const uint64_t likely = Likely(bucket, hash);
    __builtin_prefetch(entries_.data() + SlotOf(bucket, likely));
    return likely != 0 || IsFull(bucket);
  }

  size_t size() const { return size_; }

 private:
  static constexpr size_t kBucket = 8;
  static constexpr uint64_t kEveryByte = 0x0101010101010101U;
  static constexpr uint64_t kTopBits = 0x80 * kEveryByte;
  static constexpr uint64_t kEmpty = 0;

  struct Entry {
    uint64_t hash = 0;
    Value value{};
  };

  size_t BucketOf(uint64_t hash) const { return static_cast<size_t>(hash) & mask_; }
  // Of the bits that BucketOf() leaves; never kEmpty.
  static uint64_t TagOf(uint64_t hash) { return std::max<uint64_t>(hash >> 56, 1); }

  // The top bit of each byte of the bucket that agrees with the hash's; seldom one that does not, above one that does.
  uint64_t Likely(size_t bucket, uint64_t hash) const {
    const uint64_t differences = tags_[bucket] ^ (TagOf(hash) * kEveryByte);
    return (differences - kEveryByte) & ~differences & kTopBits;
  }

  // The slot of the lowest of the bits `likely`; the bucket's first if there is none.
  static size_t SlotOf(size_t bucket, uint64_t likely) {
    return kBucket * bucket + (static_cast<size_t>(std::countr_zero(likely)) / 8) % kBucket;
  }

  // Buckets are filled from their lowest byte on.
  bool IsFull(size_t bucket) const { return (tags_[bucket] >> 56) != kEmpty; }

  // For a hash that is not in the table yet.
  void Place(uint64_t hash, const Value& value) {
    size_t bucket = BucketOf(hash);
    while (IsFull(bucket)) {
      bucket = (bucket + 1) & mask_;
    }
    const size_t taken = (static_cast<size_t>(std::bit_width(tags_[bucket])) + 7) / 8;
    tags_[bucket] |= TagOf(hash) << (8 * taken);
    entries_[kBucket * bucket + taken] = {hash, value};
    ++size_;
  }

  void Grow() {
    const std::vector<uint64_t> old_tags = std::move(tags_);
    const std::vector<Entry> old_entries = std::move(entries_);
    tags_.assign(2 * old_tags.size(), kEmpty);
    entries_.assign(2 * old_entries.size(), Entry());
    mask_ = tags_.size() - 1;
    size_ = 0;
    for (size_t slot = 0; slot < old_entries.size(); ++slot) {
      if ((old_tags[slot / kBucket] >> (8 * (slot % kBucket)) & 0xFF) != kEmpty) {
        Place(old_entries[slot].hash, old_entries[slot].value);
      }
    }
  }

  // Open addressing by buckets, at most half full. A power of two of buckets.
  std::vector<uint64_t> tags_ = std::vector<uint64_t>(1, kEmpty);
  std::vector<Entry> entries_ = std::vector<Entry>(kBucket);
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_
