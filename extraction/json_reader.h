// JSON Lines, and JSON documents: JSON Feed, lists of articles, single ones. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_JSON_READER_H_
#define DATELINE_EXTRACTION_JSON_READER_H_

#include <memory>

#include "absl/time/time.h"

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// One object a line.
std::unique_ptr<SourceReader> MakeJsonLinesReader(Input input, const SourceOptions& options, absl::Time now);

// One document of any length, of which one article at a time is held: a list of objects; an object with such a list,
// found by its name (items, articles, entries, posts, results, …) or by the field map (items=response.results); or an
// object that is an article. What a JSON Feed says of itself counts for its items.
std::unique_ptr<SourceReader> MakeJsonReader(Input input, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_JSON_READER_H_
