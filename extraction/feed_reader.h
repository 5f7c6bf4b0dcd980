// RSS and Atom. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_FEED_READER_H_
#define DATELINE_EXTRACTION_FEED_READER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/source_reader.h"

namespace dateline::extraction {

// `xml` as XML parsers want it: named entities of HTML become characters, stray ampersands are escaped, control
// characters go, and so does a document type with all that it declares: nothing is ever fetched or expanded.
std::string CleanXml(absl::string_view xml);

// Reads the entries of a feed (valid UTF-8), one for each call of Next.
std::unique_ptr<SourceReader> MakeFeedReader(const std::string& xml, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_FEED_READER_H_
