// What names tell: elements, roles and the words of class and id. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_HTML_HINTS_H_
#define DATELINE_EXTRACTION_HTML_HINTS_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "extraction/html_document.h"

namespace dateline::extraction {

enum class Hint : uint8_t {
  kNone,
  kBody,        // "article-body", itemprop=articleBody: the text is most likely in here.
  kContent,     // <article>, <main>, "content": the text may be in here.
  kNavigation,  // All from here on: not the text.
  kHeaderFooter,
  kSidebar,
  kRelated,
  kShare,
  kComments,
  kNewsletter,
  kConsent,
  kAdvertisement,
  kAuthorBox,
  kByline,
  kMeta,
  kTags,
  kCaption,
  kForm,
  kHidden,
  kSiteRule,    // A person said so.
  kStandfirst,  // Part of the article, but its summary.
};

inline bool IsBoilerplate(Hint hint) { return hint >= Hint::kNavigation && hint <= Hint::kSiteRule; }

// For people, as in Block::reason.
absl::string_view HintName(Hint hint);

// Remembers what it saw: pages repeat the same few class names thousands of times. Not thread-safe.
class HintReader {
 public:
  Hint Read(const HtmlDocument& document, int32_t node);

 private:
  Hint OfNames(absl::string_view names);

  absl::flat_hash_map<absl::string_view, Hint> by_names_;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_HINTS_H_
