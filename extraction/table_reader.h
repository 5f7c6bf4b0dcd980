// Tables: comma- and tab-separated values (RFC 4180, and what spreadsheets make of it). Internal to extraction/.
#ifndef DATELINE_EXTRACTION_TABLE_READER_H_
#define DATELINE_EXTRACTION_TABLE_READER_H_

#include <memory>

#include "absl/time/time.h"

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// One article for each row after the first, which names the columns.
std::unique_ptr<SourceReader> MakeTableReader(Input input, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_TABLE_READER_H_
