// What a person says about the pages of a site, where the extractor gets them wrong: where the text is, what of it to
// leave out, where title, author and date stand.
//
// A file of rules is made of sections, one for each site:
//
//   # A comment.
//   [example.org, example.net]         Hosts; their subdomains are meant, too. [*] is every host without rules of its
//   own. select    = article .story-body    The text is looked for in these elements alone. drop      = .promo,
//   aside.related  These, and all they hold, are left out. May stand more than once. title     = h1.headline The text
//   of the first such element is the title. Likewise: author (of all such published = time.pub @datetime     elements),
//   published, updated, summary, source. "@datetime": the attribute's value. label.country = .filed-under a Publisher's
//   labels of the kind "country". source    = "The Harbour Review"   In quotes: the value itself.
//
// Selectors are those of CSS with element, .class, #id, [attribute], [attribute=value], descendant, child (>) and
// lists. They see the page as the extractor does: scripts, forms' controls and text-level elements such as <em> are not
// in it.
#ifndef DATELINE_EXTRACTION_SITE_RULES_H_
#define DATELINE_EXTRACTION_SITE_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::extraction {

class HtmlDocument;

// One element's conditions.
struct SimpleSelector {
  std::string element;  // Lower case; empty: any.
  std::string id;
  std::vector<std::string> classes;
  std::vector<std::pair<std::string, std::string>> attributes;  // Name and value.
  std::vector<std::string> present;                             // Names of attributes that must be there.
  bool child = false;  // Its parent must match the selector before it, not just any element around it.
};

// "article > .body p": the element itself last.
using Selector = std::vector<SimpleSelector>;

// Where a field's value is found.
struct FieldRule {
  std::vector<Selector> selectors;
  std::string attribute;  // Empty: the element's text.
  std::string text;       // If not empty: the value itself.
};

// The rules of one site.
struct SiteRule {
  std::vector<Selector> select;
  std::vector<Selector> drop;
  std::vector<std::pair<std::string, FieldRule>> fields;  // "title", "author", …, "label.country"; in the file's order.
};

// Immutable: safe to share between threads.
class SiteRules {
 public:
  // Reads the text of a file of rules. InvalidArgument, naming the line and the remedy, if it isn't one.
  static absl::StatusOr<SiteRules> Parse(absl::string_view text);

  // The rules for pages from `url`; null if there are none. Of several the one for the longest host name.
  const SiteRule* Find(absl::string_view url) const;

  size_t size() const { return rules_.size(); }

 private:
  std::vector<SiteRule> rules_;
  std::vector<std::pair<std::string, size_t>> hosts_;  // Lower case, with the place of their rule.
};

// Where `node` stands, as a selector that matches it: "div#main > aside.promo > p". Of the elements around it at most
// kMaxPlaceSteps, the innermost; names that no selector can hold are left out.
inline constexpr int kMaxPlaceSteps = 12;
std::string PlaceOf(const HtmlDocument& document, int32_t node);

// The nodes that one of `selectors` matches, in document order. Time is linear in the document's size.
std::vector<int32_t> SelectNodes(const HtmlDocument& document, const std::vector<Selector>& selectors);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_SITE_RULES_H_
