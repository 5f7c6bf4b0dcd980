// Any bytes as a file of site rules, which are then matched on a page.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "extraction/html_document.h"
#include "extraction/site_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using dateline::extraction::HtmlDocument;
  using dateline::extraction::SiteRule;
  static const HtmlDocument* const kPage = new HtmlDocument(
      *HtmlDocument::Parse("<article id=a class='a b'><div class=a><p class=b>x <a href=/x>y</a> <b>z</b></p><div "
                           "class='a a'><p>w</p></div></div></article><aside><p class='a b'>v</p></aside>"));
  const auto rules =
      dateline::extraction::SiteRules::Parse(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (rules.ok()) {
    const SiteRule* const rule = rules->Find("https://www.example.org/a");
    if (rule != nullptr) (void)dateline::extraction::MatchRule(*kPage, *rule);
  }
  return 0;
}
