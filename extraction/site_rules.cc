#include "extraction/site_rules.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/dates.h"
#include "extraction/html_document.h"
#include "extraction/html_scrub.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxLines = 20'000;
constexpr size_t kMaxSelectors = 50;  // Of one line.
constexpr size_t kMaxSteps = 16;      // Elements in one selector.
constexpr size_t kFirstField = 2;     // Among the groups of a rule's selectors, after select and drop.
constexpr char kSpaces[] = " \t\n\v\f\r";
constexpr std::array<absl::string_view, 6> kFields = {"title", "author", "published", "updated", "summary", "source"};

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || (c & 0x80) != 0;
}

// Reads a list of selectors; errors say what is wrong, without the line.
class SelectorParser {
 public:
  explicit SelectorParser(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Selector>> Parse() {
    std::vector<Selector> selectors;
    do {
      ASSIGN_OR_RETURN(Selector selector, ParseOne());
      selectors.push_back(std::move(selector));
      if (selectors.size() > kMaxSelectors) {
        return Wrong("holds too many selectors; divide it into several lines");
      }
    } while (Consume(','));
    if (pos_ < text_.size()) {
      return Wrong(absl::StrCat("'", text_.substr(pos_, 1),
                                "' is not understood; selectors may hold elements, .class, ",
                                "#id, [attribute=value], '>' and ','"));
    }
    return selectors;
  }

 private:
  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("\"", text_, "\": ", what));
  }

  void SkipSpace() {
    while (pos_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[pos_]))) {
      ++pos_;
    }
  }

  bool Consume(char c) {
    SkipSpace();
    if (pos_ < text_.size() && text_[pos_] == c) {
      ++pos_;
      return true;
    }
    return false;
  }

  std::string Name() {
    const size_t start = pos_;
    while (pos_ < text_.size() && IsNameByte(text_[pos_])) {
      ++pos_;
    }
    return std::string(text_.substr(start, pos_ - start));
  }

  absl::StatusOr<Selector> ParseOne() {
    Selector selector;
    bool child = false;
    SkipSpace();
    while (pos_ < text_.size() && text_[pos_] != ',') {
      ASSIGN_OR_RETURN(SimpleSelector simple, ParseSimple());
      simple.child = child;
      selector.push_back(std::move(simple));
      if (selector.size() > kMaxSteps) {
        return Wrong("is too long; name the elements close to the one that is meant");
      }
      child = Consume('>');
      SkipSpace();
      if (!StartsSimple()) {
        break;
      }
    }
    if (selector.empty() || child) {
      return Wrong(child ? "an element must follow '>'" : "names no element");
    }
    return selector;
  }

  bool StartsSimple() const {
    return pos_ < text_.size() && (IsNameByte(text_[pos_]) || absl::StrContains("*.#[", text_.substr(pos_, 1)));
  }

  absl::StatusOr<SimpleSelector> ParseSimple() {
    SimpleSelector simple;
    const size_t start = pos_;
    if (text_[pos_] == '*') {
      ++pos_;
    } else {
      simple.element = absl::AsciiStrToLower(Name());
      if (!simple.element.empty() && !IsKeptElement(simple.element)) {
        return Wrong(absl::StrCat("<", simple.element, "> can't be selected, because extraction does not look at such ",
                                  "elements; select the one around it, or by a class"));
      }
    }
    while (pos_ < text_.size()) {
      const char sign = text_[pos_];
      if (sign == '.' || sign == '#') {
        ++pos_;
        std::string name = Name();
        if (name.empty()) {
          return Wrong(absl::StrCat("a name must follow '", std::string(1, sign), "'"));
        }
        if (sign == '#') {
          simple.id = std::move(name);
        } else {
          simple.classes.push_back(std::move(name));
        }
      } else if (sign == '[') {
        RETURN_IF_ERROR(ParseAttribute(&simple));
      } else {
        break;
      }
    }
    if (pos_ == start) {
      return Wrong(absl::StrCat("'", text_.substr(pos_, 1),
                                "' is not understood; selectors may hold elements, .class, ",
                                "#id, [attribute=value], '>' and ','"));
    }
    return simple;
  }

  absl::Status ParseAttribute(SimpleSelector* simple) {
    ++pos_;
    const std::string name = absl::AsciiStrToLower(Name());
    if (name.empty() || !IsKeptAttribute(name)) {
      return Wrong(absl::StrCat("[", name, "]: extraction keeps no such attribute; there are ", KeptAttributes()));
    }
    if (Consume(']')) {
      simple->present.push_back(name);
      return absl::OkStatus();
    }
    if (!Consume('=')) {
      return Wrong(absl::StrCat("[", name, ": '=' or ']' must follow"));
    }
    std::string value;
    SkipSpace();
    if (pos_ < text_.size() && (text_[pos_] == '"' || text_[pos_] == '\'')) {
      const size_t end = text_.find(text_[pos_], pos_ + 1);
      if (end == absl::string_view::npos) {
        return Wrong("a quotation mark is missing");
      }
      value = std::string(text_.substr(pos_ + 1, end - pos_ - 1));
      pos_ = end + 1;
    } else {
      value = Name();
    }
    if (!Consume(']')) {
      return Wrong(absl::StrCat("[", name, "=", value, ": ']' must follow; put values with other signs in quotes"));
    }
    simple->attributes.emplace_back(name, std::move(value));
    return absl::OkStatus();
  }

  absl::string_view text_;
  size_t pos_ = 0;
};

