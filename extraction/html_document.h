// An HTML page as a flat tree, made by gumbo from markup that was first cut down to what extraction needs.
// Internal to extraction/.
//
// The cutting down is what makes gumbo safe and fast on hostile pages: scripts, styles, comments and most attributes
// never reach it; nesting is limited, because gumbo's work and its recursion grow with the depth; formatting elements
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

namespace dateline::extraction {

inline constexpr int32_t kNoNode = -1;

struct HtmlAttribute {
  absl::string_view name;   // Lower case.
  absl::string_view value;  // Entities decoded.
};

// Nodes stand in document order: the subtree of node i is [i, nodes[i].end).
struct HtmlNode {
  GumboTag tag = GUMBO_TAG_UNKNOWN;  // GUMBO_TAG_UNKNOWN for text.
  bool is_text = false;
  bool bold = false;  // A <b> or <strong>, which stand here as <span>.
  bool link = false;  // An <a> with an href, which stand here as <span>.
  int32_t parent = kNoNode;
  int32_t end = 0;
  int32_t first_attribute = 0;
  int32_t attribute_count = 0;
  absl::string_view text;  // Of text nodes: entities decoded, white space as it stands.
};

// The strings that nodes point to live as long as the document.
class HtmlDocument {
 public:
  // Parses `html` (valid UTF-8). ResourceExhausted if its markup would need more memory than a page may take.
  static absl::StatusOr<HtmlDocument> Parse(absl::string_view html);

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
  HtmlDocument() = default;
  const HtmlAttribute* Find(int32_t node, absl::string_view name) const;
  void Flatten(const GumboNode* root);
  void Reserve(const GumboNode* root);
  absl::string_view Keep(const char* text);

  std::vector<char> strings_;  // What the views of nodes and attributes point to; never moves.
  std::vector<HtmlNode> nodes_;
  std::vector<HtmlAttribute> attributes_;
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
