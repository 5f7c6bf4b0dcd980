#include "search_service/query_parser.h"

#include <unicode/region.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/language_tag.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "search_service/article_terms.h"

namespace dateline::search {
namespace {

// Of what is typed, and of what it means: (a OR b c) is typed as one group and means one in another.
constexpr int kMaxNesting = 32;
// So many words make a question without those that say little.
constexpr size_t kLeastTelling = 3;
// Shorter beginnings of words lead to too many of them.
constexpr size_t kMinPrefixBytes = 2;
// The taxonomy is fetched as soon as the classifier answers, and asked for every few seconds until then.
constexpr absl::Duration kTaxonomyRetry = absl::Seconds(3);

// A mark that opens a phrase, and those that close it: the first of `closers`, or where there is none of `others`, as
// some keyboards put one of each kind.
struct QuotationMark {
  absl::string_view mark;
  absl::string_view closers;
  absl::string_view others;
};
constexpr std::array<QuotationMark, 8> kQuotationMarks = {{
    {"\"", "\"", "”"},
    {"＂", "＂", "\""},
    {"“", "”", "“\""},
    {"”", "”", "\""},
    {"„", "“”", "\""},
    {"‟", "“”", "\""},
    {"«", "»", "\""},
    {"»", "«»", "\""},
}};

// The one that `text` begins with; null if it begins with none.
const QuotationMark* QuotationMarkAt(absl::string_view text) {
  for (const QuotationMark& known : kQuotationMarks) {
    if (absl::StartsWith(text, known.mark)) return &known;
  }
  return nullptr;
}

// Where the first one in `text` is; npos if there is none.
size_t FindQuotationMark(absl::string_view text) {
  for (size_t place = 0; place < text.size(); ++place) {
    if (QuotationMarkAt(text.substr(place)) != nullptr) return place;
  }
  return absl::string_view::npos;
}

// Half-open.
struct Span {
  size_t start = 0;
  size_t end = 0;
};

// Of the first words that mean something side by side only: joined by &, as in "AT&T" and "R&D", or by - or / where
// one of them is a number or a single letter, as in "9/11", "F-35" and "x-ray". With the possessive behind them.
// Nullopt if there are none.
std::optional<Span> FindJoined(absl::string_view text) {
  const auto in_word = [&](size_t place) {
    return place < text.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text[place])) ||
                                   static_cast<unsigned char>(text[place]) >= 0x80);
  };
  const auto joins = [&](size_t place) {
    return place > 0 && place < text.size() && absl::StrContains("&-/", text.substr(place, 1)) && in_word(place - 1) &&
           in_word(place + 1);
  };
  for (size_t place = 0; place < text.size();) {
    if (!in_word(place)) {
      ++place;
      continue;
    }
    Span span{place, place};
    bool joined = false;
    bool meant = false;
    for (size_t word = place; in_word(span.end) || joins(span.end); ++span.end) {
      const bool ends = !in_word(span.end + 1);  // The word of this byte, or the joint, which begins one.
      if (!in_word(span.end)) {
        joined = true;
        meant = meant || text[span.end] == '&';
        word = span.end + 1;
      } else if (ends) {
        const absl::string_view part = text.substr(word, span.end + 1 - word);
        const bool number =
            std::all_of(part.begin(), part.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
        meant = meant || number || (part.size() == 1 && absl::ascii_isalpha(static_cast<unsigned char>(part[0])));
      }
    }
    if (joined && meant) {
      for (const absl::string_view possessive : {"'s", "’s", "'S", "’S"}) {
        const absl::string_view rest = text.substr(span.end);
        if (absl::StartsWith(rest, possessive) && !in_word(span.end + possessive.size())) {
          span.end += possessive.size();
          break;
        }
      }
      return span;
    }
    place = span.end;
  }
  return std::nullopt;
}

struct DateSpan {
  int64_t start = 0;  // Seconds; half-open.
  int64_t end = 0;
};

// "2026", "2026-03", "2026-03-15", or an RFC 3339 time (a span of one second).
std::optional<DateSpan> ParseDate(absl::string_view text) {
  const auto seconds = [](absl::CivilSecond civil) {
    return absl::ToUnixSeconds(absl::FromCivil(civil, absl::UTCTimeZone()));
  };
  int year = 0;
  int month = 0;
  int day = 0;
  const auto number = [](absl::string_view digits, int& value) {
    return std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return absl::ascii_isdigit(c); }) &&
           absl::SimpleAtoi(digits, &value);
  };
  if (text.size() < 4 || !number(text.substr(0, 4), year)) return std::nullopt;
  if (text.size() == 4) {
    return DateSpan{seconds(absl::CivilSecond(year)), seconds(absl::CivilSecond(year + 1))};
  }
  if (text.size() < 7 || text[4] != '-' || !number(text.substr(5, 2), month) || month < 1 || month > 12) {
    return std::nullopt;
  }
  const absl::CivilMonth civil_month(year, month);
  if (text.size() == 7) {
    return DateSpan{seconds(absl::CivilSecond(civil_month)), seconds(absl::CivilSecond(civil_month + 1))};
  }
  if (text.size() < 10 || text[7] != '-' || !number(text.substr(8, 2), day) || day < 1) return std::nullopt;
  const absl::CivilDay civil_day(year, month, day);
  if (civil_day.month() != month || civil_day.day() != day) return std::nullopt;
  if (text.size() == 10) {
    return DateSpan{seconds(absl::CivilSecond(civil_day)), seconds(absl::CivilSecond(civil_day + 1))};
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return std::nullopt;
  return DateSpan{absl::ToUnixSeconds(time), absl::ToUnixSeconds(time) + 1};
}

// The time that is "7d" before `now`: hours, days, weeks, and months and years of the calendar, in UTC; no earlier than
// the year 1. Nullopt for what is no such span.
std::optional<int64_t> TimeBefore(absl::string_view span, absl::Time now) {
  constexpr size_t kMaxDigits = 9;
  if (span.size() < 2 || span.size() > kMaxDigits + 1) return std::nullopt;
  int64_t count = 0;
  const absl::string_view digits = span.substr(0, span.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return absl::ascii_isdigit(c); }) ||
      !absl::SimpleAtoi(digits, &count)) {
    return std::nullopt;
  }
  const absl::CivilSecond civil = absl::ToCivilSecond(now, absl::UTCTimeZone());
  absl::CivilSecond then = civil;
  // The same day of another month, or the last one of it.
  const auto months_before = [&](int64_t months) {
    const absl::CivilMonth month = absl::CivilMonth(civil) - months;
    const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
    return absl::CivilSecond(month.year(), month.month(), std::min(civil.day(), last.day()), civil.hour(),
                             civil.minute(), civil.second());
  };
  switch (absl::ascii_tolower(static_cast<unsigned char>(span.back()))) {
    case 'h':
      then -= count * 60 * 60;
      break;
    case 'd':
      then -= count * 24 * 60 * 60;
      break;
    case 'w':
      then -= count * 7 * 24 * 60 * 60;
      break;
    case 'm':
      then = months_before(count);
      break;
    case 'y':
      then = months_before(12 * count);
      break;
    default:
      return std::nullopt;
  }
  then = std::max(then, absl::CivilSecond(1));
  return absl::ToUnixSeconds(absl::FromCivil(then, absl::UTCTimeZone()));
}

QueryNode TimeNode(Field field, std::optional<int64_t> from, std::optional<int64_t> until) {
  QueryNode node;
  node.kind = QueryNode::Kind::kTime;
  node.time_field = field;
  node.from = from;
  node.until = until;
  return node;
}

bool IsTime(Field field) { return field == Field::kPublishTime || field == Field::kUpdateTime; }

