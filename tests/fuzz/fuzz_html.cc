// Any bytes as a page: no crash, no hang, valid UTF-8 within the contracts' bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/text.h"
#include "extraction/extraction.h"
#include "extraction/site_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using dateline::extraction::Extract;
  using dateline::extraction::SiteRules;
  static const auto* const kRules =
      new SiteRules(*SiteRules::Parse("[*]\nselect = article, .body\ndrop = aside > *, .x\ntitle = h1\nauthor = a\n"));
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const SiteRules* rules : {static_cast<const SiteRules*>(nullptr), kRules}) {
    const auto extraction = Extract({.content = bytes, .media_type = "text/html", .url = "https://example.org/a"},
                                    {.site_rules = rules, .explain = true});
    if (extraction.ok() &&
        (!dateline::common::IsValidUtf8(extraction->article.body) ||
         !dateline::common::IsValidUtf8(extraction->article.title) || extraction->article.body.size() > 2'000'000)) {
      std::abort();
    }
  }
  return 0;
}
