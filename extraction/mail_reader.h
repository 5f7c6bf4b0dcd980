// Newsletters as they come by mail: one message (EML) or a mailbox of them (mbox). Internal to extraction/.
#ifndef DATELINE_EXTRACTION_MAIL_READER_H_
#define DATELINE_EXTRACTION_MAIL_READER_H_

#include <memory>

#include "absl/time/time.h"

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// One article for each message, of which one at a time is held: subject, date, text (HTML rather than plain where there
// are both), and who wrote or published it. Attachments are left alone.
std::unique_ptr<SourceReader> MakeMailReader(Input input, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_MAIL_READER_H_