std::optional<Dimension> DimensionOf(Field field) {
  switch (field) {
    case Field::kRegion:
      return Dimension::kCountry;
    case Field::kGroup:
      return Dimension::kGroup;
    case Field::kIssue:
      return Dimension::kIssue;
    default:
      return std::nullopt;
  }
}

// Whether CLDR has a country or territory of this code.
bool IsRegionCode(absl::string_view code) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Region* region = icu::Region::getInstance(std::string(code).c_str(), error);
  return U_SUCCESS(error) != 0 && region != nullptr && region->getType() == URGN_TERRITORY &&
         region->getRegionCode() == code;
}

// Articles have tags of this form only: another one would find nothing without a word of why.
bool IsLanguageTag(absl::string_view text) {
  return !text.empty() && common::CheckLanguageTag("language_code", text).ok();
}

// OK unless a year or month isn't written as articles have them: it would find nothing without a word of why.
absl::Status CheckSpan(const FieldRef& ref, absl::string_view value, absl::string_view request_field) {
  const bool year = ref.field == Field::kYear;
  if (!year && ref.field != Field::kMonth) return absl::OkStatus();
  if (value.size() == (year ? 4 : 7) && ParseDate(value)) return absl::OkStatus();
  return common::InvalidField(request_field,
                              absl::StrCat(FieldName(ref), " \"", value, "\" is no ",
                                           year ? "year such as \"2026\"" : "month such as \"2026-03\""));
}

// The ids that stand for `id` today; empty if it is unknown.
std::vector<std::string> CurrentIds(Dimension dimension, absl::string_view id, const Taxonomy& taxonomy) {
  if (taxonomy.empty() && dimension == Dimension::kCountry && IsRegionCode(id)) return {std::string(id)};
  return taxonomy.Current(dimension, id);
}

// The articles with the label, or what replaced it; of a group, with its members' too where they are asked for. Adds
// nothing for an unknown id.
void AddLabel(Dimension dimension, absl::string_view id, const LabelNames& names, std::vector<QueryNode>& nodes) {
  const auto add = [&](Dimension of, absl::string_view current) {
    QueryNode node = QueryNode::Term(FieldOf(of), current);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(std::move(node));
  };
  for (const std::string& current : CurrentIds(dimension, id, names.taxonomy)) {
    add(dimension, current);
    const TaxonomyEntry* entry = names.expand_groups && dimension == Dimension::kGroup
                                     ? names.taxonomy.Find(Dimension::kGroup, current)
                                     : nullptr;
    if (entry == nullptr) continue;
    for (const GroupMember& member : entry->members) {
      for (const std::string& region : names.taxonomy.Current(Dimension::kCountry, member.region_code)) {
        add(Dimension::kCountry, region);
      }
    }
  }
}

// As deep as the parser counts what ToString writes.
int NestingOf(const QueryNode& node) {
  int nesting = 0;
  for (const QueryNode& child : node.children) nesting = std::max(nesting, NestingOf(child));
  return nesting + (node.children.empty() && node.kind != QueryNode::Kind::kNear ? 0 : 1);
}

// Whether a word is of a script that doesn't divide words by spaces.
bool IsUnspaced(absl::string_view word) {
  const icu::UnicodeString text = icu::UnicodeString::fromUTF8({word.data(), static_cast<int32_t>(word.size())});
  return IsUnspacedScript(static_cast<char32_t>(text.char32At(0)));
}

// Whether a sign that is no part of words stands in `text` and changes what they mean: "C++", "$4", "5%". Not those of
// hashtags and of names of people.
bool HasTellingSign(absl::string_view text) {
  const icu::UnicodeString signs = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  for (int32_t i = 0; i < signs.length(); i = signs.moveIndex32(i, 1)) {
    const UChar32 sign = signs.char32At(i);
    const int8_t type = u_charType(sign);
    if (type == U_MATH_SYMBOL || type == U_CURRENCY_SYMBOL || (i > 0 && (sign == '#' || sign == '%'))) return true;
  }
  return false;
}

// Reads `query`. Never fails on its form: every method consumes something or ends.
class HumanParser {
 public:
  HumanParser(absl::string_view text, MatchMode mode, absl::string_view language, const LabelNames& names,
              absl::Time now, TextAnalyzer& analyzer)
      : text_(text), mode_(mode), language_(language), names_(names), now_(now), analyzer_(analyzer) {}

  ParsedQuery Parse() {
    Conjunction top;
    // Where all of a long text is in capitals, AND and the like are words as the others are.
    operators_ = std::any_of(text_.begin(), text_.end(), [](unsigned char c) { return absl::ascii_islower(c); }) ||
                 !HasManyWords();
    if (mode_ != MatchMode::kLiteral) prose_ = IsProse();
    operators_ = operators_ && !prose_;
    if (mode_ == MatchMode::kLiteral) {
      for (SkipBlanks(); pos_ < text_.size(); SkipBlanks()) {
        size_t end = pos_;
        while (end < text_.size() && !absl::ascii_isspace(static_cast<unsigned char>(text_[end]))) ++end;
        const absl::string_view part = text_.substr(pos_, end - pos_);
        pos_ = end;
        if (!AddWords(part, TextScope::kAny, /*may_be_prefix=*/false, top)) LeaveOut(part);
      }
    } else {
      ParseOr(0, top);
      while (pos_ < text_.size()) {  // Stray closing parentheses.
        Ignore(text_.substr(pos_, 1), "has no opening parenthesis");
        ++pos_;
        Conjunction rest;
        ParseOr(0, rest);
        Merge(std::move(rest), top);
      }
    }
    result_.free_words = static_cast<int>(top.words.size());
    result_.strict = Strict(top);
    result_.relaxed = Relaxed(top);
    // Where there are no others they are what is searched for.
    if (result_.words.empty()) result_.words = std::move(stop_words_);
    result_.empty = result_.strict.kind == QueryNode::Kind::kAll;
    result_.interpretation.normalized_query = result_.empty ? "" : ToString(result_.strict);
    ListLeftOut();
    if (result_.empty && !absl::StripAsciiWhitespace(text_).empty()) {
      std::vector<std::string>& notes = result_.interpretation.notes;
      notes.insert(notes.begin(), "nothing in the query can be searched for, so it lists what an empty one does");
    }
    return std::move(result_);
  }

  int terms() const { return terms_; }

 private:
  // What stands side by side: bare words may be relaxed, the rest always counts.
  struct Conjunction {
    std::vector<QueryNode> words;
    std::vector<QueryNode> phrases;  // Quoted words.
    std::vector<QueryNode> stop_words;
    std::vector<QueryNode> required;
    std::vector<absl::string_view> stop_texts;  // Where the stop words stand.
    bool empty() const { return words.empty() && phrases.empty() && stop_words.empty() && required.empty(); }
  };

  static void Merge(Conjunction from, Conjunction& into) {
    const auto append = [](std::vector<QueryNode>& source, std::vector<QueryNode>& target) {
      target.insert(target.end(), std::make_move_iterator(source.begin()), std::make_move_iterator(source.end()));
    };
    append(from.words, into.words);
    append(from.phrases, into.phrases);
    append(from.stop_words, into.stop_words);
    append(from.required, into.required);
    into.stop_texts.insert(into.stop_texts.end(), from.stop_texts.begin(), from.stop_texts.end());
  }

  QueryNode Strict(const Conjunction& conjunction) {
    if (!conjunction.words.empty()) {
      left_out_.insert(left_out_.end(), conjunction.stop_texts.begin(), conjunction.stop_texts.end());
    }
    std::vector<QueryNode> all = conjunction.words.empty() ? conjunction.stop_words : conjunction.words;
    all.insert(all.end(), conjunction.phrases.begin(), conjunction.phrases.end());
    all.insert(all.end(), conjunction.required.begin(), conjunction.required.end());
    return QueryNode::And(std::move(all));
  }

