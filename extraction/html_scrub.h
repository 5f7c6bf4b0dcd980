// Cuts markup down before it is parsed. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_HTML_SCRUB_H_
#define DATELINE_EXTRACTION_HTML_SCRUB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::extraction {

// An attribute of the page, in 12 bytes: its name is one of few, and its value often that of others.
struct ScrubbedAttribute {
  uint8_t name = 0;  // See AttributeName.
  uint32_t value_start = 0;
  uint32_t value_size = 0;
};

// What a start tag in the scrubbed markup says beside its name.
struct ScrubbedTag {
  uint32_t offset = 0;      // Of its '<'.
  uint32_t attributes = 0;  // Where in ScrubbedHtml::attributes its own begin.
  uint8_t attribute_count = 0;
  bool bold = false;
  bool link = false;
};

struct ScrubbedHtml {
  std::string html;  // Plain, well-bounded markup that means the same to an extractor.
  // The attributes of its tags, kept from the parser, which would take some 150 bytes for each. Those alone whose value
  // has an entity stand in the markup.
  std::vector<ScrubbedTag> tags;  // In their order; of those that have attributes, or are bold or links.
  std::vector<ScrubbedAttribute> attributes;
  std::string values;
  std::string language;   // <html lang>.
  std::string direction;  // <html dir> or <body dir>, lower case.
  bool has_script = false;
  std::vector<std::string> json_ld;  // Contents of <script type="application/ld+json">.
  std::vector<std::string> warnings;
};

// In what comes out
//   - there are no scripts, styles, comments, templates, pictures, form controls, no <html>, <head>, <body>;
//   - no more than kMaxElements elements, nested no deeper than kMaxDepth; the text beyond stays;
//   - attributes are those that extraction looks at, each at most kMaxAttributeBytes long;
//   - <a href> is <span data-a>, whose value is the address of authors' pages, "/" for the front page, else nothing;
//     bold text is <span>, and marked so in `tags`, other text-level markup is gone, elements of unknown name are <div>
//     (<span> within a paragraph) with their name as class.
// Takes time linear in the length of `html`.
inline constexpr int kMaxDepth = 256;
inline constexpr int kMaxElements = 400'000;
inline constexpr int kMaxAttributeBytes = 4096;
ScrubbedHtml ScrubHtml(absl::string_view html);

// The name that ScrubbedAttribute::name stands for, and the reverse; of a name that never comes out, -1.
absl::string_view AttributeName(uint8_t name);
int AttributeNumber(absl::string_view name);

// True for the names of elements that come out, as themselves or as what stands for them (see above).
bool IsKeptElement(absl::string_view name);
// True for the names of attributes that come out; all of them, for messages to people.
bool IsKeptAttribute(absl::string_view name);
std::string KeptAttributes();

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_SCRUB_H_
