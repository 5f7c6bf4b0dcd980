// A table from 64-bit hashes to small values that answers "not in here" from the cache. What is asked for is mostly not
// in it (a word of a text that no name begins with, two words that no model knows as a phrase), and a table of tens of
// thousands of entries lies beyond the processor's nearest memory: so one byte of each hash stands in an array of its
// own, and only where that byte agrees is the entry looked at. Whoever has many hashes to ask for can have the memory
// fetched ahead.
#ifndef DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_
#define DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_

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
    if (2 * (size_ + 1) > tags_.size()) {
      Grow();
    }
    size_t slot = SlotOf(hash);
    for (; tags_[slot] != kEmpty; slot = (slot + 1) & mask_) {
      if (entries_[slot].hash == hash) {
        return false;
      }
    }
    tags_[slot] = TagOf(hash);
    entries_[slot] = {hash, value};
    ++size_;
    return true;
  }

  // The value that was inserted with `hash`; null if there is none. Valid until the next insertion.
  const Value* Find(uint64_t hash) const {
    for (size_t slot = FirstLikely(SlotOf(hash), hash); tags_[slot] != kEmpty;
         slot = FirstLikely((slot + 1) & mask_, hash)) {
      if (entries_[slot].hash == hash) {
        return &entries_[slot].value;
      }
    }
    return nullptr;
  }
  Value* Find(uint64_t hash) { return const_cast<Value*>(std::as_const(*this).Find(hash)); }

  // Has the memory fetched that MayHave() looks at.
  void Fetch(uint64_t hash) const { __builtin_prefetch(tags_.data() + SlotOf(hash)); }

  // The same for Find(), where most hashes are in the table.
  void FetchEntry(uint64_t hash) const {
    Fetch(hash);
    __builtin_prefetch(entries_.data() + SlotOf(hash));
  }

  // False for nearly all hashes that are not in the table; for others, has the memory fetched that Find() looks at.
  bool MayHave(uint64_t hash) const {
    const size_t slot = FirstLikely(SlotOf(hash), hash);
    __builtin_prefetch(entries_.data() + slot);
    return tags_[slot] != kEmpty;
  }

  size_t size() const { return size_; }

 private:
  static constexpr uint8_t kEmpty = 0;

  struct Entry {
    uint64_t hash = 0;
    Value value{};
  };

  size_t SlotOf(uint64_t hash) const { return static_cast<size_t>(hash) & mask_; }
  // Of the bits that SlotOf() leaves.
  static uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>((hash >> 56) | 1); }

  // The first slot from `slot` on that is empty or whose tag agrees.
  size_t FirstLikely(size_t slot, uint64_t hash) const {
    const uint8_t tag = TagOf(hash);
    while (tags_[slot] != kEmpty && tags_[slot] != tag) {
      slot = (slot + 1) & mask_;
    }
    return slot;
  }

  void Grow() {
    const std::vector<uint8_t> old_tags = std::move(tags_);
    const std::vector<Entry> old_entries = std::move(entries_);
    tags_.assign(2 * old_tags.size(), kEmpty);
    entries_.assign(tags_.size(), Entry());
    mask_ = tags_.size() - 1;
    size_ = 0;
    for (size_t slot = 0; slot < old_tags.size(); ++slot) {
      if (old_tags[slot] != kEmpty) {
        Insert(old_entries[slot].hash, old_entries[slot].value);
      }
    }
  }

  // Open addressing, at most half full. A power of two of slots.
  std::vector<uint8_t> tags_ = std::vector<uint8_t>(8, kEmpty);
  std::vector<Entry> entries_ = std::vector<Entry>(8);
  size_t mask_ = 7;
  size_t size_ = 0;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_HASH_INDEX_H_