absl::StatusOr<FieldRule> ParseField(absl::string_view key, absl::string_view value) {
  FieldRule field;
  field.line = std::string(value);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    field.text = std::string(absl::StripAsciiWhitespace(value.substr(1, value.size() - 2)));
    if (field.text.empty()) {
      return absl::InvalidArgumentError("the value in quotes is empty; leave the line out instead");
    }
    if ((key == "published" || key == "updated") && !FindDate(field.text)) {
      return absl::InvalidArgumentError(absl::StrCat(
          value,
          " is no date; write one as in \"2024-04-22\", or without quotes the selector of an element that holds one"));
    }
    return field;
  }
  const size_t at = value.rfind('@');
  if (at != absl::string_view::npos) {
    field.attribute = absl::AsciiStrToLower(absl::StripAsciiWhitespace(value.substr(at + 1)));
    if (!IsKeptAttribute(field.attribute)) {
      return absl::InvalidArgumentError(
          absl::StrCat("@", field.attribute, ": extraction keeps no such attribute; there are ", KeptAttributes()));
    }
    value = absl::StripAsciiWhitespace(value.substr(0, at));
  }
  ASSIGN_OR_RETURN(field.selectors, SelectorParser(value).Parse());
  return field;
}

absl::Status AddLine(absl::string_view key, absl::string_view value, SiteRule* rule) {
  if (key == "select" || key == "drop") {
    ASSIGN_OR_RETURN(std::vector<Selector> selectors, SelectorParser(value).Parse());
    std::vector<Selector>& all = key == "select" ? rule->select : rule->drop;
    std::move(selectors.begin(), selectors.end(), std::back_inserter(all));
    if (key == "select") {
      absl::StrAppend(&rule->select_line, rule->select_line.empty() ? "" : ", ", value);
    }
    return absl::OkStatus();
  }
  const bool label = absl::StartsWith(key, "label.") && key.size() > 6;
  if (!label && std::find(kFields.begin(), kFields.end(), key) == kFields.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is no rule; there are select, drop, ", absl::StrJoin(kFields, ", "), " and label.KIND"));
  }
  ASSIGN_OR_RETURN(FieldRule field, ParseField(key, value));
  rule->fields.emplace_back(std::string(key), std::move(field));
  return absl::OkStatus();
}

bool IsHostName(absl::string_view host) {
  return host == "*" || (!host.empty() && host.size() <= 253 && host.front() != '.' && host.back() != '.' &&
                         std::all_of(host.begin(), host.end(), [](char c) { return IsNameByte(c) || c == '.'; }));
}

bool HasClass(absl::string_view classes, absl::string_view name) {
  for (size_t at = classes.find(name); at != absl::string_view::npos; at = classes.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || absl::ascii_isspace(static_cast<unsigned char>(classes[at - 1]))) &&
        (end == classes.size() || absl::ascii_isspace(static_cast<unsigned char>(classes[end])))) {
      return true;
    }
  }
  return false;
}

bool IsElement(const HtmlNode& node, absl::string_view name) {
  if (name.empty()) {
    return true;
  }
  if (name == "a") {
    return node.link;
  }
  if (name == "b" || name == "strong") {
    return node.bold;
  }
  return node.tag != GUMBO_TAG_UNKNOWN && name == gumbo_normalized_tagname(node.tag) &&
         (name != "span" || (!node.link && !node.bold));
}

