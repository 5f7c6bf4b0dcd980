// The text of a piece of HTML that is an article and nothing else, as feeds and exports hold it. Internal to
// extraction/.
#ifndef DATELINE_EXTRACTION_HTML_FRAGMENT_H_
#define DATELINE_EXTRACTION_HTML_FRAGMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// Sets body and headings of `article`, whose title is known if it has one, from `html` (valid UTF-8). What publishers
// add even there (share bars, teasers, a note on the author) is left out where it is told from the text for certain;
// where little would be left, all of it is taken.
void SetBodyFromFragment(absl::string_view html, Article* article, std::vector<std::string>* warnings);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_FRAGMENT_H_
