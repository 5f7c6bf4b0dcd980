// Tells the language of a text, by CLD2 (https://github.com/CLD2Owners/cld2): 83 languages, by quadgrams and scripts.
#ifndef DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_
#define DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::classifier {

// Returns a BCP 47 language tag ("en", "ar", "zh", "zh-Hant"), or "und" if the text is too short or too mixed to tell.
// Looks at the title and the beginning of the body, some 1,000 bytes. Takes any bytes; what is not UTF-8 ends what is
// looked at. Pure and thread-safe.
std::string DetectLanguage(absl::string_view title, absl::string_view body);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_