  // Without the words that say little in a question, where others are left that make it one.
  static std::vector<QueryNode> Telling(const std::vector<QueryNode>& words) {
    std::vector<QueryNode> telling;
    for (const QueryNode& word : words) {
      if (word.prefix || word.scope != TextScope::kAny || !IsFunctionWord(word.words.front())) telling.push_back(word);
    }
    return telling.size() >= kLeastTelling ? telling : words;
  }

  QueryNode Relaxed(const Conjunction& conjunction) {
    std::vector<QueryNode> hints = Telling(conjunction.words);
    for (const QueryNode& phrase : conjunction.phrases) {
      // Beside its words it counts for those who put it in quotation marks.
      const bool tells = std::any_of(phrase.words.begin(), phrase.words.end(),
                                     [](const std::string& word) { return !IsStopWord(word); });
      if (!phrase.joined || !tells) hints.push_back(phrase);
      for (size_t i = 0; i < phrase.words.size() && phrase.kind == QueryNode::Kind::kPhrase; ++i) {
        if (IsStopWord(phrase.words[i])) continue;
        QueryNode word;
        word.kind = QueryNode::Kind::kWord;
        word.scope = phrase.scope;
        word.words = {phrase.words[i]};
        word.stems = {phrase.stems[i]};
        const bool known = std::any_of(hints.begin(), hints.end(), [&](const QueryNode& hint) {
          return hint.kind == word.kind && hint.words == word.words && hint.scope == word.scope;
        });
        if (!known) hints.push_back(std::move(word));
      }
    }
    if (hints.size() < 2) return Strict(conjunction);
    std::vector<QueryNode> all = {QueryNode::Some(std::move(hints))};
    all.insert(all.end(), conjunction.required.begin(), conjunction.required.end());
    return QueryNode::And(std::move(all));
  }

  void Note(std::string note) {
    std::vector<std::string>& notes = result_.interpretation.notes;
    if (notes.size() < 10 && std::find(notes.begin(), notes.end(), note) == notes.end())
      notes.push_back(std::move(note));
  }
  // `part`, which is one of text_, has no effect. Parts of it that were left out before are of no more interest.
  void LeaveOut(absl::string_view part) {
    std::erase_if(left_out_, [&](absl::string_view other) {
      return other.data() >= part.data() && other.data() + other.size() <= part.data() + part.size();
    });
    left_out_.push_back(part);
  }
  void Ignore(absl::string_view part, absl::string_view why) {
    LeaveOut(part);
    Note(absl::StrCat("\"", part, "\" ", why, " and was ignored"));
  }
  // In the order of the text, each once, the first ten.
  void ListLeftOut() {
    std::sort(left_out_.begin(), left_out_.end(),
              [](absl::string_view a, absl::string_view b) { return a.data() < b.data(); });
    std::vector<std::string>& parts = result_.interpretation.ignored_parts;
    for (const absl::string_view part : left_out_) {
      if (parts.size() == 10) return;
      if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.emplace_back(part);
    }
  }

