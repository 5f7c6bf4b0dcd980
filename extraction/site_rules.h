// What a person says about the pages of a site, where the extractor gets them wrong: where the text is, what of it to
// leave out, where title, author and date stand.
//
// A file of rules is made of sections, one for each site, which begin with a line of hosts, such as "[example.org]". A
// line such as "drop = .promo, aside.related" follows for each rule; docs/site-rules.md says which there are.
//
// Selectors are those of CSS with element, .class, #id, [attribute], [attribute=value], descendant, child (>) and
// lists. They see the page as the extractor does: scripts, forms' controls and text-level elements such as <em> are not
// in it.
#ifndef DATELINE_EXTRACTION_SITE_RULES_H_
#define DATELINE_EXTRACTION_SITE_RULES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::extraction {

class HtmlDocument;
class SelectorMatcher;

// The most selectors that a section may have in all its lines. Each may cost a look at each element of a page.
inline constexpr size_t kMaxSiteSelectors = 2000;

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
  std::string line;       // The rule as the file has it, for messages.
};

// The rules of one site.
struct SiteRule {
  std::string hosts;  // "example.org, example.net"; for messages, like the next.
  std::string select_line;
  std::vector<Selector> select;
  std::vector<Selector> drop;
  std::vector<std::pair<std::string, FieldRule>> fields;  // "title", "author", …, "label.country"; in the file's order.
  std::shared_ptr<const SelectorMatcher> matcher;         // Of all selectors above.
};

// Immutable: safe to share between threads.
class SiteRules {
 public:
  // Reads the text of a file of rules. InvalidArgument, naming line, rule and remedy, if it isn't one.
  static absl::StatusOr<SiteRules> Parse(absl::string_view text);

  // The rules for pages from `url`; null if there are none. Of several the one for the longest host name.
  const SiteRule* Find(absl::string_view url) const;

  size_t size() const { return rules_.size(); }

 private:
  std::vector<SiteRule> rules_;
  std::map<std::string, size_t, std::less<>> hosts_;  // Lower case, with the place of their rule.
};

// Where `node` stands, as a selector that matches it: "div#main > aside.promo > p". Of the elements around it at most
// kMaxPlaceSteps, the innermost; names that no selector can hold are left out.
inline constexpr int kMaxPlaceSteps = 12;
std::string PlaceOf(const HtmlDocument& document, int32_t node);

// What the selectors of a rule match on one page: nodes in document order.
struct RuleMatches {
  std::vector<int32_t> select;
  std::vector<int32_t> drop;
  std::vector<std::vector<int32_t>> fields;  // As SiteRule::fields; of each the first kMaxFieldMatches.
  bool complete = true;                      // False: given up after kMaxRuleComparisons.
};
// So many looks of a selector at an element are taken on one page, which is a matter of seconds. Rules that are read
// off pages take thousands; two thousand selectors with nothing but names of elements take more on a page of 2 MB.
inline constexpr int64_t kMaxRuleComparisons = 50'000'000;
// The reason that the error of such a page carries.
inline constexpr char kRulesTakeTooLong[] = "SITE_RULES_TAKE_TOO_LONG";
inline constexpr size_t kMaxFieldMatches = 1000;

// The document is walked once, and an element is compared only with selectors in which one of its classes, its id or
// its name stands, or none of these. The time is that of these comparisons: usually of the order of the document's
// size, at most the number of steps of all selectors times that, and kMaxRuleComparisons.
RuleMatches MatchRule(const HtmlDocument& document, const SiteRule& rule);

// The nodes that one of `selectors` matches, in document order, in the same way.
std::vector<int32_t> SelectNodes(const HtmlDocument& document, const std::vector<Selector>& selectors);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_SITE_RULES_H_
