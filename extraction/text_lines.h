// Text whose lines were broken to a width: mail, PDF. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_TEXT_LINES_H_
#define DATELINE_EXTRACTION_TEXT_LINES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::extraction {

// `text` with each paragraph on one line, and a blank line between paragraphs. Lines that go on are joined (words that
// a hyphen divides at the end of a line, too); lines that end before the width of their paragraph and items of lists
// are kept apart, and a sentence that ends so ends a paragraph. Text that was not broken to a width stays as it is, but
// for blank lines.
std::string Unwrap(absl::string_view text);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_TEXT_LINES_H_