  size_t AfterBlanks(size_t place) const {
    while (place < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[place]))) ++place;
    return place;
  }
  void SkipBlanks() { pos_ = AfterBlanks(pos_); }
  // The blank-separated word at a place.
  absl::string_view WordAt(size_t place) const {
    size_t end = place;
    while (end < text_.size() && !absl::ascii_isspace(static_cast<unsigned char>(text_[end])) && text_[end] != '(' &&
           text_[end] != ')') {
      ++end;
    }
    return text_.substr(place, end - place);
  }
  absl::string_view PeekWord() const { return WordAt(pos_); }
  bool IsOperator(absl::string_view word) const {
    return operators_ && (word == "AND" || word == "OR" || word == "NOT");
  }
  // A question or a headline, which nobody would write in capitals for the sake of an operator.
  bool HasManyWords() const {
    constexpr int kMany = 5;
    int count = 0;
    bool others = false;  // Than operators.
    for (const absl::string_view word : absl::StrSplit(text_, absl::ByAnyChar(" ()"), absl::SkipEmpty())) {
      if (std::count_if(word.begin(), word.end(), [](unsigned char c) { return absl::ascii_isalpha(c); }) < 2) continue;
      ++count;
      others = others || (!IsOperator(word) && !IsNear(word));
    }
    return others && count >= kMany;
  }
  // A text that was pasted: "The court did NOT say so, according to two lawyers who were there." Its capitals are for
  // emphasis. Notes the operators that are words then.
  bool IsProse() {
    constexpr int kFewWords = 10;
    constexpr int kManyWords = 20;  // Without punctuation, too.
    constexpr int kStopWords = 3;
    constexpr int kWordsPerOperator = 6;
    int words = 0;
    int stop_words = 0;
    bool punctuated = false;
    std::vector<absl::string_view> operators;
    for (size_t place = 0; place < text_.size();) {
      if (QuotationMarkAt(text_.substr(place)) != nullptr) {
        if (const std::optional<Quoted> quoted = QuotedAt(place)) {
          place = quoted->end;
          continue;
        }
      }
      const absl::string_view word = WordAt(place);
      const size_t quote = FindQuotationMark(word.substr(std::min<size_t>(word.size(), 1)));
      const absl::string_view plain = quote == absl::string_view::npos ? word : word.substr(0, quote + 1);
      place += std::max<size_t>(plain.size(), 1);
      if (std::none_of(plain.begin(), plain.end(), [](unsigned char c) { return absl::ascii_isalpha(c); })) continue;
      ++words;
      if (IsOperator(plain) || (operators_ && IsNear(plain))) {
        operators.push_back(plain);
      } else if (IsStopWord(absl::AsciiStrToLower(plain))) {
        ++stop_words;
      }
      punctuated = punctuated || absl::StrContains(".,;!?", plain.substr(plain.size() - 1));
    }
    const bool prose = stop_words >= kStopWords && words >= (punctuated ? kFewWords : kManyWords) &&
                       words >= kWordsPerOperator * static_cast<int>(operators.size());
    if (!prose) return false;
    for (const absl::string_view word : operators) {
      Note(absl::StrCat("\"", word, "\" was read as a word, as in a text; it is an operator in a shorter query"));
    }
    return true;
  }
  bool TakeOperator(absl::string_view name) {
    SkipBlanks();
    if (!operators_ || PeekWord() != name) return false;
    pos_ += name.size();
    return true;
  }
  bool AtEnd() {
    SkipBlanks();
    return pos_ >= text_.size() || text_[pos_] == ')';
  }

  // and_part (OR and_part)*
  void ParseOr(int depth, Conjunction& out) {
    Conjunction first;
    const size_t places_before = result_.places.size();
    ParseAnd(depth, first);
    std::vector<QueryNode> alternatives;
    bool any_or = false;
    while (TakeOperator("OR")) {
      const absl::string_view word = text_.substr(pos_ - 2, 2);
      if (AtEnd() || first.empty()) {
        Ignore(word, "has nothing on one side");
        if (first.empty()) ParseAnd(depth, first);
        continue;
      }
      if (!any_or) alternatives.push_back(Strict(first));
      any_or = true;
      Conjunction next;
      ParseAnd(depth, next);
      if (!next.empty()) alternatives.push_back(Strict(next));
    }
    if (any_or) {
      for (size_t i = places_before; i < result_.places.size(); ++i) result_.places[i].alternative = true;
      out.required.push_back(QueryNode::Or(std::move(alternatives)));
    } else {
      Merge(std::move(first), out);
    }
  }

  void ParseAnd(int depth, Conjunction& out) {
    while (!AtEnd()) {
      const absl::string_view word = PeekWord();
      if (IsOperator(word) && word == "OR") return;
      if (IsOperator(word) && word == "AND") {
        pos_ += word.size();
        if (out.empty() || AtEnd() || PeekWord() == "OR") {
          Ignore(word, "has nothing on one side");
          continue;
        }
        // What is joined by AND is asked for: it can't be relaxed.
        Conjunction next;
        ParseUnary(depth, next);
        if (!out.words.empty()) {
          left_out_.insert(left_out_.end(), out.stop_texts.begin(), out.stop_texts.end());
          out.stop_words.clear();
          out.stop_texts.clear();
        }
        for (std::vector<QueryNode>* list : {&out.words, &out.phrases}) {
          out.required.insert(out.required.end(), list->begin(), list->end());
          list->clear();
        }
        if (!next.empty()) out.required.push_back(Strict(next));
        continue;
      }
      ParseUnary(depth, out);
    }
  }

  void ParseUnary(int depth, Conjunction& out) {
    SkipBlanks();
    const bool is_not = operators_ && PeekWord() == "NOT";
    const bool is_minus = !is_not && pos_ + 1 < text_.size() && text_[pos_] == '-' &&
                          !absl::ascii_isspace(static_cast<unsigned char>(text_[pos_ + 1])) && text_[pos_ + 1] != '-' &&
                          text_[pos_ + 1] != ')';
    if (!is_not && !is_minus) {
      ParsePrimary(depth, out);
      return;
    }
    const size_t start = pos_;
    pos_ += is_not ? 3 : 1;
    if (AtEnd()) {
      Ignore(text_.substr(start, is_not ? 3 : 1), "has nothing behind it");
      return;
    }
    Conjunction negated;
    const size_t words_before = result_.words.size();
    const size_t places_before = result_.places.size();
    const size_t phrases_before = result_.phrases.size();
    ++negations_;
    if (depth < kMaxNesting) {
      ParseUnary(depth + 1, negated);
    } else {
      ParsePrimary(depth, negated);
    }
    --negations_;
    // What must not be there is neither highlighted nor corrected.
    result_.words.resize(words_before);
    result_.places.resize(places_before);
    result_.phrases.resize(phrases_before);
    if (negated.empty()) {
      LeaveOut(text_.substr(start, pos_ - start));
      return;
    }
    out.required.push_back(QueryNode::Not(Strict(negated)));
  }

  void ParsePrimary(int depth, Conjunction& out) {
    SkipBlanks();
    if (pos_ >= text_.size()) return;
    const char c = text_[pos_];
    const size_t start = pos_;
    if (c == '(') {
      ++pos_;
      if (depth >= kMaxNesting) {
        Ignore(text_.substr(start, 1), "is nested too deeply");
        return;
      }
      Conjunction inner;
      ParseOr(depth + 1, inner);
      SkipBlanks();
      if (pos_ < text_.size() && text_[pos_] == ')') {
        ++pos_;
      } else {
        Note("a parenthesis was not closed");
      }
      if (inner.empty()) LeaveOut(text_.substr(start, pos_ - start));
      Merge(std::move(inner), out);
      return;
    }
    if (c == ')' || ParseNear(out)) return;
    if (const QuotationMark* mark = QuotationMarkAt(text_.substr(pos_))) {
      if (const std::optional<absl::string_view> quoted = TakeQuoted()) {
        if (!group_field_.empty()) {
          ApplyField(group_field_, {*quoted, true}, start, out);
        } else if (!AddPhrase(*quoted, TextScope::kAny, out)) {
          LeaveOut(text_.substr(start, pos_ - start));
        }
      } else {
        pos_ += mark->mark.size();
        LeaveOut(text_.substr(start, mark->mark.size()));
        Note("a quotation mark was not closed; the words were searched as they are");
      }
      return;
    }
    const absl::string_view word = PeekWord();
    bool near_literally = false;
    if (operators_ && IsNear(word)) {
      const bool growing = mode_ == MatchMode::kPrefixLastWord && pos_ + word.size() == text_.size();
      if (growing || pos_ == unfinished_near_) {
        pos_ += word.size();
        Ignore(word, "counts once the word behind it is finished");
        return;
      }
      Note(absl::StrCat("\"", word, "\" was searched literally; NEAR stands between single whole words of one field, ",
                        "NEAR/5 if they may be 5 words apart, at most ", kMaxNearDistance));
      near_literally = true;
    }
    const size_t colon = word.find(':');
    if (colon != absl::string_view::npos && colon > 0) {
      if (ParseField(depth, word.substr(0, colon), out)) return;
      if (colon + 1 < word.size()) NoteForeignField(word.substr(0, colon));
    }
    const size_t quote = FindQuotationMark(word);
    const absl::string_view plain = quote == absl::string_view::npos || quote == 0 ? word : word.substr(0, quote);
    pos_ += std::max<size_t>(plain.size(), 1);
    if (!group_field_.empty()) {
      ApplyField(group_field_, {plain, false}, start, out);
      return;
    }
    const bool starred = plain.size() > 1 && plain.back() == '*';
    const bool growing = mode_ == MatchMode::kPrefixLastWord && pos_ >= text_.size();
    if (starred && plain.size() <= kMinPrefixBytes) {
      Note(absl::StrCat("\"", plain, "\" was searched as a word; what stands before * needs two letters"));
    }
    const bool added = near_literally ? AddWords(plain, TextScope::kAny, starred || growing, out)
                                      : AddText(plain, TextScope::kAny, starred, growing, out);
    if (!added) {
      LeaveOut(plain);
    } else if (HasTellingSign(plain)) {
      Note(absl::StrCat("\"", plain, "\" was searched without its signs"));
    }
  }

  static bool IsNear(absl::string_view word) { return word == "NEAR" || absl::StartsWith(word, "NEAR/"); }

  struct NearOperator {
    size_t place = 0;
    size_t end = 0;
    int distance = kDefaultNearDistance;
  };
  // At or behind a place.
  std::optional<NearOperator> PeekNear(size_t place) const {
    NearOperator near;
    near.place = AfterBlanks(place);
    absl::string_view word = WordAt(near.place);
    if (!IsNear(word)) return std::nullopt;
    near.end = near.place + word.size();
    if (!absl::ConsumePrefix(&word, "NEAR/")) return near;
    const bool digits = std::all_of(word.begin(), word.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
    if (!digits || !absl::SimpleAtoi(word, &near.distance) || near.distance < 1 || near.distance > kMaxNearDistance) {
      return std::nullopt;
    }
    return near;
  }

  struct NearOperand {
    TextScope scope = TextScope::kAny;
    absl::string_view text;
    size_t end = 0;  // In text_.
    bool growing = false;
  };
  // A single whole word at a place, quoted or not, with a field of text before it or not.
  std::optional<NearOperand> PeekNearOperand(size_t place) {
    NearOperand operand;
    operand.scope = TextScopeOf(group_field_).value_or(TextScope::kAny);
    absl::string_view word = WordAt(place);
    if (word.empty() || word[0] == '-' || IsOperator(word) || IsNear(word)) return std::nullopt;
    if (const size_t colon = word.find(':'); colon != absl::string_view::npos) {
      const std::string name = absl::AsciiStrToLower(word.substr(0, colon));
      if (const std::optional<TextScope> scope = TextScopeOf(name)) {
        operand.scope = *scope;
        place += colon + 1;
        word.remove_prefix(colon + 1);
      } else if (IsConditionName(name)) {
        return std::nullopt;
      }
    }
    if (QuotationMarkAt(word) != nullptr) {
      const std::optional<Quoted> quoted = QuotedAt(place);
      if (!quoted) return std::nullopt;
      operand.text = quoted->text;
      operand.end = quoted->end;
    } else {
      if (FindQuotationMark(word) != absl::string_view::npos || absl::EndsWith(word, "*")) return std::nullopt;
      operand.text = word;
      operand.end = place + word.size();
      operand.growing = mode_ == MatchMode::kPrefixLastWord && operand.end == text_.size();
    }
    // Only looks: what it counts and where it stands is taken once the whole is understood.
    const int terms_before = terms_;
    const size_t places_before = result_.places.size();
    const bool single = WordsOf(operand.text, operand.scope).size() == 1;
    terms_ = terms_before;
    result_.places.resize(places_before);
    if (!single) return std::nullopt;
    return operand;
  }

  // operand (NEAR operand)+; otherwise false, and nothing was consumed.
  bool ParseNear(Conjunction& out) {
    if (!operators_ || !absl::StrContains(text_.substr(pos_), "NEAR") || IsConditionName(group_field_)) return false;
    const std::optional<NearOperand> first = PeekNearOperand(pos_);
    if (!first) return false;
    std::vector<NearOperand> operands = {*first};
    QueryNode node;
    node.kind = QueryNode::Kind::kNear;
    node.scope = first->scope;
    while (const std::optional<NearOperator> near = PeekNear(operands.back().end)) {
      const std::optional<NearOperand> next = PeekNearOperand(AfterBlanks(near->end));
      if (!next || next->scope != node.scope) break;
      if (next->growing) {
        unfinished_near_ = near->place;
        break;
      }
      node.distance = std::max(node.distance, near->distance);
      operands.push_back(*next);
    }
    if (operands.size() == 1) return false;
    pos_ = operands.back().end;
    for (const NearOperand& operand : operands) {
      AddWritten(WordsOf(operand.text, node.scope), /*in_phrase=*/false, node);
    }
    out.required.push_back(std::move(node));
    return true;
  }

  struct Quoted {
    absl::string_view text;  // Without its marks.
    size_t end = 0;          // Behind them.
  };
  // What is in quotation marks, of which one opens at a place; nullopt if none closes.
  std::optional<Quoted> QuotedAt(size_t open) const {
    const QuotationMark& mark = *QuotationMarkAt(text_.substr(open));
    const size_t start = open + mark.mark.size();
    std::optional<Quoted> other;
    for (size_t place = start; place < text_.size(); ++place) {
      const QuotationMark* found = QuotationMarkAt(text_.substr(place));
      if (found == nullptr) continue;
      const Quoted quoted{text_.substr(start, place - start), place + found->mark.size()};
      if (absl::StrContains(mark.closers, found->mark)) return quoted;
      if (!other && absl::StrContains(mark.others, found->mark)) other = quoted;
    }
    return other;
  }
  std::optional<absl::string_view> TakeQuoted() {
    const std::optional<Quoted> quoted = QuotedAt(pos_);
    if (!quoted) return std::nullopt;
    pos_ = quoted->end;
    return quoted->text;
  }

  // A value of a field, quoted or not.
  struct FieldValue {
    absl::string_view text;
    bool quoted = false;
  };
  // The one at pos_, or nullopt. Moves behind it.
  std::optional<FieldValue> TakeValue() {
    if (QuotationMarkAt(text_.substr(pos_)) != nullptr) {
      const size_t before = pos_;
      if (const auto quoted = TakeQuoted(); quoted && !absl::StripAsciiWhitespace(*quoted).empty()) {
        return FieldValue{*quoted, true};
      }
      pos_ = before;
    } else if (const absl::string_view word = PeekWord(); !word.empty()) {
      pos_ += word.size();
      return FieldValue{word, false};
    }
    return std::nullopt;
  }
  // Whether the word at a place may be the value of a field that a blank divides from it.
  bool MayBeValue(size_t place) const {
    const absl::string_view word = WordAt(place);
    if (IsOperator(word) || (operators_ && IsNear(word)) || absl::StartsWith(word, "-")) return false;
    const std::string name = absl::AsciiStrToLower(word.substr(0, word.find(':')));
    return name.size() == word.size() || !(TextScopeOf(name) || IsConditionName(name));
  }

  static std::optional<TextScope> TextScopeOf(absl::string_view name) {
    if (name == "title") return TextScope::kTitle;
    if (name == "author") return TextScope::kAuthor;
    if (name == "source") return TextScope::kSource;
    return std::nullopt;
  }
  static bool IsConditionName(absl::string_view name) {
    constexpr std::array<absl::string_view, 8> kConditions = {"before",  "after", "newer_than", "older_than",
                                                              "country", "group", "issue",      "language"};
    return std::find(kConditions.begin(), kConditions.end(), name) != kConditions.end();
  }

  // Fields that other search boxes or our own filters have: who types one of them expects that it is one.
  void NoteForeignField(absl::string_view name) {
    static constexpr std::array<std::pair<absl::string_view, absl::string_view>, 14> kMeant = {
        {{"region_code", "country:"},
         {"region", "country:"},
         {"group_id", "group:"},
         {"issue_id", "issue:"},
         {"topic", "issue:"},
         {"tag", "issue:"},
         {"language_code", "language:"},
         {"lang", "language:"},
         {"site", "source:"},
         {"intitle", "title:"},
         {"since", "after:"},
         {"until", "before:"},
         {"year", "after: and before:"},
         {"publish_time", "after: and before:"}}};
    const std::string typed = absl::AsciiStrToLower(name);
    for (const auto& [foreign, meant] : kMeant) {
      if (typed != foreign) continue;
      Note(absl::StrCat("\"", name, ":\" is no field here and was searched as a word; there is ", meant));
      return;
    }
  }

  // "name:value", "name: value" or "name:(...)". False if it is none of these: nothing was consumed, and it is searched
  // as words.
  bool ParseField(int depth, absl::string_view name, Conjunction& out) {
    const std::string field = absl::AsciiStrToLower(name);
    const bool is_text = TextScopeOf(field).has_value();
    if (!is_text && !IsConditionName(field)) return false;
    const size_t before = pos_;
    const size_t behind = pos_ + name.size() + 1;
    pos_ = AfterBlanks(behind);
    const bool apart = pos_ > behind;
    if (pos_ < text_.size() && text_[pos_] == '(' && !(apart && prose_)) {
      const std::string outer = std::exchange(group_field_, field);
      Conjunction inner;
      ParsePrimary(depth, inner);
      group_field_ = outer;
      if (inner.empty()) {
        LeaveOut(text_.substr(before, pos_ - before));
      } else {
        Note(absl::StrCat("\"", name, ":\" was applied to all that is in its parentheses"));
        Merge(std::move(inner), out);
      }
      return true;
    }
    if (!apart || (!prose_ && MayBeValue(pos_))) {
      if (const std::optional<FieldValue> value = TakeValue()) {
        if (!apart) {
          ApplyField(field, *value, before, out);
          return true;
        }
        // "Country: a history" is no condition, but words.
        std::optional<QueryNode> condition = is_text ? std::nullopt : ConditionOf(field, value->text);
        if (is_text || condition) {
          Note(absl::StrCat("\"", name, ":\" was applied to what follows the blank behind it"));
          if (is_text) {
            ApplyField(field, *value, before, out);
          } else {
            ++terms_;
            out.required.push_back(*std::move(condition));
          }
          return true;
        }
      }
    }
    Note(absl::StrCat("\"", name, ":\" has no value; it was searched as a word"));
    pos_ = before;
    return false;
  }

  // What `field` makes of a value. `start`: where the part of the text begins that says so, up to pos_.
  void ApplyField(const std::string& field, const FieldValue& value, size_t start, Conjunction& out) {
    const absl::string_view part = text_.substr(start, pos_ - start);
    const bool starred = !value.quoted && value.text.size() > 1 && value.text.back() == '*';
    const bool growing = !value.quoted && mode_ == MatchMode::kPrefixLastWord && pos_ >= text_.size();
    const auto add = [&](TextScope scope, Conjunction& to) {
      return value.quoted ? AddPhrase(value.text, scope, to) : AddText(value.text, scope, starred, growing, to);
    };
    ++terms_;
    const bool is_time = absl::StrContains(field, "_than") || field == "before" || field == "after";
    if (!value.quoted && !is_time && value.text.size() > 1 && value.text[0] == '-') {
      Note(absl::StrCat("the - in \"", part, "\" leaves nothing out; -", field, ":", value.text.substr(1), " does"));
    }
    if (const std::optional<TextScope> scope = TextScopeOf(field)) {
      Conjunction words;
      if (add(*scope, words)) {
        out.required.push_back(Strict(words));
      } else {
        LeaveOut(part);
      }
      return;
    }
    if (std::optional<QueryNode> condition = ConditionOf(field, value.text)) {
      out.required.push_back(*std::move(condition));
      return;
    }
    std::string expected = absl::StrCat("no known ", field);
    if (field == "before" || field == "after") {
      expected = "no date such as 2026-03-15";
    } else if (field == "newer_than" || field == "older_than") {
      expected = "no span of time such as 12h, 7d, 2w, 3m or 1y";
    } else if (field == "language") {
      expected = "no language tag such as en or pt-BR";
    }
    Note(absl::StrCat("\"", value.text, "\" is ", expected, "; it was searched as words"));
    // No other spelling of it would be one either, nor is it the name of something else.
    const size_t places_before = result_.places.size();
    if (!add(TextScope::kAny, out)) LeaveOut(part);
    result_.places.resize(places_before);
  }

  // What a field that is none of text asks for; nullopt if it has no such value.
  std::optional<QueryNode> ConditionOf(absl::string_view field, absl::string_view value) {
    if (field == "before" || field == "after") {
      const std::optional<DateSpan> date = ParseDate(value);
      if (!date) return std::nullopt;
      return field == "before" ? TimeNode(Field::kPublishTime, std::nullopt, date->start)
                               : TimeNode(Field::kPublishTime, date->start, std::nullopt);
    }
    if (field == "newer_than" || field == "older_than") {
      const std::optional<int64_t> time = TimeBefore(value, now_);
      if (!time) return std::nullopt;
      result_.relative = true;
      return field == "older_than" ? TimeNode(Field::kPublishTime, std::nullopt, *time)
                                   : TimeNode(Field::kPublishTime, *time, std::nullopt);
    }
    if (field == "language") {
      if (IsLanguageTag(value)) return QueryNode::Term({Field::kLanguage, ""}, value);
      const std::string tag = common::LanguageOfName(value);
      if (tag.empty()) return std::nullopt;
      Note(absl::StrCat("\"", value, "\" was taken for the language ", tag));
      return QueryNode::Term({Field::kLanguage, ""}, tag);
    }
    std::vector<QueryNode> targets = LabelTargets(field, value);
    if (targets.empty()) return std::nullopt;
    return QueryNode::Or(std::move(targets));
  }

  std::vector<QueryNode> LabelTargets(absl::string_view field, absl::string_view value) const {
    const bool is_issue = field == "issue";
    std::vector<QueryNode> nodes;
    if (is_issue) {
      AddLabel(Dimension::kIssue, value, names_, nodes);
    } else {
      AddLabel(Dimension::kCountry, absl::AsciiStrToUpper(value), names_, nodes);
      AddLabel(Dimension::kGroup, absl::AsciiStrToLower(value), names_, nodes);
    }
    if (!nodes.empty()) return nodes;
    for (const Taxonomy::Target& target : names_.taxonomy.ByName(value)) {
      if ((target.dimension == Dimension::kIssue) == is_issue) AddLabel(target.dimension, target.id, names_, nodes);
    }
    return nodes;
  }

  // The words that a query is matched by. Scripts without spaces: the pairs, unless a character stands alone.
  // `text` is part of the query, and so is what each word is given with: where it stands.
  std::vector<std::pair<Word, absl::string_view>> WordsOf(absl::string_view text, TextScope scope) {
    const std::vector<Token> tokens = analyzer_.Tokenize(text, language_);
    const auto offset = static_cast<size_t>(text.data() - text_.data());
    std::vector<std::pair<Word, absl::string_view>> words;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].single) {
        if (scope == TextScope::kAny) {
          result_.places.push_back({tokens[i].word->folded, offset + tokens[i].start, offset + tokens[i].end});
          result_.places.back().character = true;
        }
        const bool begins_pair = i + 1 < tokens.size() && tokens[i + 1].pair && tokens[i + 1].start == tokens[i].start;
        const bool ends_pair = i > 0 && tokens[i - 1].pair && tokens[i - 1].end == tokens[i].end;
        if (begins_pair || ends_pair) continue;
      }
      words.emplace_back(*tokens[i].word, text.substr(tokens[i].start, tokens[i].end - tokens[i].start));
      if (scope == TextScope::kAny && !tokens[i].pair && !tokens[i].single) {
        result_.places.push_back({tokens[i].word->folded, offset + tokens[i].start, offset + tokens[i].end});
      }
    }
    terms_ += static_cast<int>(words.size());
    return words;
  }

  // False if there are none, in which case `text` has no effect. So AddText and AddPhrase.
  bool AddWords(absl::string_view text, TextScope scope, bool may_be_prefix, Conjunction& out) {
    const auto words = WordsOf(text, scope);
    for (size_t i = 0; i < words.size(); ++i) {
      const auto& [word, place] = words[i];
      QueryNode node;
      node.kind = QueryNode::Kind::kWord;
      node.scope = scope;
      node.words = {word.folded};
      node.stems = {word.stem};
      node.prefix = may_be_prefix && i + 1 == words.size() && word.folded.size() >= kMinPrefixBytes;
      // A first letter that somebody has typed of a word says as little as "the".
      const bool begun = may_be_prefix && i + 1 == words.size() && word.folded.size() < kMinPrefixBytes;
      const bool stop = scope == TextScope::kAny && !node.prefix && (begun || IsStopWord(word.folded));
      if (stop) out.stop_texts.push_back(place);
      std::vector<QueryNode>& list = stop ? out.stop_words : out.words;
      const auto same = std::find_if(list.begin(), list.end(), [&](const QueryNode& other) {
        return other.words == node.words && other.scope == node.scope && other.prefix == node.prefix;
      });
      if (same != list.end()) {
        ++same->repeated;
        continue;
      }
      SearchedWord searched{word, node.prefix, scope};
      std::vector<SearchedWord>& all = stop ? stop_words_ : result_.words;
      if (stop && negations_ > 0) {
        list.push_back(std::move(node));
        continue;
      }
      if (const auto known = std::find(all.begin(), all.end(), searched); known == all.end()) {
        all.push_back(std::move(searched));
      } else if (known->in_phrase && negations_ == 0) {
        *known = std::move(searched);
      }
      if (!stop && !node.prefix) AddSynonyms(word, node);
      list.push_back(std::move(node));
    }
    return !words.empty();
  }

  // What is quoted, negated or of a field is meant as it is written.
  void AddSynonyms(const Word& word, QueryNode& node) {
    if (names_.synonyms == nullptr || names_.synonyms->empty()) return;
    if (negations_ > 0 || node.scope != TextScope::kAny || mode_ == MatchMode::kLiteral) return;
    // Synonyms go by what the script alone makes of a word.
    const std::string stem = language_.empty() ? word.stem : StemOf(word.folded, "");
    node.synonyms = names_.synonyms->Of(stem);
    if (node.synonyms.empty()) return;
    for (const std::string& synonym : node.synonyms) {
      node.synonym_stems.push_back(StemOf(synonym, language_));
      SearchedWord searched{Word{synonym, node.synonym_stems.back()}, false, node.scope};
      std::vector<SearchedWord>& words = result_.synonym_words;
      if (std::find(words.begin(), words.end(), searched) == words.end()) words.push_back(std::move(searched));
    }
    std::vector<WordSynonyms>& all = result_.synonyms;
    const bool known =
        std::any_of(all.begin(), all.end(), [&](const WordSynonyms& other) { return other.word == word.folded; });
    if (!known) all.push_back({word.folded, node.synonyms});
  }

  std::string StemOf(absl::string_view word, absl::string_view language) {
    const std::vector<Token> tokens = analyzer_.Tokenize(word, language);
    return tokens.size() == 1 ? tokens[0].word->stem : std::string(word);
  }

  // AddWords, but words that mean something side by side only are a phrase; once the last of them is finished.
  bool AddText(absl::string_view text, TextScope scope, bool starred, bool growing, Conjunction& out) {
    bool any = false;
    while (!starred) {
      const std::optional<Span> joined = FindJoined(text);
      if (!joined) break;
      const absl::string_view words = text.substr(joined->start, joined->end - joined->start);
      if (growing && joined->end == text.size() && !absl::StrContains(words, '&')) break;
      any = AddWords(text.substr(0, joined->start), scope, /*may_be_prefix=*/false, out) || any;
      if (AddPhrase(words, scope, out)) {
        any = true;
        out.phrases.back().joined = true;
      }
      text.remove_prefix(joined->end);
    }
    return AddWords(text, scope, starred || growing, out) || any;
  }

  bool AddPhrase(absl::string_view text, TextScope scope, Conjunction& out) {
    const auto words = WordsOf(text, scope);
    if (words.empty()) return false;
    QueryNode node;
    node.kind = words.size() == 1 ? QueryNode::Kind::kWord : QueryNode::Kind::kPhrase;
    node.scope = scope;
    // Of a script without spaces the characters are found for themselves.
    const bool phrase = words.size() > 1 && std::none_of(words.begin(), words.end(),
                                                         [](const auto& word) { return IsUnspaced(word.second); });
    AddWritten(words, phrase, node);
    if (phrase) result_.phrases.push_back({node.words, scope});
    // Quoted words are meant as they stand.
    if (words.size() == 1) {
      node.quoted = true;
      node.stems = node.words;
    }
    out.phrases.push_back(std::move(node));
    return true;
  }

  // Words that are searched as they are written, without other forms.
  void AddWritten(const std::vector<std::pair<Word, absl::string_view>>& words, bool in_phrase, QueryNode& node) {
    for (const auto& [word, place] : words) {
      node.words.push_back(word.folded);
      node.stems.push_back(word.stem);
      SearchedWord searched{Word{word.folded, word.folded}, false, node.scope, in_phrase};
      const auto known = std::find(result_.words.begin(), result_.words.end(), searched);
      if (known == result_.words.end()) {
        result_.words.push_back(std::move(searched));
      } else if (negations_ == 0) {
        known->in_phrase = known->in_phrase && in_phrase;
      }
    }
  }

  const absl::string_view text_;
  const MatchMode mode_;
  const absl::string_view language_;
  const LabelNames& names_;
  const absl::Time now_;
  TextAnalyzer& analyzer_;
  bool operators_ = true;  // AND, OR, NOT and NEAR are no words.
  bool prose_ = false;
  std::string group_field_;  // The field whose parentheses are being read.
  size_t pos_ = 0;
  size_t unfinished_near_ = absl::string_view::npos;  // Where a NEAR stands before a word that is being typed.
  int terms_ = 0;
  std::vector<SearchedWord> stop_words_;     // Of no field, not negated.
  int negations_ = 0;                        // Around what is being read.
  std::vector<absl::string_view> left_out_;  // Parts of text_ without effect, in no order.
  ParsedQuery result_;
};

