// Any text as a date, a byline, a line of labels, a biography. What is found lies within the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/text.h"
#include "extraction/dates.h"
#include "extraction/text_shape.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dateline::extraction;  // NOLINT(google-build-using-namespace): a few calls.
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!dateline::common::IsValidUtf8(text)) return 0;  // What these functions require.
  if (const auto date = FindDate(text)) {
    if (date->start >= date->end || date->end > text.size()) std::abort();
  }
  (void)ClassifyLine(text);
  (void)ParseLabelLine(text);
  for (const auto& names : {ParseByline(text), ParseNameList(text), ParseAuthors(text), ParseBiography(text)}) {
    for (const std::string& name : names) {
      if (name.empty() || !dateline::common::IsValidUtf8(name)) std::abort();
      (void)IsAboutPerson(text, {name});
    }
  }
  return 0;
}
