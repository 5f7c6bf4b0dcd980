// Whether a text is one that was seen before, wholly or for the most part: by its runs of five words.
#ifndef DATELINE_CLASSIFIER_SERVICE_TEXT_SKETCH_H_
#define DATELINE_CLASSIFIER_SERVICE_TEXT_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::classifier {

// The hashes of all runs of five words of the first 2,000 words of a text, without regard to case, diacritics and
// punctuation; ascending, each once. The same on every machine. Pure and thread-safe.
std::vector<uint64_t> ShinglesOf(absl::string_view title, absl::string_view body);

// Remembers texts in some five bytes each, so that a model can say whether it was trained on a text, and holds nothing
// that the text could be read from.
//
// Of each text the four smallest of its shingles' hashes ("bottom-k", Broder 1997) go into a Bloom filter of ten bits a
// hash and five probes, and a text counts as seen if three of its four are in. So a copy with another title or a
// paragraph more is found as well, and a text that was never seen is taken for one with a probability of some 3 in a
// million while the filter holds what it was made for. Texts of fewer than eight words are not remembered.
//
// Not thread-safe while texts are added; afterwards any number of threads may ask.
class TextSketch {
 public:
  TextSketch() = default;  // Remembers nothing.

  // Made for so many texts; more can be added, and raise the odds of a wrong yes.
  explicit TextSketch(size_t texts);

  // From `bytes()`.
  static TextSketch FromBytes(std::string bytes);

  void Add(absl::string_view title, absl::string_view body);
  bool Contains(absl::string_view title, absl::string_view body) const;

  bool empty() const { return bits_.empty(); }
  const std::string& bytes() const { return bits_; }

 private:
  size_t BitOf(uint64_t hash, int probe) const;

  std::string bits_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_TEXT_SKETCH_H_
