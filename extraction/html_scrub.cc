#include "extraction/html_scrub.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace dateline::extraction {
namespace {

// How far up the stack of open elements a match is looked for; real pages are not nested deeper.
constexpr size_t kMaxStackSearch = 256;
constexpr size_t kMaxAttributes = 64;
constexpr size_t kMaxNameBytes = 40;
constexpr size_t kMaxLinkBytes = 120;  // Of a link's target only its beginning is looked at.
constexpr size_t kMaxDistinctNames = 2000;
constexpr size_t kMaxJsonLdBytes = 2'000'000;  // In all; what a page says about itself is a few KB.

constexpr std::array<absl::string_view, 11> kKeptAttributes = {
    "class", "id", "itemprop", "itemtype", "content", "datetime", "property", "role", "rel", "data-testid", "dir"};
// Of elements without an end tag, which are those of a page's head.
constexpr std::array<absl::string_view, 7> kAttributesOfHead = {"name",     "href", "charset", "http-equiv",
                                                                "hreflang", "type", "media"};
constexpr absl::string_view kLinkAttribute = "data-a";
constexpr absl::string_view kHiddenAttribute = "hidden";

// All names that come out.
constexpr auto kAttributeNames = [] {
  std::array<absl::string_view, kKeptAttributes.size() + kAttributesOfHead.size() + 2> names{};
  size_t count = 0;
  for (const absl::string_view name : kKeptAttributes) {
    names[count++] = name;
  }
  for (const absl::string_view name : kAttributesOfHead) {
    names[count++] = name;
  }
  names[count++] = kLinkAttribute;
  names[count++] = kHiddenAttribute;
  return names;
}();

// True of "/", "./" and "https://www.example.org/".
bool LeadsToFrontPage(absl::string_view target) {
  target = absl::StripAsciiWhitespace(target);
  if (target == "/" || target == "./") {
    return true;
  }
  const size_t host = target.find("//");
  if (!absl::StartsWithIgnoreCase(target, "http") && host != 0) {
    return false;
  }
  const size_t end = host == absl::string_view::npos ? host : target.find_first_of("/?#", host + 2);
  return host != absl::string_view::npos && (end == absl::string_view::npos || target.substr(end) == "/");
}

enum class Action : uint8_t {
  kKeep,    // Emitted as it is.
  kVoid,    // Emitted, has no end tag.
  kUnwrap,  // The tag goes, what it holds stays.
  kSkip,    // The element goes with all it holds.
  kBold,
  kLink,
  kTitle,
  kHtml,
  kBlock,  // Emitted as <div>.
  kOther,  // A name of the page's own.
};

enum class Shape : uint8_t { kInline, kBlock, kParagraph, kListItem, kList, kTerm, kCell, kRow, kRowGroup, kTable };

struct Element {
  Action action = Action::kOther;
  Shape shape = Shape::kInline;
};

const absl::flat_hash_map<absl::string_view, Element>& KnownElements() {
  static const auto* const kElements = [] {
    auto* map = new absl::flat_hash_map<absl::string_view, Element>();
    const auto add = [map](Action action, Shape shape, absl::string_view names) {
      while (!names.empty()) {
        const size_t space = names.find(' ');
        (*map)[names.substr(0, space)] = {action, shape};
        names = space == absl::string_view::npos ? absl::string_view() : names.substr(space + 1);
      }
    };
    add(Action::kKeep, Shape::kBlock,
        "address article aside blockquote details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 "
        "h5 "
        "h6 header hgroup main nav pre search section summary");
    add(Action::kKeep, Shape::kParagraph, "p");
    add(Action::kKeep, Shape::kList, "ul ol menu");
    add(Action::kKeep, Shape::kListItem, "li");
    add(Action::kKeep, Shape::kTerm, "dt dd");
    add(Action::kKeep, Shape::kTable, "table");
    add(Action::kKeep, Shape::kRowGroup, "thead tbody tfoot");
    add(Action::kKeep, Shape::kRow, "tr");
    add(Action::kKeep, Shape::kCell, "td th caption");
    add(Action::kKeep, Shape::kInline, "span time button label q cite sup");
    add(Action::kVoid, Shape::kInline, "br hr meta link base");
    add(Action::kBlock, Shape::kBlock, "center listing xmp");
    add(Action::kBold, Shape::kInline, "b strong");
    add(Action::kLink, Shape::kInline, "a");
    add(Action::kTitle, Shape::kInline, "title");
    add(Action::kHtml, Shape::kInline, "html");
    add(Action::kUnwrap, Shape::kInline,
        "head body img input wbr font em i u small big s strike tt nobr code image source track param embed area col "
        "colgroup isindex keygen frame frameset plaintext bgsound basefont command abbr acronym bdi bdo data del dfn "
        "ins "
        "kbd mark marquee meter output picture progress ruby rb rtc samp slot sub tfn var blink legend optgroup "
        "noindex nextid spacer");
    add(Action::kSkip, Shape::kInline,
        "script style noscript svg math template select textarea iframe canvas object audio video map noembed noframes "
        "applet datalist option rt rp");
    return map;
  }();
  return *kElements;
}

bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

struct RawAttribute {
  absl::string_view name;   // Lower case.
  absl::string_view value;  // As written, without quotes.
};

bool HasCapital(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isupper(static_cast<unsigned char>(c)); });
}

