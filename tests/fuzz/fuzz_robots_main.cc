// A fuzzer of robots.txt: the first line is the address that is asked about.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "cli/robots.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::string_view target = text.substr(0, text.find('\n'));
  const absl::string_view rules = text.substr(std::min(text.size(), target.size() + 1));
  dateline::cli::RobotsRules::Parse(rules, "dateline").Allows(target);
  return 0;
}
