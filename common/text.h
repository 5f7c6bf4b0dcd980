// Unicode text: validity, the one normal form in which every text is stored, and folding for comparisons.
//
// All functions are pure, thread-safe and take time linear in the length of the text, whatever it contains. Text that
// is plain ASCII never enters ICU. Texts must be shorter than 2 GiB.
#ifndef DATELINE_COMMON_TEXT_H_
#define DATELINE_COMMON_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace dateline::common {

// True if `text` is well-formed UTF-8: no surrogates, no over-long forms, nothing above U+10FFFF.
bool IsValidUtf8(absl::string_view text);

// The stored form of a text of several paragraphs:
//   - Unicode NFC; whatever is not UTF-8 becomes U+FFFD (one for each maximal ill-formed part);
//   - LF ends a line (CRLF, CR, NEL, U+2028 are replaced); exactly one blank line divides paragraphs (U+2029, and any
//     longer run of line ends, with or without blanks between);
//   - tabs are spaces, all other control characters and byte order marks are gone;
//   - no blanks at the ends of lines, none around the whole;
//   - no more than 30 combining marks follow a character (more is vandalism, and would make NFC slow).
// Idempotent: NormalizeText(NormalizeText(x)) == NormalizeText(x).
std::string NormalizeText(absl::string_view text);

// The stored form of a field of one line (a title, a name): as above, and every run of blanks and line ends is one
// space. Idempotent.
std::string NormalizeLine(absl::string_view text);

// The greatest code-point boundary of `text` that is not after `pos`; the length of `text` if `pos` is beyond its end.
// `text` must be valid UTF-8; otherwise the result still lies within [0, min(pos, size)].
size_t CodePointFloor(absl::string_view text, size_t pos);

// A form in which texts that differ only by case and diacritics are equal: "Élysée" and "elysee", "ŁÓDŹ" and "lodz",
// Arabic with and without vowel signs. Marks that are letters of their own (Devanagari vowel signs, for example) stay.
// Not for display. Idempotent.
std::string FoldForMatch(absl::string_view text);

// Whether a text holds tags of HTML that plain text never holds by chance. Not for taking them out.
bool HoldsHtml(absl::string_view text);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_TEXT_H_