// Reads `filter`: every doubt is an error.
class FilterParser {
 public:
  FilterParser(absl::string_view text, const LabelNames& names) : text_(text), names_(names) {}

  absl::StatusOr<QueryNode> Parse() {
    SkipBlanks();
    if (pos_ == text_.size()) return QueryNode::All();
    ASSIGN_OR_RETURN(QueryNode node, ParseExpression(0));
    if (pos_ < text_.size()) return Error("expected AND, OR or the end");
    return node;
  }

 private:
  absl::Status Error(absl::string_view what) const {
    return common::InvalidField("filter", absl::StrCat("at byte ", pos_, ": ", what));
  }
  void SkipBlanks() {
    while (pos_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[pos_]))) ++pos_;
  }
  // What somebody meant who writes operators as other languages have them.
  static std::string OperatorHint(absl::string_view typed) {
    std::string meant = absl::AsciiStrToUpper(typed);
    if (meant == "&&") meant = "AND";
    if (meant == "||") meant = "OR";
    if (meant != "AND" && meant != "OR" && meant != "NOT") return "";
    return absl::StrCat(", not \"", typed, "\"; the operator is ", meant);
  }
  bool TakeWord(absl::string_view word) {
    if (!absl::StartsWith(text_.substr(pos_), word)) return false;
    const size_t end = pos_ + word.size();
    if (end < text_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) {
      return false;
    }
    pos_ = end;
    SkipBlanks();
    return true;
  }

  absl::StatusOr<QueryNode> ParseExpression(int depth) {
    std::vector<QueryNode> all;
    while (true) {
      ASSIGN_OR_RETURN(QueryNode factor, ParseFactor(depth));
      all.push_back(std::move(factor));
      SkipBlanks();
      if (pos_ == text_.size() || text_[pos_] == ')') return QueryNode::And(std::move(all));
      // Between factors AND may be left out.
      if (TakeWord("AND") && pos_ == text_.size()) return Error("expected a condition behind AND");
    }
  }

  absl::StatusOr<QueryNode> ParseFactor(int depth) {
    std::vector<QueryNode> any;
    do {
      ASSIGN_OR_RETURN(QueryNode term, ParseTerm(depth));
      any.push_back(std::move(term));
      SkipBlanks();
    } while (TakeWord("OR"));
    return QueryNode::Or(std::move(any));
  }

  absl::StatusOr<QueryNode> ParseTerm(int depth) {
    if (depth >= kMaxNesting) return Error(absl::StrCat("is nested more than ", kMaxNesting, " deep"));
    if (TakeWord("NOT")) {
      ASSIGN_OR_RETURN(QueryNode term, ParseTerm(depth + 1));
      return QueryNode::Not(std::move(term));
    }
    if (pos_ < text_.size() && text_[pos_] == '-') {
      ++pos_;
      ASSIGN_OR_RETURN(QueryNode term, ParseTerm(depth + 1));
      return QueryNode::Not(std::move(term));
    }
    if (pos_ < text_.size() && text_[pos_] == '(') {
      ++pos_;
      SkipBlanks();
      ASSIGN_OR_RETURN(QueryNode inner, ParseExpression(depth + 1));
      if (pos_ == text_.size()) return Error("expected )");
      ++pos_;
      SkipBlanks();
      return inner;
    }
    return ParseRestriction();
  }

  absl::StatusOr<QueryNode> ParseRestriction() {
    if (++comparisons_ > kMaxQueryTerms) {
      return common::InvalidField("filter", absl::StrCat("has more than ", kMaxQueryTerms, " comparisons"));
    }
    const size_t start = pos_;
    while (pos_ < text_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text_[pos_])) || text_[pos_] == '_' ||
                                   text_[pos_] == '.' || text_[pos_] == '-')) {
      ++pos_;
    }
    const absl::string_view name = text_.substr(start, pos_ - start);
    if (name.empty()) return Error(absl::StrCat("expected a field name", OperatorHint(text_.substr(start, 2))));
    const std::optional<FieldRef> ref = ParseFieldName(name);
    if (!ref) {
      pos_ = start;
      const std::string hint = OperatorHint(name);
      if (!hint.empty()) return Error(absl::StrCat("expected a field name", hint));
      return Error(absl::StrCat("there is no field \"", name,
                                "\"; there are region_code, group_id, issue_id, source, author, language_code, "
                                "content_type, year, month, publish_time, update_time, id, url and attributes.NAME"));
    }
    SkipBlanks();
    absl::string_view comparison;
    for (const absl::string_view known : {"<=", ">=", "!=", "=", "<", ">", ":"}) {
      if (absl::StartsWith(text_.substr(pos_), known)) {
        comparison = known;
        break;
      }
    }
    if (comparison.empty()) return Error("expected one of = != < <= > >= :");
    pos_ += comparison.size();
    if (comparison == "=" && absl::StartsWith(text_.substr(pos_), "=")) {
      return Error("expected a value; equality is asked for with one =");
    }
    SkipBlanks();
    const size_t value_start = pos_;
    ASSIGN_OR_RETURN(const std::string value, ParseValue());
    if (text_.substr(value_start, pos_ - value_start) == "*") {
      pos_ = value_start;
      return Error(absl::StrCat("expected a value of ", name,
                                ": whether there is any can't be asked for; a value that is * "
                                "itself stands in quotes"));
    }
    SkipBlanks();
    if (IsTime(ref->field)) {
      if (!ParseDate(value)) pos_ = value_start;
      return TimeCondition(ref->field, comparison, value);
    }
    if (comparison == "=" || comparison == ":") return ValueCondition(*ref, value, names_, "filter");
    if (comparison == "!=") {
      ASSIGN_OR_RETURN(QueryNode node, ValueCondition(*ref, value, names_, "filter"));
      return QueryNode::Not(std::move(node));
    }
    if (ref->field == Field::kYear) {
      RETURN_IF_ERROR(CheckSpan(*ref, value, "filter"));
      return TimeCondition(Field::kPublishTime, comparison, value);
    }
    return Error(absl::StrCat(comparison, " compares times; ", name, " takes = and !="));
  }

  absl::StatusOr<QueryNode> TimeCondition(Field field, absl::string_view comparison, const std::string& value) const {
    const std::optional<DateSpan> date = ParseDate(value);
    if (!date)
      return Error(
          absl::StrCat("\"", value, "\" is no time such as 2026-03-15T12:00:00Z, 2026-03-15, 2026-03 or 2026"));
    if (comparison == "<") return TimeNode(field, std::nullopt, date->start);
    if (comparison == "<=") return TimeNode(field, std::nullopt, date->end);
    if (comparison == ">") return TimeNode(field, date->end, std::nullopt);
    if (comparison == ">=") return TimeNode(field, date->start, std::nullopt);
    QueryNode node = TimeNode(field, date->start, date->end);
    return comparison == "!=" ? QueryNode::Not(std::move(node)) : node;
  }

  absl::StatusOr<std::string> ParseValue() {
    std::string value;
    if (pos_ < text_.size() && (text_[pos_] == '"' || text_[pos_] == '\'')) {
      const char quote = text_[pos_++];
      while (pos_ < text_.size() && text_[pos_] != quote) {
        if (text_[pos_] == '\\' && pos_ + 1 < text_.size()) ++pos_;
        value.push_back(text_[pos_++]);
      }
      if (pos_ == text_.size()) return Error("the string is not closed");
      ++pos_;
      return value;
    }
    for (const absl::string_view mark : {"“", "”", "„", "‘", "’", "«"}) {
      if (absl::StartsWith(text_.substr(pos_), mark)) {
        return Error(absl::StrCat("expected a value; strings stand in \" or ', not in ", mark));
      }
    }
    while (pos_ < text_.size() && !absl::ascii_isspace(static_cast<unsigned char>(text_[pos_])) && text_[pos_] != ')' &&
           text_[pos_] != '(' && text_[pos_] != '"') {
      value.push_back(text_[pos_++]);
    }
    if (value.empty()) return Error("expected a value");
    return value;
  }

  const absl::string_view text_;
  const LabelNames& names_;
  size_t pos_ = 0;
  size_t comparisons_ = 0;
};

}  // namespace

