// What a page says about itself, in JSON-LD, Open Graph, <meta>, <link>, microdata. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_HTML_METADATA_H_
#define DATELINE_EXTRACTION_HTML_METADATA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/dates.h"
#include "extraction/extraction.h"
#include "extraction/html_document.h"

namespace dateline::extraction {

// What microdata within the page says. Comments and teasers of other articles have such marks, too: whose it is shows
// only when the text is found.
struct ItemFact {
  enum class Field { kAuthor, kPublished, kUpdated, kSection, kKeywords, kPublisher };
  Field field = Field::kAuthor;
  int32_t node = kNoNode;
  int32_t scope = kNoNode;  // The element of the item that it is said of; kNoNode: of the page.
  std::string value = {};   // Of all fields but dates.
  std::optional<ParsedDate> date = {};
};

struct HtmlMetadata {
  Article article;                  // All but `title` and `body`; only what the page states.
  std::vector<std::string> titles;  // Candidates, the most trusted first: as stated, a site's name still appended.
  std::string page_title;           // <title>; empty if it is but "Home", "Untitled" and the like.
  bool is_untitled = false;         // It is.
  std::string host;                 // Of the address that the page names, else of where it came from.
  std::string article_body;         // JSON-LD articleBody as it is: the whole text or its beginning, at times as HTML.
  bool states_article = false;      // The page says that it is an article.
  // As the page gives them, several keywords in each. What they are divided by may also stand within a keyword:
  // AddKeywords() divides them once the page's other labels are known.
  std::vector<std::string> keyword_lists;
  std::vector<ItemFact> item_facts;  // In document order; not in `article`.
  std::vector<std::string> warnings;
};

// `now`: dates well after it are dropped with a warning. `url`: base of relative links, may be empty.
HtmlMetadata ReadHtmlMetadata(const HtmlDocument& document, absl::string_view url, absl::Time now);

// `reference` made absolute; "" if it is no http or https URL then.
std::string ResolveUrl(absl::string_view reference, absl::string_view base);

// `title` without the name of the site after or before it ("… | The Daily"): a part that is `site`, or, if `site` is
// empty or not in it, nothing.
std::string StripSiteName(absl::string_view title, absl::string_view site);

// Adds `label` unless it is there, empty, or there are a hundred already.
void AddLabel(absl::string_view kind, absl::string_view name, Article* article);

// Adds the keywords in `list`, which commas divide, or semicolons where there is no comma, as labels. Names of labels
// that `article` has already stay whole: in "Ghana, Transport, infrastructure & cities" a section's name is one
// keyword.
void AddKeywords(absl::string_view list, Article* article);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_METADATA_H_
