// What must hold of a source whatever its bytes are: shared by the fuzzers and by the test that runs their seeds.
#ifndef DATELINE_TESTS_FUZZ_FUZZ_SOURCE_H_
#define DATELINE_TESTS_FUZZ_FUZZ_SOURCE_H_

#include "absl/strings/string_view.h"

#include "extraction/format.h"

namespace dateline::testing {

struct SourceCounts {
  int articles = 0;
  int links = 0;
  int errors = 0;
};

// Reads all of `bytes` as `format` (kUnknown: as what they are) and aborts, saying why, if an item breaks a promise of
// source_reader.h: text that is not UTF-8, a heading outside of the body, an error without a position or a reason, a
// link that is no URL, more items than bytes.
SourceCounts ReadSource(extraction::Format format, absl::string_view bytes);

}  // namespace dateline::testing

#endif  // DATELINE_TESTS_FUZZ_FUZZ_SOURCE_H_