absl::StatusOr<ParsedQuery> ParseQuery(absl::string_view text, MatchMode mode, absl::string_view language_code,
                                       const LabelNames& names, absl::Time now, TextAnalyzer& analyzer) {
  if (text.size() > kMaxQueryBytes) {
    return common::InvalidField(
        "query", absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxQueryBytes, " are allowed"));
  }
  if (!common::IsValidUtf8(text)) return common::InvalidField("query", "is not valid UTF-8");
  HumanParser parser(text, mode, language_code, names, now, analyzer);
  ParsedQuery parsed = parser.Parse();
  if (parser.terms() > static_cast<int>(kMaxQueryTerms)) {
    return common::InvalidField(
        "query", absl::StrCat("has ", parser.terms(), " terms; at most ", kMaxQueryTerms, " are allowed"));
  }
  // What is said of it couldn't be sent again.
  if (NestingOf(parsed.strict) > kMaxNesting) {
    // Its operators are words now, but such as don't count beside others.
    parsed = HumanParser(text, MatchMode::kLiteral, language_code, names, now, analyzer).Parse();
    parsed.interpretation.notes.push_back(absl::StrCat("the query means groups more than ", kMaxNesting,
                                                       " deep in one another; its words were searched"));
  }
  return parsed;
}

absl::StatusOr<QueryNode> ParseFilter(absl::string_view text, const LabelNames& names) {
  if (text.size() > kMaxFilterBytes) {
    return common::InvalidField(
        "filter", absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxFilterBytes, " are allowed"));
  }
  if (!common::IsValidUtf8(text)) return common::InvalidField("filter", "is not valid UTF-8");
  return FilterParser(text, names).Parse();
}

