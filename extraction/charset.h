// From bytes to UTF-8. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_CHARSET_H_
#define DATELINE_EXTRACTION_CHARSET_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::extraction {

struct DecodedText {
  std::string text;     // Valid UTF-8, without a byte order mark. Not yet normalised.
  std::string charset;  // What the bytes were taken for, in lower case.
  std::vector<std::string> warnings;
};

// True if `bytes` begin as text in UTF-16: with its mark, or, without one, so that it can be nothing else.
bool IsUtf16(absl::string_view bytes);

// True if `bytes` are no text in any encoding: a PDF, an image, an archive, a program, or mostly control characters.
bool IsBinary(absl::string_view bytes);

// Decodes `bytes`. A byte order mark wins; bytes that are UTF-8 (and not plain ASCII) are UTF-8 whatever is declared;
// then `declared` (as the server said), the page's own declaration (<meta charset>, <?xml encoding?>), detection by
// ICU. What can't be decoded becomes U+FFFD, with a warning; so does what was encoded as UTF-8 twice over ("â€™",
// "РџСЂ"), which is repaired where nothing in the text speaks against it.
DecodedText DecodeText(absl::string_view bytes, absl::string_view declared);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_CHARSET_H_
