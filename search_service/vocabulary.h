// Words by number and in order: those that begin with what was typed, and those that may have been meant by it.
#ifndef DATELINE_SEARCH_SERVICE_VOCABULARY_H_
#define DATELINE_SEARCH_SERVICE_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"

namespace dateline::search {

// How a word resembles what was typed.
struct Spelling {
  size_t typos = 0;
  bool whole = false;  // All of the word resembles it, not only a beginning.
};

// How the beginning of `word` resembles `typed`, both folded; absent if it has more typing errors than are allowed:
// none in fewer than four letters, one from four, two from eight. An error is a letter left out, put in or replaced, or
// two neighbours that changed places (the "optimal string alignment" form of Damerau's distance); the first letter has
// none.
std::optional<Spelling> Resemblance(absl::string_view typed, absl::string_view word);

// Not thread-safe.
class Vocabulary {
 public:
  using WordId = uint32_t;

  // One use more of the word. It keeps its number until as many uses were released; then another word may get it.
  WordId Add(absl::string_view word);
  void Release(WordId id);

  const std::string& text(WordId id) const { return words_[id].text; }
  // All numbers are below this.
  size_t size() const { return words_.size(); }
  // Absent if no use of it is left.
  std::optional<WordId> Find(absl::string_view word) const;

  std::vector<WordId> WithPrefix(absl::string_view prefix) const;

  // The words that `typed` may be a mistyped beginning of: those with the fewest errors, of one at least.
  struct Near {
    WordId id = 0;
    Spelling spelling;
    uint32_t uses = 0;
  };
  std::vector<Near> Nearest(absl::string_view typed) const;

 private:
  struct Word {
    std::string text;
    uint32_t uses = 0;
  };
  // A deque, since the keys of the map are views of its texts.
  std::deque<Word> words_;
  std::vector<WordId> free_;
  absl::btree_map<absl::string_view, WordId> by_text_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_VOCABULARY_H_
