// The article in the plain text of a page, such as a browser's "save as text" or a scraper gives. Internal to
// extraction/.
#ifndef DATELINE_EXTRACTION_PAGE_TEXT_H_
#define DATELINE_EXTRACTION_PAGE_TEXT_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"
#include "extraction/html_body.h"

namespace dateline::extraction {

// Finds title, text, authors, date and the publisher's labels in `text` (valid UTF-8) by repetition, length of lines,
// punctuation and position. Text with no menus and teasers around it comes out whole. No parts: no article.
HtmlBody ExtractPageText(absl::string_view text, bool explain);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_PAGE_TEXT_H_