bool Matches(const HtmlDocument& document, int32_t i, const SimpleSelector& simple) {
  if (!IsElement(document.node(i), simple.element) ||
      (!simple.id.empty() && document.Attribute(i, "id") != simple.id)) {
    return false;
  }
  const absl::string_view classes = simple.classes.empty() ? absl::string_view() : document.Attribute(i, "class");
  return std::all_of(simple.classes.begin(), simple.classes.end(),
                     [&](const std::string& name) { return HasClass(classes, name); }) &&
         std::all_of(simple.attributes.begin(), simple.attributes.end(),
                     [&](const auto& pair) { return document.Attribute(i, pair.first) == pair.second; }) &&
         std::all_of(simple.present.begin(), simple.present.end(),
                     [&](const std::string& name) { return document.HasAttribute(i, name); });
}

// Of what a file says, so much as a message needs.
std::string Shortened(absl::string_view text) {
  constexpr size_t kMaxBytes = 80;
  return text.size() <= kMaxBytes ? std::string(text)
                                  : absl::StrCat(text.substr(0, common::CodePointFloor(text, kMaxBytes)), "…");
}

absl::Status WrongLine(size_t number, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
}

}  // namespace

// Matches the selectors of several groups at once. Immutable.
//
// Each step of each selector is a state, which an element reaches if it meets the step's conditions and the state
// before was reached by an element around it, or by its parent. A walk in document order needs to keep, for each state,
// the elements around that have reached it.
class SelectorMatcher {
 public:
  explicit SelectorMatcher(const std::vector<const std::vector<Selector>*>& groups) : groups_(groups.size()) {
    for (size_t group = 0; group < groups.size(); ++group) {
      for (const Selector& selector : *groups[group]) {
        for (size_t step = 0; step < selector.size(); ++step) {
          const auto state = static_cast<int32_t>(states_.size());
          states_.push_back({.simple = selector[step],
                             .before = step == 0 ? kNone : state - 1,
                             .group = step + 1 == selector.size() ? static_cast<int32_t>(group) : kNone});
          BucketOf(selector[step]).push_back(state);
        }
      }
    }
  }

  // By group, the nodes that one of its selectors matches; of groups from `limited` on the first `limit` alone.
  // Sets `complete` to false, if it isn't null, where it gave up after kMaxRuleComparisons.
  std::vector<std::vector<int32_t>> Match(const HtmlDocument& document, size_t limited, size_t limit,
                                          bool* complete = nullptr) const {
    int64_t comparisons = 0;
    std::vector<std::vector<int32_t>> nodes(groups_);
    std::vector<std::vector<int32_t>> reached(states_.size());  // By state, the elements that are open and reached it.
    std::vector<int32_t> seen(buckets_.size(), kNoNode);        // By bucket, the element that it was tried on last.
    std::vector<int32_t> states;                                // Those that the open elements reached.
    struct Open {
      int32_t end;
      size_t first;  // Its first state.
    };
    std::vector<Open> open;
    for (int32_t i = 0; i < document.size(); ++i) {
      for (; !open.empty() && open.back().end <= i; open.pop_back()) {
        for (; states.size() > open.back().first; states.pop_back()) {
          reached[static_cast<size_t>(states.back())].pop_back();
        }
      }
      const HtmlNode& node = document.node(i);
      if (node.is_text) {
        continue;
      }
      const size_t first = states.size();
      ForEachBucket(document, i, [&](size_t bucket) {
        if (std::exchange(seen[bucket], i) == i) {
          return;
        }
        comparisons += static_cast<int64_t>(buckets_[bucket].size());
        for (const int32_t place : buckets_[bucket]) {
          const State& state = states_[static_cast<size_t>(place)];
          if (state.before != kNone) {
            const std::vector<int32_t>& before = reached[static_cast<size_t>(state.before)];
            if (before.empty() || (state.simple.child && before.back() != node.parent)) {
              continue;
            }
          }
          if (Matches(document, i, state.simple)) {
            states.push_back(place);
          }
        }
      });
      if (complete != nullptr && comparisons > kMaxRuleComparisons) {
        *complete = false;
        return nodes;
      }
      open.push_back({node.end, first});
      for (size_t at = first; at < states.size(); ++at) {
        reached[static_cast<size_t>(states[at])].push_back(i);
        const int32_t group = states_[static_cast<size_t>(states[at])].group;
        if (group == kNone) {
          continue;
        }
        std::vector<int32_t>& found = nodes[static_cast<size_t>(group)];
        if ((found.empty() || found.back() != i) && (static_cast<size_t>(group) < limited || found.size() < limit)) {
          found.push_back(i);
        }
      }
    }
    return nodes;
  }

