// What somebody may have meant who mistyped a name.
#ifndef DATELINE_COMMON_NEAREST_H_
#define DATELINE_COMMON_NEAREST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::common {

// The places in `names` of those that `word` may stand for, likeliest first, at most `count`. Compared are the forms of
// FoldForMatch(). Near is what begins with the whole word (of three characters or more), and what is at most a third of
// the word's length away, at least one, in edits: a character inserted, dropped or replaced, or two neighbours swapped
// (the "optimal string alignment" form of Damerau's distance). Equals keep their order. A word of more than 64
// characters is near to nothing.
//
// Pure and thread-safe. Time is linear in the number of names.
std::vector<size_t> NearestNames(absl::string_view word, const std::vector<std::string>& names, size_t count);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_NEAREST_H_
