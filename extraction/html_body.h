// Finds the article's text among a page's blocks. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_HTML_BODY_H_
#define DATELINE_EXTRACTION_HTML_BODY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "extraction/dates.h"
#include "extraction/extraction.h"
#include "extraction/html_document.h"
#include "extraction/html_metadata.h"
#include "extraction/site_rules.h"

namespace dateline::extraction {

// A paragraph, heading, list, table or block of code of the body.
struct BodyPart {
  std::string text;       // Lines of a list, a table or code divided by LF; otherwise one line.
  int heading_level = 0;  // 1 to 6; 0: no heading.
};

struct HtmlBody {
  std::vector<BodyPart> parts;
  std::string title;                       // As the page shows it; empty if no heading matches what the page states.
  std::string heading;                     // The page's first <h1>, whatever it says.
  std::string standfirst;                  // Between title and text, if set apart as such.
  std::vector<std::string> authors;        // From microdata, a byline near the title, or a biography after the text.
  StatedDates dates;                       // From microdata, or lines near the title.
  std::string source;                      // From microdata.
  std::vector<std::string> keyword_lists;  // As in HtmlMetadata, from microdata.
  std::vector<SourceLabel> labels;  // From lines such as "Issue: …" near the text, and from links marked as tags.
  std::string direction;            // "ltr" or "rtl", as the element around the text says.
  bool paywall = false;             // A line says that subscribers alone can read on.
  bool whole_page = false;          // The page is a few words, and nothing is around them.
  size_t teasers = 0;               // How many teasers of articles the page is made of; 0 if it holds a text besides.
  double text_score = 0.0;          // About the number of letters in sentences that were kept.
  double link_share = 0.0;          // Share of the page's letters that are links.
  std::vector<Block> blocks;        // When asked for.
};

// `matches`: what a person says about the site's pages, on this one; may be null. `select` and `drop` are followed
// here. `locate`: what is explained says also where it stands.
HtmlBody ExtractHtmlBody(const HtmlDocument& document, const HtmlMetadata& metadata, bool explain,
                         const RuleMatches* matches = nullptr, bool locate = false);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_BODY_H_
