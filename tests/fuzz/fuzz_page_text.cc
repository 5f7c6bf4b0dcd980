// Any bytes as the plain text of a page.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/text.h"
#include "extraction/extraction.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto extraction = dateline::extraction::Extract(
      {.content = std::string(reinterpret_cast<const char*>(data), size), .media_type = "text/plain"},
      {.explain = true});
  if (extraction.ok() && !dateline::common::IsValidUtf8(extraction->article.body)) std::abort();
  return 0;
}
