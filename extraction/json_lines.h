// One article from one line of JSON. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_JSON_LINES_H_
#define DATELINE_EXTRACTION_JSON_LINES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// Fields: id (string or number), url, title, body, date, authors (string, list of strings, or of objects with `name`),
// source, language, countries and issues (strings or lists, the publisher's labels). Others are ignored and take no
// memory. InvalidArgument names the field that is wrong, or where the JSON is malformed.
absl::StatusOr<Extraction> ReadJsonArticle(absl::string_view line, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_JSON_LINES_H_
