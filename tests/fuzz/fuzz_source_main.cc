// A fuzzer of one format, named by DATELINE_FUZZ_FORMAT: see CMakeLists.txt.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "extraction/format.h"
#include "tests/fuzz/fuzz_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const dateline::extraction::Format format =
      dateline::extraction::FormatFromName(DATELINE_FUZZ_FORMAT).value_or(dateline::extraction::Format::kUnknown);
  dateline::testing::ReadSource(format, absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