absl::StatusOr<QueryNode> ValueCondition(const FieldRef& ref, absl::string_view value, const LabelNames& names,
                                         absl::string_view request_field) {
  if (value.empty())
    return common::InvalidField(request_field, absl::StrCat("a value of ", FieldName(ref), " is empty"));
  if (!common::IsValidUtf8(value)) return common::InvalidField(request_field, "is not valid UTF-8");
  if (IsTime(ref.field)) {
    return common::InvalidField(request_field, absl::StrCat(FieldName(ref), " is compared in `filter` only"));
  }
  if (ref.field == Field::kLanguage && !IsLanguageTag(value)) {
    return common::InvalidField(
        request_field, absl::StrCat("language_code \"", value, "\" is no BCP 47 tag such as \"en\" or \"pt-BR\""));
  }
  RETURN_IF_ERROR(CheckSpan(ref, value, request_field));
  const std::optional<Dimension> dimension = DimensionOf(ref.field);
  if (!dimension) return QueryNode::Term(ref, value);
  std::vector<QueryNode> nodes;
  AddLabel(*dimension, value, names, nodes);
  if (nodes.empty() && names.taxonomy.empty() && *dimension != Dimension::kCountry) {
    // The first answer of the classifier brings it; until then nothing has such a label.
    return common::WithReason(
        common::Unavailable(absl::StrCat(request_field, ": there is no taxonomy yet to check ", FieldName(ref), " \"",
                                         value, "\" against; try again once the classifier service was reached"),
                            kTaxonomyRetry),
        kReasonTaxonomyUnavailable);
  }
  if (nodes.empty()) {
    return common::InvalidField(
        request_field, absl::StrCat("there is no ", FieldName(ref), " \"", value, "\"; GetTaxonomy lists them"));
  }
  return QueryNode::Or(std::move(nodes));
}

std::vector<std::string> StoredValues(const FieldRef& ref, absl::string_view value, const Taxonomy& taxonomy) {
  if (const std::optional<Dimension> dimension = DimensionOf(ref.field)) return CurrentIds(*dimension, value, taxonomy);
  if (ref.field != Field::kLanguage) return {std::string(value)};
  return {common::CanonicalLanguageTag(value)};
}

}  // namespace dateline::search
