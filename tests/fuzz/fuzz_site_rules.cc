// Any bytes as a file of site rules.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "extraction/site_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto rules =
      dateline::extraction::SiteRules::Parse(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (rules.ok()) (void)rules->Find("https://www.example.org/a");
  return 0;
}
