#include "extraction/site_rules.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

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
#include "extraction/html_document.h"
#include "extraction/html_scrub.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxLines = 20'000;
constexpr size_t kMaxSelectors = 50;  // Of one line.
constexpr size_t kMaxSteps = 16;      // Elements in one selector.
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

absl::StatusOr<FieldRule> ParseField(absl::string_view value) {
  FieldRule field;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    field.text = std::string(absl::StripAsciiWhitespace(value.substr(1, value.size() - 2)));
    if (field.text.empty()) {
      return absl::InvalidArgumentError("the value in quotes is empty; leave the line out instead");
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
    return absl::OkStatus();
  }
  const bool label = absl::StartsWith(key, "label.") && key.size() > 6;
  if (!label && std::find(kFields.begin(), kFields.end(), key) == kFields.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is no rule; there are select, drop, ", absl::StrJoin(kFields, ", "), " and label.KIND"));
  }
  ASSIGN_OR_RETURN(FieldRule field, ParseField(value));
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

absl::Status WrongLine(size_t number, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
}

}  // namespace

absl::StatusOr<SiteRules> SiteRules::Parse(absl::string_view text) {
  if (!common::IsValidUtf8(text)) {
    return absl::InvalidArgumentError("is not UTF-8; save it so");
  }
  SiteRules rules;
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  size_t number = 0;
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
      for (absl::string_view host : absl::StrSplit(line.substr(1, line.size() - 2), ',')) {
        host = absl::StripAsciiWhitespace(host);
        absl::ConsumePrefix(&host, "www.");
        std::string name = absl::AsciiStrToLower(host);
        if (!IsHostName(name)) {
          return WrongLine(number, absl::StrCat("\"", name, "\" is no host name; write it as in example.org"));
        }
        for (const auto& [known, place] : rules.hosts_) {
          if (known == name) {
            return WrongLine(number, absl::StrCat("\"", name, "\" has rules already; join the two sections"));
          }
        }
        rules.hosts_.emplace_back(std::move(name), rules.rules_.size() - 1);
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

std::vector<int32_t> SelectNodes(const HtmlDocument& document, const std::vector<Selector>& selectors) {
  const auto size = static_cast<size_t>(document.size());
  std::vector<bool> selected(size, false);
  // By node, a bit for each step of the selector: the steps up to it are matched, the last of them by the node itself;
  // or by the node or one around it.
  std::vector<uint32_t> here(size, 0);
  std::vector<uint32_t> around(size, 0);
  for (const Selector& selector : selectors) {
    for (int32_t i = 0; i < document.size(); ++i) {
      const HtmlNode& node = document.node(i);
      const auto index = static_cast<size_t>(i);
      const auto parent = static_cast<size_t>(node.parent);
      const uint32_t above = node.parent == kNoNode ? 0 : around[parent];
      uint32_t matched = 0;
      for (size_t step = 0; step < selector.size() && !node.is_text; ++step) {
        const uint32_t before = selector[step].child ? (node.parent == kNoNode ? 0 : here[parent]) : above;
        const bool follows = step == 0 || (before >> (step - 1) & 1) != 0;
        matched |= follows && Matches(document, i, selector[step]) ? uint32_t{1} << step : 0;
      }
      here[index] = matched;
      around[index] = above | matched;
      selected[index] = selected[index] || (matched >> (selector.size() - 1) & 1) != 0;
    }
  }
  std::vector<int32_t> nodes;
  for (size_t i = 0; i < size; ++i) {
    if (selected[i]) {
      nodes.push_back(static_cast<int32_t>(i));
    }
  }
  return nodes;
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
  const std::pair<std::string, size_t>* best = nullptr;
  for (const auto& candidate : hosts_) {
    const std::string& name = candidate.first;
    const bool matches = name == "*" || host == name || absl::EndsWith(host, absl::StrCat(".", name));
    const bool better = best == nullptr || best->first == "*" || (name != "*" && name.size() > best->first.size());
    if (matches && better) {
      best = &candidate;
    }
  }
  return best == nullptr ? nullptr : &rules_[best->second];
}

}  // namespace dateline::extraction