 private:
  static constexpr int32_t kNone = -1;
  using Buckets = absl::flat_hash_map<std::string, size_t>;

  struct State {
    SimpleSelector simple;
    int32_t before = kNone;
    int32_t group = kNone;  // Of the last step: that of its selector.
  };

  // Where the states are that an element without this id, class or name can't reach.
  std::vector<int32_t>& BucketOf(const SimpleSelector& simple) {
    const auto bucket = [this](Buckets* buckets, const std::string& name) -> std::vector<int32_t>& {
      const size_t place = buckets->try_emplace(name, buckets_.size()).first->second;
      buckets_.resize(std::max(buckets_.size(), place + 1));
      return buckets_[place];
    };
    return !simple.id.empty()        ? bucket(&by_id_, simple.id)
           : !simple.classes.empty() ? bucket(&by_class_, simple.classes[0])
           : !simple.element.empty() ? bucket(&by_element_, simple.element == "strong" ? "b" : simple.element)
                                     : bucket(&others_, "");
  }

  // Calls `take` for the buckets of node `i`, for some perhaps more than once.
  template <typename Take>
  void ForEachBucket(const HtmlDocument& document, int32_t i, Take take) const {
    const auto look_up = [&take](const Buckets& buckets, absl::string_view name) {
      if (const auto found = buckets.find(name); found != buckets.end()) {
        take(found->second);
      }
    };
    if (!by_id_.empty()) {
      look_up(by_id_, document.Attribute(i, "id"));
    }
    if (!by_class_.empty()) {
      for (const absl::string_view name :
           absl::StrSplit(document.Attribute(i, "class"), absl::ByAnyChar(kSpaces), absl::SkipEmpty())) {
        look_up(by_class_, name);
      }
    }
    if (!by_element_.empty()) {
      const HtmlNode& node = document.node(i);
      look_up(by_element_, node.tag == GUMBO_TAG_UNKNOWN ? "" : gumbo_normalized_tagname(node.tag));
      look_up(by_element_, node.link ? "a" : "");
      look_up(by_element_, node.bold ? "b" : "");
    }
    look_up(others_, "");
  }

  size_t groups_;
  std::vector<State> states_;
  std::vector<std::vector<int32_t>> buckets_;  // States.
  Buckets by_id_;
  Buckets by_class_;
  Buckets by_element_;
  Buckets others_;  // One at most.
};

absl::StatusOr<SiteRules> SiteRules::Parse(absl::string_view text) {
  if (!common::IsValidUtf8(text)) {
    return absl::InvalidArgumentError("is not UTF-8; save it so");
  }
  SiteRules rules;
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  size_t number = 0;
  size_t selectors = 0;  // Of the fields of the section.
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (++number > kMaxLines) {
      return WrongLine(number, absl::StrCat("there may be ", kMaxLines, " lines at most"));
    }
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    if (line.front() == '[') {
      if (line.back() != ']') {
        return WrongLine(number, "']' is missing after the host names");
      }
      rules.rules_.emplace_back();
      selectors = 0;
      for (absl::string_view host : absl::StrSplit(line.substr(1, line.size() - 2), ',')) {
        host = absl::StripAsciiWhitespace(host);
        absl::ConsumePrefix(&host, "www.");
        std::string name = absl::AsciiStrToLower(host);
        if (!IsHostName(name)) {
          return WrongLine(number, absl::StrCat("\"", name, "\" is no host name; write it as in example.org"));
        }
        std::string& hosts = rules.rules_.back().hosts;
        absl::StrAppend(&hosts, hosts.empty() ? "" : ", ", name);
        if (!rules.hosts_.emplace(name, rules.rules_.size() - 1).second) {
          return WrongLine(number, absl::StrCat("\"", name, "\" has rules already; join the two sections"));
        }
      }
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) {
      return WrongLine(number, "is neither [host] nor a rule such as \"drop = .promo\"");
    }
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, equals));
    if (rules.rules_.empty()) {
      return WrongLine(number, absl::StrCat(key, ": stands before the first [host]"));
    }
    const absl::Status added = AddLine(key, absl::StripAsciiWhitespace(line.substr(equals + 1)), &rules.rules_.back());
    if (!added.ok()) {
      return WrongLine(number, absl::StrCat(key, ": ", added.message()));
    }
    const SiteRule& rule = rules.rules_.back();
    selectors += key == "select" || key == "drop" ? 0 : rule.fields.back().second.selectors.size();
    if (rule.select.size() + rule.drop.size() + selectors > kMaxSiteSelectors) {
      return WrongLine(
          number, absl::StrCat(key, ": is beyond the ", kMaxSiteSelectors, " selectors that [", Shortened(rule.hosts),
                               "] may have in all; name an element around several of those, or leave out "
                               "what matches nothing any more"));
    }
  }
  for (SiteRule& rule : rules.rules_) {
    std::vector<const std::vector<Selector>*> groups = {&rule.select, &rule.drop};
    for (const auto& [name, field] : rule.fields) {
      groups.push_back(&field.selectors);
    }
    rule.matcher = std::make_shared<const SelectorMatcher>(groups);
  }
  return rules;
}

