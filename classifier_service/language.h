// Tells the language of a text: by its script, and among languages of one script by letters or by the small words
// that only one of them uses. Good enough to decide whether a model may judge a text; no library of n-grams needed.
#ifndef DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_
#define DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::classifier {

// Returns a BCP 47 language tag ("en", "ar", "zh"), or "und" if the text is too short or too mixed to tell.
// Looks at the title and at most the first 4,000 bytes of the body. Takes any bytes; what is not UTF-8 counts as no
// letter. Pure and thread-safe.
std::string DetectLanguage(absl::string_view title, absl::string_view body);

// "en" for "en-GB", "EN" or "en_US"; empty for an empty tag.
std::string BaseLanguage(absl::string_view language_code);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_LANGUAGE_H_
