// Finds the article's text among a page's blocks. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_HTML_BODY_H_
#define DATELINE_EXTRACTION_HTML_BODY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "extraction/dates.h"
#include "extraction/extraction.h"
#include "extraction/html_document.h"
#include "extraction/html_metadata.h"

namespace dateline::extraction {

// A paragraph, heading, list, table or block of code of the body.
struct BodyPart {
  std::string text;       // Lines of a list, a table or code divided by LF; otherwise one line.
  int heading_level = 0;  // 1 to 6; 0: no heading.
};

struct HtmlBody {
  std::vector<BodyPart> parts;
  std::string title;                 // As the page shows it; empty if no heading matches what the page states.
  std::string standfirst;            // Between title and text, if set apart as such.
  std::vector<std::string> authors;  // From a byline near the title, or a biography after the text.
  std::optional<ParsedDate> date;    // From a line near the title.
  std::vector<SourceLabel> labels;   // From lines such as "Issue: …" near the text, and from links marked as tags.
  double text_score = 0.0;           // About the number of letters in sentences that were kept.
  double link_share = 0.0;           // Share of the page's letters that are links.
  std::vector<Block> blocks;         // When asked for.
};

HtmlBody ExtractHtmlBody(const HtmlDocument& document, const HtmlMetadata& metadata, bool explain);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_BODY_H_
