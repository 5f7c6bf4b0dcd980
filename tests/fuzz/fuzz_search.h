// What must hold of queries, filters and page tokens whatever is typed: shared by the fuzzers and by the test that runs
// their seeds.
#ifndef DATELINE_TESTS_FUZZ_FUZZ_SEARCH_H_
#define DATELINE_TESTS_FUZZ_FUZZ_SEARCH_H_

#include "absl/strings/string_view.h"

namespace dateline::testing {

// Each aborts, saying why, if a promise is broken.

// The first byte chooses how the rest is read. The only errors are InvalidArgument naming "query"; what is said of the
// query is of its text; the normalised query means the same; whatever passes with every word passes relaxed as well.
void CheckQuery(absl::string_view input);
// The only errors are InvalidArgument naming "filter"; a filter is conditions only; blanks, parentheses and NOT around
// it do what they say.
void CheckFilter(absl::string_view text);
// As a token: what is taken is what was given out. As the parts of one: it comes back whole, and altered not at all.
void CheckPageToken(absl::string_view input);

}  // namespace dateline::testing

#endif  // DATELINE_TESTS_FUZZ_FUZZ_SEARCH_H_
