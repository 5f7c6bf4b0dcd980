// RSS, Atom and exports of WordPress; sitemaps. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_FEED_READER_H_
#define DATELINE_EXTRACTION_FEED_READER_H_

#include <memory>

#include "absl/time/time.h"

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// Reads the entries of a feed, one for each call of Next.
std::unique_ptr<SourceReader> MakeFeedReader(Input input, const SourceOptions& options, absl::Time now);

// Reads the addresses of a sitemap, or of the sitemaps in an index, one for each call of Next.
std::unique_ptr<SourceReader> MakeSitemapReader(Input input, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_FEED_READER_H_
