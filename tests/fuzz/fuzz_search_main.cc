// A fuzzer of what searches are asked with: which part, the build says.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "tests/fuzz/fuzz_search.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dateline::testing::DATELINE_FUZZ_CHECK(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
