// The last step of every way in: text normalised, fields within the contracts' bounds. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_ARTICLE_BUILDER_H_
#define DATELINE_EXTRACTION_ARTICLE_BUILDER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"
#include "extraction/html_body.h"

namespace dateline::extraction {

// Writes `parts` into the body, with the offsets of the headings. Encoded data among them is left out.
void SetBody(const std::vector<BodyPart>& parts, Article* article, std::vector<std::string>* warnings);

// Normalises and bounds every field; drops dates that cannot be right at `now`. `url` is where the document came from:
// the article's, if it names none itself; may be empty.
void FinishArticle(absl::string_view url, absl::Time now, Article* article, std::vector<std::string>* warnings);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_ARTICLE_BUILDER_H_