std::string PlaceOf(const HtmlDocument& document, int32_t node) {
  constexpr size_t kMaxClasses = 6;
  constexpr size_t kMaxNameBytes = 80;
  const auto is_name = [](absl::string_view name) {
    return !name.empty() && name.size() <= kMaxNameBytes && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
           std::all_of(name.begin(), name.end(), IsNameByte);
  };
  std::vector<std::string> steps;
  for (; node != kNoNode && steps.size() < size_t{kMaxPlaceSteps}; node = document.node(node).parent) {
    const HtmlNode& element = document.node(node);
    if (element.tag == GUMBO_TAG_HTML || element.tag == GUMBO_TAG_BODY) {
      break;
    }
    const absl::string_view tag = element.link                       ? "a"
                                  : element.bold                     ? "b"
                                  : element.tag == GUMBO_TAG_UNKNOWN ? ""
                                                                     : gumbo_normalized_tagname(element.tag);
    std::string step(IsKeptElement(tag) ? tag : "*");
    const absl::string_view id = document.Attribute(node, "id");
    if (is_name(id)) {
      absl::StrAppend(&step, "#", id);
    }
    size_t classes = 0;
    for (const absl::string_view name :
         absl::StrSplit(document.Attribute(node, "class"), absl::ByAnyChar(" \t\n\r\f"), absl::SkipEmpty())) {
      if (classes < kMaxClasses && is_name(name)) {
        absl::StrAppend(&step, ".", name);
        ++classes;
      }
    }
    steps.push_back(std::move(step));
  }
  std::reverse(steps.begin(), steps.end());
  return absl::StrJoin(steps, " > ");
}

RuleMatches MatchRule(const HtmlDocument& document, const SiteRule& rule) {
  RuleMatches matches;
  std::vector<std::vector<int32_t>> nodes =
      rule.matcher->Match(document, kFirstField, kMaxFieldMatches, &matches.complete);
  matches.select = std::move(nodes[0]);
  matches.drop = std::move(nodes[1]);
  matches.fields.assign(std::make_move_iterator(nodes.begin() + kFirstField), std::make_move_iterator(nodes.end()));
  return matches;
}

std::vector<int32_t> SelectNodes(const HtmlDocument& document, const std::vector<Selector>& selectors) {
  return std::move(SelectorMatcher({&selectors}).Match(document, 1, 0)[0]);
}

const SiteRule* SiteRules::Find(absl::string_view url) const {
  const size_t scheme = url.find("://");
  if (scheme != absl::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t user = url.rfind('@');
  if (user != absl::string_view::npos) {
    url.remove_prefix(user + 1);
  }
  const std::string host = absl::AsciiStrToLower(url.substr(0, url.find(':')));
  // The host itself, then without one label after another from its front, then what is for every host.
  for (absl::string_view name = host; !name.empty();) {
    if (const auto found = hosts_.find(name); found != hosts_.end()) {
      return &rules_[found->second];
    }
    const size_t dot = name.find('.');
    name.remove_prefix(dot == absl::string_view::npos ? name.size() : dot + 1);
  }
  const auto every = hosts_.find("*");
  return every == hosts_.end() ? nullptr : &rules_[every->second];
}

}  // namespace dateline::extraction