class Scrubber {
 public:
  explicit Scrubber(absl::string_view html) : in_(html) {
    out_.html.reserve(html.size() / 2 + 64);
    out_.html = "<!DOCTYPE html><body>";
  }

  ScrubbedHtml Run() {
    while (pos_ < in_.size()) {
      const size_t tag = Find('<', pos_);
      EmitText(in_.substr(pos_, tag - pos_));
      pos_ = tag;
      if (pos_ < in_.size()) {
        ReadMarkup();
      }
    }
    if (depth_limited_) {
      out_.warnings.emplace_back("html: nested too deeply; the innermost elements were merged");
    }
    if (count_limited_) {
      out_.warnings.emplace_back("html: too many elements; those at the end were merged");
    }
    return std::move(out_);
  }

 private:
  struct Open {
    int32_t name = 0;
    Shape shape = Shape::kInline;
    bool emitted = false;
    bool pre = false;
    const char* out_name = "";  // What it was emitted as.
  };

  size_t Find(char c, size_t from) const {
    if (from >= in_.size()) {
      return in_.size();
    }
    const void* const found = std::memchr(in_.data() + from, c, in_.size() - from);
    return found == nullptr ? in_.size() : static_cast<size_t>(static_cast<const char*>(found) - in_.data());
  }

  // White space beside the borders of block elements says nothing, and would be half of all nodes.
  void BeginText() {
    if (space_pending_) {
      out_.html.push_back(' ');
      space_pending_ = false;
    }
    at_border_ = false;
  }
  void BeginTag(Shape shape) {
    if (shape != Shape::kInline) {
      space_pending_ = false;
      at_border_ = true;
    } else if (space_pending_) {
      out_.html.push_back(' ');
      space_pending_ = false;
    }
  }

