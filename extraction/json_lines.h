// One article from one line of JSON, for whoever divides the lines: SourceReader for files, others for streams.
#ifndef DATELINE_EXTRACTION_JSON_LINES_H_
#define DATELINE_EXTRACTION_JSON_LINES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// Fields: id (string or number), url, title, body, date, authors (string, list of strings, or of objects with `name`),
// source, language, countries and issues (strings or lists, the publisher's labels). Others are ignored and take no
// memory. InvalidArgument, with the reason MALFORMED_LINE, names the field that is wrong, or the byte (from 1) where
// the JSON is; its message is to follow the number of the line. A date more than a year after `now`, or otherwise none
// that can be right, is dropped with a warning.
absl::StatusOr<Extraction> ReadJsonArticle(absl::string_view line, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_JSON_LINES_H_
