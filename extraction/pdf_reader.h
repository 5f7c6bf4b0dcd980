// The text of a PDF. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_PDF_READER_H_
#define DATELINE_EXTRACTION_PDF_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// What a PDF may take. One that takes more is an error, but for its pages: those beyond are left out, with a warning.
struct PdfLimits {
  int max_pages = 500;
  absl::Duration timeout = absl::Seconds(20);  // On the clock; of computing time the same.
  size_t max_memory_bytes = 1'000'000'000;     // Of the process that reads it, beside its code.
  size_t max_text_bytes = 8'000'000;
};

// One article: title from the document's own properties where they have one that is no file's name, else what stands in
// the largest type at the top of its first page, else its first heading; paragraphs in reading order, without what
// stands at the head or foot of every page.
//
// The PDF is read by `pdftotext` (Debian's poppler-utils) in a process of its own with limits on time and memory and no
// more than it needs: readers of PDF are large, and some files make them loop or crash. FailedPrecondition if that
// program is not installed; InvalidArgument, reason MALFORMED_PDF, for files that it can't read, NOT_AN_ARTICLE for
// PDFs without text (scans).
absl::StatusOr<Extraction> ExtractPdf(absl::string_view pdf, absl::string_view url, absl::Time now,
                                      const PdfLimits& limits = {});

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_PDF_READER_H_