  // Control characters are left out.
  void EmitText(absl::string_view text) {
    if (pre_depth_ == 0 && std::all_of(text.begin(), text.end(), IsSpace)) {
      space_pending_ = space_pending_ || (!text.empty() && !at_border_);
      return;
    }
    BeginText();
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 ? !IsSpace(c) : c == 0x7F; };
    while (!text.empty()) {
      const auto* const bad = std::find_if(text.data(), text.data() + text.size(), is_control);
      const auto good = static_cast<size_t>(bad - text.data());
      out_.html.append(text.data(), good);
      text.remove_prefix(std::min(text.size(), good + 1));
    }
  }

  void ReadMarkup() {
    const absl::string_view rest = in_.substr(pos_);
    if (absl::StartsWith(rest, "<!--")) {
      ReadComment();
    } else if (rest.size() > 1 && (rest[1] == '!' || rest[1] == '?')) {
      pos_ = std::min(in_.size(), Find('>', pos_) + 1);
    } else if (rest.size() > 2 && rest[1] == '/' && IsNameStart(rest[2])) {
      ReadEndTag();
    } else if (rest.size() > 1 && IsNameStart(rest[1])) {
      ReadStartTag();
    } else if (rest.size() > 1 && rest[1] == '/') {
      pos_ = std::min(in_.size(), Find('>', pos_) + 1);
    } else {
      BeginText();
      out_.html.append("&lt;");
      ++pos_;
    }
  }

  void ReadComment() {
    if (!no_comment_end_) {
      const size_t end = in_.find("-->", pos_ + 2);  // "<!-->" is a whole comment.
      if (end != absl::string_view::npos) {
        pos_ = end + 3;
        return;
      }
      no_comment_end_ = true;
    }
    pos_ = std::min(in_.size(), Find('>', pos_) + 1);  // Never closed: what follows is text rather than nothing.
  }

  // The lower-case name at `pos_`, which is advanced past it; cut off if it is absurdly long.
  std::string ReadName() {
    const size_t start = pos_;
    while (pos_ < in_.size() && !IsSpace(in_[pos_]) && in_[pos_] != '>' && in_[pos_] != '/' && in_[pos_] != '<') {
      ++pos_;
    }
    return absl::AsciiStrToLower(in_.substr(start, std::min(pos_ - start, kMaxNameBytes)));
  }

  int32_t NameId(const std::string& name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) {
      return found->second;
    }
    if (ids_.size() >= kMaxDistinctNames) {
      return -1;
    }
    const auto id = static_cast<int32_t>(ids_.size());
    ids_.emplace(name, id);
    open_count_.push_back(0);
    return id;
  }

  void ReadEndTag() {
    pos_ += 2;
    const std::string name = ReadName();
    pos_ = std::min(in_.size(), Find('>', pos_) + 1);
    if (name == "br") {
      BeginTag(Shape::kBlock);
      out_.html.append("<br>");
      return;
    }
    const auto known = KnownElements().find(name);
    const Shape shape = known == KnownElements().end() ? Shape::kInline : known->second.shape;
    Close(NameId(name), shape);
  }

  // Closes the innermost open element of that name, and all within it; does nothing if a table cell stands between.
  void Close(int32_t name, Shape shape) {
    if (name < 0 || open_count_[static_cast<size_t>(name)] == 0) {
      return;
    }
    const bool of_table =
        shape == Shape::kCell || shape == Shape::kRow || shape == Shape::kRowGroup || shape == Shape::kTable;
    size_t searched = 0;
    for (size_t i = stack_.size(); i > 0 && searched < kMaxStackSearch; --i, ++searched) {
      const Open& open = stack_[i - 1];
      if (open.name == name) {
        if (open.emitted) {
          BeginTag(open.shape);
          absl::StrAppend(&out_.html, "</", open.out_name, ">");
        }
        PopTo(i - 1);
        return;
      }
      if (!of_table && (open.shape == Shape::kCell || open.shape == Shape::kTable)) {
        return;
      }
      // A block inside a stray inline end tag: HTML ignores the tag.
      if (shape == Shape::kInline && open.shape != Shape::kInline && open.shape != Shape::kParagraph) {
        return;
      }
    }
    if (stack_.size() > kMaxStackSearch && searched == kMaxStackSearch) {
      PopTo(stack_.size() - 1);  // Far deeper than any page: one for one is near enough.
    }
  }

  void PopTo(size_t size) {
    while (stack_.size() > size) {
      --open_count_[static_cast<size_t>(stack_.back().name)];
      emitted_depth_ -= stack_.back().emitted ? 1 : 0;
      pre_depth_ -= stack_.back().pre ? 1 : 0;
      stack_.pop_back();
    }
  }

  // What a start tag of this shape closes without saying so: paragraphs before blocks, list items before list items, …
  void CloseImplied(Shape shape) {
    if (shape == Shape::kInline) {
      return;
    }
    size_t searched = 0;
    for (size_t i = stack_.size(); i > 0 && searched < kMaxStackSearch; --i, ++searched) {
      const Shape open = stack_[i - 1].shape;
      const bool closes = open == Shape::kParagraph || (shape == Shape::kListItem && open == Shape::kListItem) ||
                          (shape == Shape::kTerm && open == Shape::kTerm) ||
                          (shape == Shape::kCell && open == Shape::kCell) ||
                          (shape == Shape::kRow && (open == Shape::kRow || open == Shape::kCell)) ||
                          (shape == Shape::kRowGroup && (open == Shape::kRowGroup || open == Shape::kRow));
      if (closes) {
        PopTo(i - 1);
        if (open == Shape::kParagraph || open == Shape::kCell || open == Shape::kRow) {
          i = stack_.size() + 1;  // A list item may be around the paragraph, a row around the cell.
          continue;
        }
        return;
      }
      const bool passes = open == Shape::kInline ||
                          (open == Shape::kBlock && (shape == Shape::kListItem || shape == Shape::kTerm)) ||
                          (shape == Shape::kRow && open == Shape::kCell);
      if (!passes) {
        return;
      }
    }
  }

  // Reads attributes up to the end of the tag. They are good until the next call.
  const std::vector<RawAttribute>& ReadAttributes() {
    std::vector<RawAttribute>& attributes = attributes_;
    attributes.clear();
    lowered_.clear();
    while (pos_ < in_.size()) {
      const char c = in_[pos_];
      if (c == '>') {
        ++pos_;
        break;
      }
      if (c == '<') {
        break;  // The tag was never closed; browsers read on, at the price of the next element.
      }
      if (IsSpace(c) || c == '/' || c == '=' || c == '"' || c == '\'') {
        ++pos_;
        continue;
      }
      RawAttribute attribute;
      const size_t start = pos_;
      while (pos_ < in_.size() && !IsSpace(in_[pos_]) && in_[pos_] != '=' && in_[pos_] != '>' && in_[pos_] != '/') {
        ++pos_;
      }
      attribute.name = in_.substr(start, std::min(pos_ - start, kMaxNameBytes));
      if (HasCapital(attribute.name)) {
        lowered_.push_back(absl::AsciiStrToLower(attribute.name));
        attribute.name = lowered_.back();
      }
      size_t next = pos_;
      while (next < in_.size() && IsSpace(in_[next])) {
        ++next;
      }
      if (next < in_.size() && in_[next] == '=') {
        pos_ = next + 1;
        while (pos_ < in_.size() && IsSpace(in_[pos_])) {
          ++pos_;
        }
        attribute.value = ReadValue();
      }
      if (attributes.size() < kMaxAttributes) {
        attributes.push_back(attribute);
      }
    }
    return attributes;
  }

  absl::string_view ReadValue() {
    if (pos_ >= in_.size()) {
      return {};
    }
    const char quote = in_[pos_];
    if (quote == '"' || quote == '\'') {
      bool& none_left = quote == '"' ? no_double_quote_ : no_single_quote_;
      const size_t end = none_left ? in_.size() : Find(quote, pos_ + 1);
      if (end < in_.size()) {
        const absl::string_view value = in_.substr(pos_ + 1, end - pos_ - 1);
        pos_ = end + 1;
        return value;
      }
      none_left = true;  // Never closed: the tag ends at its first '>'.
      ++pos_;
    }
    const size_t start = pos_;
    while (pos_ < in_.size() && !IsSpace(in_[pos_]) && in_[pos_] != '>') {
      ++pos_;
    }
    return in_.substr(start, pos_ - start);
  }

  void ReadStartTag() {
    const size_t tag_start = pos_;
    ++pos_;
    const std::string name = ReadName();
    const std::vector<RawAttribute>& attributes = ReadAttributes();
    const auto known = KnownElements().find(name);
    Element element = known == KnownElements().end() ? Element() : known->second;
    switch (element.action) {
      case Action::kUnwrap:
        if (name == "body") {
          ReadBody(attributes);
        }
        return;
      case Action::kHtml:
        ReadLanguage(attributes);
        return;
      case Action::kSkip:
        SkipElement(name, attributes, in_[pos_ > tag_start + 1 ? pos_ - 2 : pos_ - 1] == '/');
        return;
      case Action::kTitle:
        EmitTitle();
        return;
      case Action::kVoid:
        if (emitted_ < kMaxElements) {
          ++emitted_;
          BeginTag(name == "br" || name == "hr" ? Shape::kBlock : Shape::kInline);
          EmitTag(name.c_str(), name, element, attributes);
        }
        return;
      case Action::kOther:
        if (name.find(':') != std::string::npos) {
          return;  // <o:p>, <fb:like>
        }
        break;
      default:
        break;
    }
    if (element.action == Action::kLink) {
      CloseLink();
    }
    Push(name, element, attributes);
  }

  // A link doesn't hold another: the next one ends it.
  void CloseLink() {
    const auto link = ids_.find("a");
    if (link != ids_.end() && open_count_[static_cast<size_t>(link->second)] > 0) {
      Close(link->second, Shape::kInline);
    }
  }

  void Push(const std::string& name, const Element& element, const std::vector<RawAttribute>& attributes) {
    const int32_t id = NameId(name);
    if (id < 0) {
      return;
    }
    CloseImplied(element.shape);
    Open open;
    open.name = id;
    open.shape = element.shape;
    depth_limited_ = depth_limited_ || emitted_depth_ >= kMaxDepth;
    count_limited_ = count_limited_ || emitted_ >= kMaxElements;
    open.pre = name == "pre";
    pre_depth_ += open.pre ? 1 : 0;
    if (emitted_depth_ < kMaxDepth && emitted_ < kMaxElements && !SaysNothing(name, attributes)) {
      open.emitted = true;
      switch (element.action) {
        case Action::kBold:
        case Action::kLink:
          open.out_name = "span";
          break;
        case Action::kBlock:
          open.out_name = "div";
          break;
        case Action::kOther:
          open.out_name = InParagraph() ? "span" : "div";
          open.shape = InParagraph() ? Shape::kInline : Shape::kBlock;
          break;
        default:
          open.out_name = Interned(name);
          break;
      }
      ++emitted_;
      ++emitted_depth_;
      BeginTag(open.shape);
      EmitTag(open.out_name, name, element, attributes);
    }
    ++open_count_[static_cast<size_t>(id)];
    stack_.push_back(open);
  }

  // A <span> without any attribute that is looked at.
  static bool SaysNothing(absl::string_view name, const std::vector<RawAttribute>& attributes) {
    return name == "span" && std::none_of(attributes.begin(), attributes.end(), [](const RawAttribute& attribute) {
             return attribute.name == "hidden" || IsKeptAttribute(attribute.name) ||
                    (attribute.name == "style" && HidesElement(attribute.value));
           });
  }

  // `name` as a string that lives as long as the program's table of elements.
  static const char* Interned(const std::string& name) {
    static const auto* const kNames = [] {
      auto* names = new absl::flat_hash_map<std::string, const char*>();
      for (const auto& [known, element] : KnownElements()) {
        auto* copy = new std::string(known);
        (*names)[*copy] = copy->c_str();
      }
      return names;
    }();
    const auto found = kNames->find(name);
    return found == kNames->end() ? "div" : found->second;
  }

  bool InParagraph() const {
    for (size_t i = stack_.size(); i > 0 && stack_.size() - i < kMaxStackSearch; --i) {
      if (stack_[i - 1].shape == Shape::kParagraph) {
        return true;
      }
      if (stack_[i - 1].shape != Shape::kInline) {
        return false;
      }
    }
    return false;
  }

  void ReadLanguage(const std::vector<RawAttribute>& attributes) {
    for (const RawAttribute& attribute : attributes) {
      if ((attribute.name == "lang" || attribute.name == "xml:lang") && out_.language.empty()) {
        out_.language = std::string(attribute.value.substr(0, kMaxNameBytes));
      } else if (attribute.name == "dir" && out_.direction.empty()) {
        out_.direction = absl::AsciiStrToLower(attribute.value.substr(0, kMaxNameBytes));
      }
    }
  }

  void ReadBody(const std::vector<RawAttribute>& attributes) {
    for (const RawAttribute& attribute : attributes) {
      if (attribute.name == "dir") {
        out_.direction = absl::AsciiStrToLower(attribute.value.substr(0, kMaxNameBytes));
      }
    }
  }

  // Where "</name" stands, from `pos_` on; npos if nowhere.
  size_t FindEndTag(absl::string_view name) const {
    size_t at = pos_;
    while ((at = Find('<', at)) < in_.size()) {
      if (at + 2 + name.size() <= in_.size() && in_[at + 1] == '/' &&
          absl::EqualsIgnoreCase(in_.substr(at + 2, name.size()), name)) {
        return at;
      }
      ++at;
    }
    return absl::string_view::npos;
  }

  void SkipElement(const std::string& name, const std::vector<RawAttribute>& attributes, bool self_closed) {
    const bool foreign = name == "svg" || name == "math";
    if (foreign && self_closed) {
      return;
    }
    bool& none_left = no_end_tag_[name];
    const size_t end = none_left ? absl::string_view::npos : FindEndTag(name);
    if (end == absl::string_view::npos) {
      none_left = true;
      if (name == "script" || name == "style") {
        pos_ = in_.size();  // As in browsers: the rest is program, not text.
      }
      return;
    }
    if (name == "script" && IsHiddenArticle(attributes, in_.substr(pos_, end - pos_))) {
      return;  // The markup within is read in its place; the end tag finds nothing to close.
    }
    if (name == "script") {
      out_.has_script = true;
      KeepJsonLd(attributes, in_.substr(pos_, end - pos_));
    }
    pos_ = std::min(in_.size(), Find('>', end) + 1);
  }

  // Some publishing systems keep the whole text in a template for scripts. Templates with holes in them are none.
  static bool IsHiddenArticle(const std::vector<RawAttribute>& attributes, absl::string_view content) {
    const bool is_template = std::any_of(attributes.begin(), attributes.end(), [](const RawAttribute& attribute) {
      return attribute.name == "type" && absl::EqualsIgnoreCase(attribute.value, "text/template");
    });
    return is_template && content.size() > 500 && absl::StrContains(content, "<p") &&
           !absl::StrContains(content, "<%") && !absl::StrContains(content, "{{") && !absl::StrContains(content, "${");
  }

  void KeepJsonLd(const std::vector<RawAttribute>& attributes, absl::string_view content) {
    const bool is_json = std::any_of(attributes.begin(), attributes.end(), [](const RawAttribute& attribute) {
      return attribute.name == "type" && absl::StartsWithIgnoreCase(attribute.value, "application/ld+json");
    });
    if (is_json && json_ld_bytes_ + content.size() <= kMaxJsonLdBytes) {
      json_ld_bytes_ += content.size();
      out_.json_ld.emplace_back(content);
    }
  }

  void EmitTitle() {
    BeginTag(Shape::kBlock);
    bool& none_left = no_end_tag_["title"];
    size_t end = none_left ? absl::string_view::npos : FindEndTag("title");
    if (end == absl::string_view::npos) {
      none_left = true;
      end = Find('<', pos_);
      absl::StrAppend(&out_.html, "<title>", in_.substr(pos_, std::min<size_t>(end - pos_, kMaxAttributeBytes)),
                      "</title>");
      pos_ = end;
      return;
    }
    absl::StrAppend(&out_.html, "<title>", in_.substr(pos_, std::min<size_t>(end - pos_, kMaxAttributeBytes)),
                    "</title>");
    pos_ = std::min(in_.size(), Find('>', end) + 1);
  }

  void EmitTag(const char* out_name, const std::string& name, const Element& element,
               const std::vector<RawAttribute>& attributes) {
    ScrubbedTag tag;
    tag.offset = static_cast<uint32_t>(out_.html.size());
    tag.attributes = static_cast<uint32_t>(out_.attributes.size());
    tag.bold = element.action == Action::kBold;
    out_.html.push_back('<');
    out_.html.append(out_name);
    emitted_names_ = 0;
    bool hidden = false;
    for (const RawAttribute& attribute : attributes) {
      if (attribute.name == "style") {
        hidden = hidden || HidesElement(attribute.value);
      } else if (attribute.name == "hidden") {
        hidden = hidden || attribute.value != "until-found";
      } else if (attribute.name == "href" && element.action == Action::kLink) {
        if (absl::StartsWithIgnoreCase(attribute.value, "javascript:")) {
          continue;  // Leads nowhere.
        }
        const absl::string_view target = attribute.value.substr(0, kMaxLinkBytes);
        // That there is a link is what counts, but for links to authors' pages and to the front page.
        const bool to_author = absl::StrContains(target, "/author") || absl::StrContains(target, "/autor");
        EmitAttribute(kLinkAttribute, to_author ? target : LeadsToFrontPage(target) ? "/" : absl::string_view());
        tag.link = true;
      } else if (KeepsAttribute(element, attribute.name)) {
        EmitAttribute(attribute.name, attribute.value);
      }
    }
    if (element.action == Action::kOther) {
      EmitAttribute("class", name);  // Unless it has one.
    }
    if (hidden) {
      EmitAttribute(kHiddenAttribute, "");
    }
    out_.html.push_back('>');
    tag.attribute_count = static_cast<uint8_t>(out_.attributes.size() - tag.attributes);
    if (tag.attribute_count > 0 || tag.bold || tag.link) {
      out_.tags.push_back(tag);
    }
  }

  static bool HidesElement(absl::string_view style) {
    return HasValue(style, "display", "none") || HasValue(style, "visibility", "hidden");
  }

  static bool HasValue(absl::string_view style, absl::string_view property, absl::string_view value) {
    for (size_t at = style.find(property); at != absl::string_view::npos; at = style.find(property, at + 1)) {
      absl::string_view rest = style.substr(at + property.size());
      while (!rest.empty() && (IsSpace(rest.front()) || rest.front() == ':')) {
        rest.remove_prefix(1);
      }
      if (absl::StartsWith(rest, value)) {
        return true;
      }
    }
    return false;
  }

  static bool KeepsAttribute(const Element& element, absl::string_view name) {
    return IsKeptAttribute(name) ||
           (element.action == Action::kVoid &&
            std::find(kAttributesOfHead.begin(), kAttributesOfHead.end(), name) != kAttributesOfHead.end());
  }

  // Of several attributes of one name the first counts, as in browsers.
  void EmitAttribute(absl::string_view name, absl::string_view value) {
    const auto number = static_cast<uint8_t>(AttributeNumber(name));
    if ((emitted_names_ & (1U << number)) != 0) {
      return;
    }
    emitted_names_ |= 1U << number;
    const absl::string_view kept = value.substr(0, kMaxAttributeBytes);
    const char quote = absl::StrContains(kept, "\"") ? '\'' : '"';
    // The parser knows entities, and what stands for the half of a character, which a value cut off may end in.
    const bool whole = kept.empty() || (kept.back() & 0x80) == 0;
    if (!whole || kept.find_first_of("&\r") != absl::string_view::npos) {
      WriteAttribute(name, kept, quote);
      return;
    }
    const auto [known, added] = values_.try_emplace(kept);
    if (added) {
      known->second.first = static_cast<uint32_t>(out_.values.size());
      AppendValue(kept, quote, &out_.values);
      known->second.second = static_cast<uint32_t>(out_.values.size()) - known->second.first;
    }
    out_.attributes.push_back({.name = number, .value_start = known->second.first, .value_size = known->second.second});
  }

  void WriteAttribute(absl::string_view name, absl::string_view value, char quote) {
    absl::StrAppend(&out_.html, " ", name, "=", absl::string_view(&quote, 1));
    AppendValue(value, quote, &out_.html);
    out_.html.push_back(quote);
  }

  // Quotes stay as they were in the source: a value holds one kind of them at most, or neither.
  static void AppendValue(absl::string_view value, char quote, std::string* out) {
    for (const char c : value) {
      if (c != '\0' && c != quote) {
        out->push_back(c);
      }
    }
  }

  absl::string_view in_;
  size_t pos_ = 0;
  ScrubbedHtml out_;
  std::vector<Open> stack_;
  std::vector<RawAttribute> attributes_;  // Of the tag that was read last.
  std::deque<std::string> lowered_;       // Those of their names that were written in capitals.
  uint32_t emitted_names_ = 0;            // Of the attributes of the tag that is being emitted, a bit for each.
  absl::flat_hash_map<std::string, std::pair<uint32_t, uint32_t>> values_;  // Start and size in out_.values.
  absl::flat_hash_map<std::string, int32_t> ids_;
  std::vector<int32_t> open_count_;
  absl::flat_hash_map<std::string, bool> no_end_tag_;  // Names of which no end tag is left.
  size_t json_ld_bytes_ = 0;
  int emitted_ = 0;
  int emitted_depth_ = 0;
  int pre_depth_ = 0;
  bool at_border_ = true;       // Nothing but block elements' tags since the last text.
  bool space_pending_ = false;  // White space was read since the last text, which counts if text follows.
  bool depth_limited_ = false;
  bool count_limited_ = false;
  bool no_comment_end_ = false;
  bool no_double_quote_ = false;
  bool no_single_quote_ = false;
};

}  // namespace

ScrubbedHtml ScrubHtml(absl::string_view html) { return Scrubber(html).Run(); }

bool IsKeptElement(absl::string_view name) {
  const auto known = KnownElements().find(name);
  return known != KnownElements().end() &&
         (known->second.action == Action::kKeep || known->second.action == Action::kBold ||
          known->second.action == Action::kLink);
}

bool IsKeptAttribute(absl::string_view name) {
  return std::find(kKeptAttributes.begin(), kKeptAttributes.end(), name) != kKeptAttributes.end();
}

absl::string_view AttributeName(uint8_t name) { return kAttributeNames[name]; }

int AttributeNumber(absl::string_view name) {
  const auto* const found = std::find(kAttributeNames.begin(), kAttributeNames.end(), name);
  return found == kAttributeNames.end() ? -1 : static_cast<int>(found - kAttributeNames.begin());
}

std::string KeptAttributes() { return absl::StrJoin(kKeptAttributes, ", "); }

}  // namespace dateline::extraction
