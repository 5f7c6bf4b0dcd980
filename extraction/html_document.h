// An HTML page as a flat tree, made by gumbo from markup that was first cut down to what extraction needs.
// Internal to extraction/.
//
// The cutting down is what makes gumbo safe and fast on hostile pages: scripts, styles, comments and attributes never
// reach it (but for those few attributes that hold entities); nesting is limited, because gumbo's work and its
// recursion grow with the depth; formatting elements
// (<b>, <font>, <a>, …), whose repair may multiply nodes, are renamed to plain ones.
#ifndef DATELINE_EXTRACTION_HTML_DOCUMENT_H_
#define DATELINE_EXTRACTION_HTML_DOCUMENT_H_

#include <gumbo.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "extraction/html_scrub.h"

namespace dateline::extraction {

inline constexpr int32_t kNoNode = -1;

// Nodes stand in document order: the subtree of node i is [i, nodes[i].end).
struct HtmlNode {
  GumboTag tag = GUMBO_TAG_UNKNOWN;  // GUMBO_TAG_UNKNOWN for text.
  bool is_text = false;
  bool bold = false;  // A <b> or <strong>, which stand here as <span>.
  bool link = false;  // An <a> with an href, which stand here as <span>.
  int32_t parent = kNoNode;
  int32_t end = 0;
  uint32_t first_attribute = 0;
  uint32_t attribute_count = 0;
  absl::string_view text;  // Of text nodes: entities decoded, white space as it stands.
};

// The strings that nodes point to live as long as the document.
class HtmlDocument {
 public:
  // Parses `html` (valid UTF-8). ResourceExhausted if its markup would need more memory than a page may take.
  static absl::StatusOr<HtmlDocument> Parse(absl::string_view html);
  // The same, and frees `html` as soon as it can: parsing takes many times as much.
  static absl::StatusOr<HtmlDocument> ParseAndFree(std::string html);

  HtmlDocument(HtmlDocument&&) = default;
  HtmlDocument& operator=(HtmlDocument&&) = default;

  const std::vector<HtmlNode>& nodes() const { return nodes_; }
  const HtmlNode& node(int32_t i) const { return nodes_[static_cast<size_t>(i)]; }
  int32_t size() const { return static_cast<int32_t>(nodes_.size()); }

  // The attribute's value, "" if it isn't there. Only those that extraction looks at were kept.
  absl::string_view Attribute(int32_t node, absl::string_view name) const;
  bool HasAttribute(int32_t node, absl::string_view name) const;

  // All text below `node`, white space collapsed, block elements set apart by spaces.
  std::string Text(int32_t node) const;

  const std::string& language() const { return language_; }    // <html lang>.
  const std::string& direction() const { return direction_; }  // <html dir>.
  // A few lines of markup without scripts: made by hand, or by a server that has nothing to say.
  bool bare() const { return bare_; }
  bool has_script() const { return has_script_; }
  const std::vector<std::string>& json_ld() const { return json_ld_; }  // <script type="application/ld+json">.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // A node in 12 bytes, which is what is held of it while gumbo's tree is there, too.
  struct Seed {
    int32_t parent = kNoNode;
    uint32_t value = 0;  // Of text: its size; of elements: the first attribute.
    uint16_t tag = 0;
    uint8_t attribute_count = 0;
    bool is_text : 1 = false;
    bool bold : 1 = false;
    bool link : 1 = false;
  };

  HtmlDocument() = default;
  static absl::StatusOr<HtmlDocument> Parse(ScrubbedHtml scrubbed, size_t size);
  const ScrubbedAttribute* Find(int32_t node, absl::string_view name) const;
  std::vector<Seed> TakeTexts(const GumboNode* root, const std::vector<ScrubbedTag>& tags, uintptr_t markup);
  void ReadElement(const GumboElement& element, const std::vector<ScrubbedTag>& tags, uintptr_t markup, Seed* seed);
  void Grow(const std::vector<Seed>& seeds);

  std::vector<char> strings_;  // What the views of nodes point to; never moves.
  std::vector<HtmlNode> nodes_;
  std::vector<ScrubbedAttribute> attributes_;
  std::string values_;  // Of attributes.
  std::string language_;
  std::string direction_;
  bool bare_ = false;
  bool has_script_ = false;
  std::vector<std::string> json_ld_;
  std::vector<std::string> warnings_;
};

// The text of a piece of HTML such as a title with entities, or a feed's summary.
std::string HtmlToText(absl::string_view html);

// True for elements that begin and end a line: paragraphs, headings, sections, list items, table parts, …
bool IsBlockTag(GumboTag tag);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_HTML_DOCUMENT_H_
