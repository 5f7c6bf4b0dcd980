// Newsletters as they come by mail: one message (EML) or a mailbox of them (mbox). Internal to extraction/.
#ifndef DATELINE_EXTRACTION_MAIL_READER_H_
#define DATELINE_EXTRACTION_MAIL_READER_H_

#include <memory>

#include "absl/time/time.h"

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// One article for each message, of which one at a time is held: subject, date, text (HTML rather than plain where there
// are both), and who wrote or published it. After it, at "message 1, forwarded message 1" and "message 1, attachment
// report.pdf", one for each message that is forwarded as an attachment (and for what it encloses), and for each
// attachment in HTML, plain text or PDF; an attachment takes title, date and source from its letter where it states
// none. A message without text of its own is no item if it encloses any of these.
//
// Other attachments that may hold text are named in a warning of the article, or in the error that stands for it;
// pictures, sounds, signatures and dates for a calendar are not. So are parts that are nested more than 50 deep, and
// those after the first 1,000 of a message. A message in which more than 50,000 lines may begin a part is an error.
std::unique_ptr<SourceReader> MakeMailReader(Input input, const SourceOptions& options, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_MAIL_READER_H_
