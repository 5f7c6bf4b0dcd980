// Authors: bylines, lists of names, biographies.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/text.h"
#include "extraction/dates.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

using WordSet = absl::flat_hash_set<absl::string_view>;

constexpr size_t kMaxNameBytes = 120;
constexpr size_t kMaxNameWords = 6;

const WordSet& Honorifics() {
  static const auto* const kWords = new WordSet{
      "dr",         "prof",       "professor", "mr",      "mrs",      "ms",      "miss", "sir", "dame",  "hon",
      "amb",        "ambassador", "gen",       "general", "col",      "colonel", "lt",   "maj", "major", "capt",
      "captain",    "adm",        "admiral",   "rev",     "reverend", "herr",    "frau", "ing", "brig",  "brigadier",
      "lieutenant", "vice",       "sgt",       "(ret.)",  "(ret)",    "(ret",    "ret)", "ret", "د"};
  return *kWords;
}

const WordSet& Particles() {
  static const auto* const kWords = new WordSet{"de",  "da",  "di",  "del", "della", "der", "den", "van",  "von", "zu",
                                                "la",  "le",  "du",  "dos", "das",   "do",  "bin", "ibn",  "al",  "el",
                                                "ben", "ter", "ten", "y",   "af",    "av",  "st",  "bint", "e"};
  return *kWords;
}

// A word of a name: it begins with a capital (or a letter of a script without case), or is a particle between capitals.
bool BeginsLikeName(absl::string_view word) {
  if (word.empty()) {
    return false;
  }
  const auto first = static_cast<unsigned char>(word[0]);
  if (first < 0x80) {
    return absl::ascii_isupper(first);
  }
  return common::FoldForMatch(word.substr(0, common::CodePointFloor(word, 4))) !=
             word.substr(0, common::CodePointFloor(word, 4)) ||
         first >= 0xD7;  // Capital with a mark; or Hebrew and beyond: no case.
}

std::string BareWord(absl::string_view word) {
  std::string bare = absl::AsciiStrToLower(word);
  while (!bare.empty() && (bare.back() == '.' || bare.back() == ',')) {
    bare.pop_back();
  }
  return bare;
}

std::vector<absl::string_view> Words(absl::string_view text) { return absl::StrSplit(text, ' ', absl::SkipEmpty()); }

// Takes honorifics off the front of `words`.
void DropHonorifics(std::vector<absl::string_view>* words) {
  while (words->size() > 1 && Honorifics().contains(BareWord(words->front()))) {
    words->erase(words->begin());
  }
}

bool HasDigitOrAddress(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '@' || c == '/'; });
}

// True for "Senior Fellow", "Africa Programme", "Research Assistant": what stands beside names in bylines. Surnames
// that are words of this kind, too ("Head", "Chair"), are no part of it.
bool IsRole(const std::vector<absl::string_view>& words) {
  static const auto* const kFirst =
      new WordSet{"senior", "deputy", "chief", "assistant", "associate", "executive", "managing", "visiting", "former"};
  static const auto* const kLast = new WordSet{
      "fellow",      "fellows",    "assistant", "associate",  "director",   "analyst",    "researcher", "officer",
      "manager",     "lecturer",   "programme", "program",    "department", "division",   "bureau",     "columnist",
      "economist",   "strategist", "president", "minister",   "chairman",   "advisor",    "adviser",    "journalist",
      "specialist",  "consultant", "intern",    "candidate",  "scholar",    "scientist",  "initiative", "project",
      "foundation",  "council",    "college",   "studies",    "affairs",    "policy",     "research",   "magazine",
      "coordinator", "professor",  "secretary", "ambassador", "spokesman",  "spokeswoman"};
  return !words.empty() && (kFirst->contains(BareWord(words.front())) || kLast->contains(BareWord(words.back())));
}

// True for "Jane Roe", "J. R. R. Roe", "Ursula von der Leyen", "Ali al-Houthi"; false for "Staff", "The Editors".
bool LooksLikePerson(absl::string_view text) {
  static const auto* const kNotNames =
      new WordSet{"the",         "staff",  "editors",    "editor",    "team",   "desk",   "newsroom",  "correspondent",
                  "reporter",    "board",  "agency",     "agencies",  "news",   "press",  "admin",     "guest",
                  "contributor", "our",    "from",       "in",        "on",     "at",     "with",      "for",
                  "and",         "of",     "to",         "a",         "an",     "is",     "redaktion", "service",
                  "reports",     "report", "university", "institute", "centre", "center", "this",      "about"};
  if (text.size() > kMaxNameBytes || HasDigitOrAddress(text)) {
    return false;
  }
  const auto words = Words(text);
  if (words.size() < 2 || words.size() > kMaxNameWords || IsRole(words)) {
    return false;
  }
  size_t capitals = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const absl::string_view word = words[i];
    const std::string bare = BareWord(word);
    if (i >= 2 && words.size() >= 4 && absl::StartsWith(word, "و")) {
      return false;  // Arabic "and" is written as part of the word after it: two names, perhaps.
    }
    if (kNotNames->contains(bare)) {
      return false;
    }
    const bool hyphenated_particle = absl::StartsWith(word, "al-") || absl::StartsWith(word, "el-") ||
                                     absl::StartsWith(word, "d'") || absl::StartsWith(word, "d’");
    if (BeginsLikeName(word)) {
      ++capitals;
    } else if (!Particles().contains(bare) && !hyphenated_particle) {
      return false;
    }
  }
  return capitals >= 2 || (capitals == 1 && words.size() == 2 && BeginsLikeName(words.front()));  // Not "da Redação".
}

bool HoldsIdeograph(absl::string_view text) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, i, size, c);
    if (u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0) {
      return true;
    }
  }
  return false;
}

// True for "王小明", "ジョン・スミス": a word of ideographs, or of katakana, that is as long as names are and does not
// end as those of houses and desks do. Many other words look so: only for what a byline announces.
bool LooksLikeNameInIdeographs(absl::string_view text) {
  constexpr size_t kMinChars = 2;
  constexpr size_t kMaxChars = 5;
  constexpr size_t kMaxKatakana = 20;
  size_t ideographs = 0;
  size_t katakana = 0;
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, i, size, c);
    ideographs += u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0 ? 1 : 0;
    katakana += c >= 0x30A1 && c <= 0x30FC ? 1 : 0;  // With the dot between names, and the mark of long vowels.
  }
  const size_t chars = CountCodePoints(text);
  if (katakana == chars) {
    return chars > kMinChars && chars <= kMaxKatakana;
  }
  static constexpr std::array<absl::string_view, 16> kHouses = {"社", "部", "网", "網", "报", "報", "道", "组",
                                                                "組", "室", "局", "台", "讯", "訊", "者", "名"};
  return ideographs == chars && chars >= kMinChars && chars <= kMaxChars &&
         std::none_of(kHouses.begin(), kHouses.end(),
                      [text](absl::string_view end) { return absl::EndsWith(text, end); });
}

// "JANE ROE" as bylines shout it becomes "Jane Roe".
std::string Unshout(absl::string_view name) {
  const bool shouted = name.size() > 5 && std::none_of(name.begin(), name.end(), [](char c) {
                         return absl::ascii_islower(static_cast<unsigned char>(c)) || (c & 0x80) != 0;
                       });
  if (!shouted) {
    return std::string(name);
  }
  std::string out;
  bool start = true;
  for (const char c : name) {
    out.push_back(start ? c : absl::ascii_tolower(static_cast<unsigned char>(c)));
    start = !absl::ascii_isalpha(static_cast<unsigned char>(c));
  }
  return out;
}

// What announces an author, folded; some only with a colon.
struct Introduction {
  absl::string_view words;
  bool needs_colon = false;
};
constexpr std::array<Introduction, 64> kIntroductions = {{{"written by"},
                                                          {"opinion by"},
                                                          {"analysis by"},
                                                          {"commentary by"},
                                                          {"comment by"},
                                                          {"column by"},
                                                          {"essay by"},
                                                          {"interview by"},
                                                          {"guest post by"},
                                                          {"guest essay by"},
                                                          {"ein kommentar von"},
                                                          {"kommentar von"},
                                                          {"eine analyse von"},
                                                          {"analyse von"},
                                                          {"ein essay von"},
                                                          {"gastbeitrag von"},
                                                          {"propos recueillis par"},
                                                          {"author(s)", true},
                                                          {"מאת"},
                                                          {"análisis por"},
                                                          {"opinión por"},
                                                          {"posted by"},
                                                          {"published by"},
                                                          {"reported by"},
                                                          {"reviewed by"},
                                                          {"story by"},
                                                          {"text by"},
                                                          {"words by"},
                                                          {"article by"},
                                                          {"authored by"},
                                                          {"by"},
                                                          {"author"},
                                                          {"authors", true},
                                                          {"von"},
                                                          {"ein beitrag von"},
                                                          {"ein gastbeitrag von"},
                                                          {"geschrieben von"},
                                                          {"text", true},
                                                          {"autor", true},
                                                          {"autorin", true},
                                                          {"par"},
                                                          {"auteur", true},
                                                          {"por"},
                                                          {"escrito por"},
                                                          {"publicado por"},
                                                          {"autora", true},
                                                          {"di"},
                                                          {"autore", true},
                                                          {"door"},
                                                          {"yazar", true},
                                                          {"автор"},
                                                          {"авторы", true},
                                                          {"текст", true},
                                                          {"بقلم"},
                                                          {"الكاتب", true},
                                                          {"نویسنده", true},
                                                          {"作者"},
                                                          {"記者"},
                                                          {"记者"},
                                                          {"撰文", true},
                                                          {"執筆", true},
                                                          {"取材・文", true},
                                                          {"文", true},
                                                          {"글", true}}};

// True if `text` is these words and something more, which becomes `rest`.
bool BeginsWith(absl::string_view text, const Introduction& introduction, absl::string_view* rest) {
  const auto first = static_cast<unsigned char>(introduction.words[0]);
  const bool ascii = first < 0x80;
  const bool cyrillic = first == 0xD0 || first == 0xD1;  // Of the other scripts here, the one that has capitals.
  const absl::string_view begin = text.substr(0, introduction.words.size());
  if (ascii ? !absl::EqualsIgnoreCase(begin, introduction.words)
            : begin != introduction.words && !(cyrillic && common::FoldForMatch(begin) == introduction.words)) {
    return false;
  }
  *rest = absl::StripLeadingAsciiWhitespace(text.substr(begin.size()));
  const bool space = begin.size() + rest->size() < text.size();
  bool colon = absl::ConsumePrefix(rest, ":") || absl::ConsumePrefix(rest, "：");
  for (const absl::string_view sign : {"/", "／", "・", "|", "｜", "=", "＝"}) {
    colon = colon || (!ascii && absl::ConsumePrefix(rest, sign));
  }
  *rest = absl::StripAsciiWhitespace(*rest);
  return !rest->empty() && (colon || (space && !introduction.needs_colon));
}

// Takes "By", "Written by", "Author:" and their like off the front; true if there was one.
bool ConsumeBy(absl::string_view* text) {
  const bool ascii = text->empty() || (text->front() & 0x80) == 0;
  for (const Introduction& introduction : kIntroductions) {
    absl::string_view rest;
    if (((introduction.words[0] & 0x80) == 0) == ascii && BeginsWith(*text, introduction, &rest)) {
      *text = rest;
      return true;
    }
  }
  return false;
}

// Splits at commas, semicolons, bars and "and".
std::vector<std::string> SplitNames(absl::string_view text) {
  static const auto* const kAnd =
      new WordSet{"and", "&", "und", "et", "y", "e", "with", "en", "mit", "и", "та", "و", "ve", "och", "og"};
  const std::string plain = absl::StrReplaceAll(
      text, {{"،", ", "}, {"、", ", "}, {"，", ", "}, {"；", ", "}, {"／", ", "}});  // Commas of other scripts.
  std::vector<std::string> parts;
  std::string current;
  const auto flush = [&] {
    std::string part(absl::StripAsciiWhitespace(current));
    if (!part.empty()) {
      parts.push_back(std::move(part));
    }
    current.clear();
  };
  for (const absl::string_view word : Words(plain)) {
    if (kAnd->contains(absl::AsciiStrToLower(word)) && !current.empty() && CountWords(current) >= 2) {
      flush();
      continue;
    }
    if (current.empty() && !parts.empty() && (word == "and" || word == "und" || word == "&")) {
      continue;  // "…, and Jane Roe"
    }
    if (word == "|" || word == "·" || word == "•" || word == "-" || word == "–" || word == "—") {
      flush();
      continue;
    }
    const bool ends = word.back() == ',' || word.back() == ';' || word.back() == '|';
    absl::StrAppend(&current, current.empty() ? "" : " ", ends ? word.substr(0, word.size() - 1) : word);
    if (ends) {
      flush();
    }
  }
  flush();
  return parts;
}

bool IsDegree(absl::string_view part) {
  static const auto* const kDegrees = new WordSet{"phd", "ph.d", "md",    "m.d", "jr", "sr",  "esq", "mba", "ma",
                                                  "ba",  "msc",  "dphil", "llm", "jd", "iii", "ii",  "cfa"};
  return kDegrees->contains(BareWord(part));
}

// "example.de": the site, not a person.
bool HoldsHostName(absl::string_view text) {
  for (size_t dot = text.find('.'); dot != absl::string_view::npos; dot = text.find('.', dot + 1)) {
    size_t length = 0;
    while (dot + 1 + length < text.size() && absl::ascii_islower(static_cast<unsigned char>(text[dot + 1 + length]))) {
      ++length;
    }
    if (dot >= 3 && length >= 2 && absl::ascii_isalnum(static_cast<unsigned char>(text[dot - 1])) &&
        absl::ascii_isalnum(static_cast<unsigned char>(text[dot - 2])) &&
        absl::ascii_islower(static_cast<unsigned char>(text[dot - 1]))) {
      return true;
    }
  }
  return false;
}

// What biographies say first of whom they name.
const WordSet& BiographyVerbs() {
  static const auto* const kVerbs =
      new WordSet{"is",     "was",     "are",   "were",   "has",   "have",    "serves", "serve",     "works", "work",
                  "writes", "teaches", "holds", "covers", "leads", "directs", "heads",  "currently", "served"};
  return *kVerbs;
}

// `text` without the words at its end that announce a date: "Jane Roe | Published on Monday," is "Jane Roe". Two words
// stay in any case: "Sun" is a name, too.
absl::string_view WithoutDateWords(absl::string_view text) {
  static const auto* const kAnnouncing =
      new WordSet{"on",       "published", "posted",     "updated",   "last",     "first",  "date",     "stand",
                  "vom",      "monday",    "tuesday",    "wednesday", "thursday", "friday", "saturday", "sunday",
                  "mon",      "tue",       "wed",        "thu",       "fri",      "sat",    "sun",      "montag",
                  "dienstag", "mittwoch",  "donnerstag", "freitag",   "samstag",  "sonntag"};
  static const auto* const kSigns = new WordSet{"|", "-", "–", "—", "·", "•", "/", "("};
  auto words = Words(text);
  while (!words.empty()) {
    std::string last = BareWord(absl::StripPrefix(words.back(), "("));
    if (absl::EndsWith(last, ":")) {
      last.pop_back();
    }
    const bool article = words.back() == "le" || words.back() == "el" || words.back() == "den" || words.back() == "am";
    if (!kSigns->contains(words.back()) && !article && (words.size() <= 2 || !kAnnouncing->contains(last))) {
      break;
    }
    words.pop_back();
  }
  const size_t length =
      words.empty() ? 0 : static_cast<size_t>(words.back().data() + words.back().size() - text.data());
  return text.substr(0, length);
}

// "Jane Roe March 18 at 3:57 PM", "Jane Roe 3 hours ago": what stands before the number, and before its month.
absl::string_view BeforeDigits(absl::string_view text) {
  const size_t digit = text.find_first_of("0123456789");
  if (digit == absl::string_view::npos || digit == 0 || text[digit - 1] != ' ') {
    return text;
  }
  absl::string_view before = absl::StripAsciiWhitespace(text.substr(0, digit));
  const size_t space = before.rfind(' ');
  if (space != absl::string_view::npos && IsMonthName(BareWord(before.substr(space + 1)))) {
    before = absl::StripAsciiWhitespace(before.substr(0, space));
  }
  return before;
}

void AddUnique(std::string name, std::vector<std::string>* names) {
  if (!name.empty() && std::find(names->begin(), names->end(), name) == names->end()) {
    names->push_back(std::move(name));
  }
}

// "Jane Roe in Nairobi" is "Jane Roe" and a place.
absl::string_view WithoutPlace(absl::string_view part) {
  constexpr absl::string_view kIn = " in ";
  constexpr size_t kMaxWordsOfPlace = 4;
  const size_t in = part.find(kIn);
  if (in == absl::string_view::npos) {
    return part;
  }
  const absl::string_view place = part.substr(in + kIn.size());
  return BeginsLikeName(place) && Words(place).size() <= kMaxWordsOfPlace ? part.substr(0, in) : part;
}

void AddNamesIn(absl::string_view list, bool announced, std::vector<std::string>* names) {
  bool after_place = false;
  for (const std::string& whole : SplitNames(list)) {
    const absl::string_view part = WithoutPlace(whole);
    const std::string name = CleanAuthorName(part);
    // Ideographs with a space between them are two names in Chinese, and may be one in Japanese.
    const bool person = (announced && LooksLikeNameInIdeographs(name)) ||
                        (LooksLikePerson(name) && !(announced && HoldsIdeograph(name)));
    if (person) {
      AddUnique(name, names);
    } else if (!IsDegree(part) && !after_place) {
      return;  // A role or an employer: names end here.
    }
    after_place = part.size() != whole.size();  // Its country may follow: "in Nairobi, Kenya".
  }
}

// The names at the beginning of a list; `announced`: a byline says that names they are. Semicolons begin another list.
std::vector<std::string> NamesIn(absl::string_view list, bool announced) {
  std::vector<std::string> names;
  for (const absl::string_view one : absl::StrSplit(list, ';')) {
    const size_t before = names.size();
    AddNamesIn(one, announced, &names);
    if (names.size() == before) {
      break;
    }
  }
  return names;
}

// The fields of a line as sites in Chinese and Japanese set it below the title, perhaps with a date: "2026年04月01日
// 来源：海港报 作者：王小明". Empty if the line holds anything else.
std::vector<std::pair<std::string, std::string>> FieldsOf(absl::string_view line) {
  static constexpr std::array<absl::string_view, 23> kNames = {
      "来源", "來源", "信息来源", "稿件来源", "文章来源", "作者",     "记者",    "記者",
      "撰文", "文",   "编辑",     "編輯",     "责任编辑", "責任編輯", "责编",    "校对",
      "时间", "時間", "发布时间", "發布時間", "发表时间", "日期",     "发布日期"};
  constexpr size_t kMaxBytes = 250;
  if (line.size() > kMaxBytes) {
    return {};
  }
  for (const auto& [open, close] :
       {std::pair("（", "）"), std::pair("(", ")"), std::pair("[", "]"), std::pair("【", "】")}) {
    if (absl::StartsWith(line, open) && absl::ConsumeSuffix(&line, close)) {
      absl::ConsumePrefix(&line, open);
    }
  }
  const std::string spaced = absl::StrReplaceAll(line, {{"　", " "}, {"｜", " "}, {"|", " "}, {"：", ":"}});
  std::vector<std::pair<std::string, std::string>> fields;
  for (const absl::string_view word : absl::StrSplit(spaced, ' ', absl::SkipEmpty())) {
    const size_t colon = word.find(':');
    if (colon != absl::string_view::npos &&
        std::find(kNames.begin(), kNames.end(), word.substr(0, colon)) != kNames.end()) {
      fields.emplace_back(word.substr(0, colon), word.substr(colon + 1));
    } else if (!fields.empty() && fields.back().second.empty()) {
      fields.back().second = std::string(word);
    } else if (!IsDateLine(word) && word.find_first_not_of("0123456789:") != absl::string_view::npos) {
      return {};
    }
  }
  return fields;
}

}  // namespace

bool IsFieldLine(absl::string_view line) { return !FieldsOf(line).empty(); }

std::string Uninverted(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, ',');
  if (parts.size() != 2) {
    return std::string(name);
  }
  const absl::string_view family = absl::StripAsciiWhitespace(parts[0]);
  const absl::string_view given = absl::StripAsciiWhitespace(parts[1]);
  const auto is_name = [](absl::string_view part) {
    return !part.empty() && part.size() <= 40 && std::count(part.begin(), part.end(), ' ') <= 2;
  };
  return is_name(family) && is_name(given) ? absl::StrCat(given, " ", family) : std::string(name);
}

std::vector<std::string> ParseCatalogNames(absl::string_view text) {
  // Without a semicolon the comma may as well divide two names: "Jane Roe, John Doe".
  const auto inverted = [](absl::string_view name) {
    const size_t comma = name.find(',');
    if (comma == absl::string_view::npos || IsDegree(absl::StripAsciiWhitespace(name.substr(comma + 1)))) {
      return false;
    }
    const auto family = Words(name.substr(0, comma));
    return family.size() == 1 || (!family.empty() && Particles().contains(family.front()));
  };
  const bool several = absl::StrContains(text, ";");
  std::vector<std::string> names;
  for (const absl::string_view piece : absl::StrSplit(text, ';')) {
    for (std::string& name : ParseAuthors(several || inverted(piece) ? Uninverted(piece) : std::string(piece))) {
      AddUnique(std::move(name), &names);
    }
  }
  return names;
}

std::string CleanAuthorName(absl::string_view name) {
  const std::string collapsed = CollapseSpace(name);
  absl::string_view view = collapsed;
  ConsumeBy(&view);
  for (size_t before = 0; before != view.size();) {
    before = view.size();
    for (const absl::string_view sign : {",", ";", "|", "•", "·"}) {
      absl::ConsumeSuffix(&view, sign);
    }
    view = absl::StripAsciiWhitespace(view);
  }
  if (view.size() > kMaxNameBytes || view.size() < 2 || absl::StrContains(view, "://") ||
      absl::StrContains(view, "@") || absl::StartsWithIgnoreCase(view, "www.") || absl::StrContains(view, "<") ||
      HoldsHostName(view)) {
    return "";
  }
  // "Roe, PhD" loses the degree.
  const size_t comma = view.rfind(',');
  if (comma != absl::string_view::npos && IsDegree(absl::StripAsciiWhitespace(view.substr(comma + 1)))) {
    view = view.substr(0, comma);
  }
  auto words = Words(view);
  DropHonorifics(&words);
  while (words.size() > 2 && IsDegree(words.back()) && BareWord(words.back()).size() > 2) {
    words.pop_back();
  }
  const std::string bare = common::FoldForMatch(absl::StrJoin(words, " "));
  static const auto* const kNobody =
      new WordSet{"admin",     "administrator", "author",       "editor",          "staff",
                  "unknown",   "none",          "null",         "guest",           "undefined",
                  "anonymous", "n/a",           "no author",    "agencies",        "editorial team",
                  "redaktion", "team",          "the editors",  "editorial staff", "online",
                  "webmaster", "wordpress",     "root",         "author name",     "by",
                  "редакция",  "админ",         "هيئه التحرير", "هيئة التحرير",    "编辑",
                  "佚名",      "匿名",          "本站"};
  if (words.empty() || kNobody->contains(bare)) {
    return "";
  }
  return Unshout(absl::StrJoin(words, " "));
}

std::vector<std::string> ParseNameList(absl::string_view text) {
  const std::string collapsed = CollapseSpace(text);
  absl::string_view view = collapsed;
  const bool announced = ConsumeBy(&view);
  return NamesIn(view, announced);
}

std::vector<std::string> ParseAuthors(absl::string_view text) {
  std::vector<std::string> names = ParseNameList(text);
  const size_t parenthesis = text.find(" (");
  if (names.empty() && parenthesis != absl::string_view::npos) {  // "Jane Roe (https://…)", "Jane Roe (with …)"
    text = text.substr(0, parenthesis);
    names = ParseNameList(text);
  }
  constexpr size_t kMaxWords = 6;
  if (names.empty() && CountWords(text) <= kMaxWords) {
    AddUnique(CleanAuthorName(text), &names);
  }
  return names;
}

std::vector<std::string> ParseByline(absl::string_view line) {
  const std::string collapsed = CollapseSpace(line);
  absl::string_view view = collapsed;
  if (view.empty() || view.size() > 200) {
    return {};
  }
  if ((collapsed.front() & 0x80) != 0 || absl::ascii_isdigit(static_cast<unsigned char>(collapsed.front()))) {
    for (const auto& [name, value] : FieldsOf(collapsed)) {
      if (name == "作者" || name == "记者" || name == "記者" || name == "撰文" || name == "文") {
        return NamesIn(value, true);
      }
    }
  }
  // "홍길동 기자 | 입력 2025.03.04": in Korean what names are of stands after them.
  constexpr absl::string_view kReporter = " 기자";
  if (const size_t reporter = view.find(kReporter); reporter != absl::string_view::npos) {
    const absl::string_view rest = view.substr(reporter + kReporter.size());
    const absl::string_view name = view.substr(0, reporter);
    constexpr size_t kMaxChars = 5;
    if (!absl::StrContains(name, ' ') && CountCodePoints(name) >= 2 && CountCodePoints(name) <= kMaxChars &&
        (rest.empty() || (rest.front() == ' ' && IsDateLine(rest)))) {
      return {std::string(name)};
    }
  }
  bool whole_sentences = true;  // May be bylines.
  if (!ConsumeBy(&view)) {
    // "April 22, 2024 | By Jane Roe"
    const auto date = FindDate(view);
    if (!date || !IsDateLine(view.substr(0, date->end))) {
      return {};
    }
    view = absl::StripLeadingAsciiWhitespace(view.substr(date->end));
    for (const absl::string_view sign : {",", "|", "-", "–", "—", "·", "•", "/"}) {
      if (absl::ConsumePrefix(&view, sign)) {
        view = absl::StripLeadingAsciiWhitespace(view);
      }
    }
    // Blogs add how many comments there are, in words or figures: who knows where the name ends?
    const std::string folded = common::FoldForMatch(view);
    if (!ConsumeBy(&view) || absl::StrContains(folded, "comment") || absl::StrContains(folded, "komment")) {
      return {};
    }
    // After a date a single word is a name, too: "29 June 2017 · by Tobi".
    constexpr size_t kMaxBytes = 20;
    std::string single = CleanAuthorName(view);
    if (single.size() <= kMaxBytes && Words(single).size() == 1 && !HasDigitOrAddress(single) &&
        BeginsLikeName(single)) {
      return {std::move(single)};
    }
    whole_sentences = false;
  }
  constexpr unsigned char kFirstWithoutCase = 0xD7;  // As in BeginsLikeName.
  whole_sentences = whole_sentences && static_cast<unsigned char>(view.front()) < kFirstWithoutCase;
  if (EndsSentence(view) && (!whole_sentences || CountWords(view) > 12)) {
    return {};
  }
  // "By Jane Roe April 22, 2024": names and date set on one line, often without a sign between them.
  if (const auto date = FindDate(view)) {
    constexpr size_t kMaxWordsAfterDate = 6;  // A time, a place, minutes to read; more of them are text.
    if (CountWords(view.substr(date->end)) > kMaxWordsAfterDate) {
      return {};
    }
    return NamesIn(WithoutDateWords(view.substr(0, date->start)), true);
  }
  return NamesIn(WithoutDateWords(BeforeDigits(view)), true);
}

bool IsAboutPerson(absl::string_view paragraph, const std::vector<std::string>& names) {
  const std::string collapsed = CollapseSpace(paragraph.substr(0, common::CodePointFloor(paragraph, 400)));
  auto words = Words(collapsed);
  if (!words.empty() && words.front() == "About") {
    words.erase(words.begin());
  }
  DropHonorifics(&words);
  const std::string folded = common::FoldForMatch(absl::StrJoin(words, " "));
  return std::any_of(names.begin(), names.end(), [&folded](const std::string& name) {
    absl::string_view rest = folded;
    if (CountWords(name) < 2 || !absl::ConsumePrefix(&rest, common::FoldForMatch(name)) || rest.empty()) {
      return false;
    }
    if (rest.front() == ',') {  // "Jane Roe, a senior fellow at …, writes on water."
      return absl::StartsWith(rest, ", a ") || absl::StartsWith(rest, ", an ") || absl::StartsWith(rest, ", the ");
    }
    const auto after = Words(rest);
    return rest.front() == ' ' && !after.empty() && BiographyVerbs().contains(after.front());
  });
}

std::vector<std::string> ParseBiography(absl::string_view paragraph) {
  static const auto* const kRoles = new WordSet{
      "fellow",      "fellows",     "professor",  "professors",   "lecturer",       "researcher",  "researchers",
      "analyst",     "analysts",    "journalist", "journalists",  "correspondent",  "reporter",    "reporters",
      "editor",      "editors",     "columnist",  "writer",       "writers",        "author",      "scholar",
      "scholars",    "director",    "consultant", "student",      "candidate",      "specialist",  "expert",
      "contributor", "commentator", "strategist", "economist",    "historian",      "lawyer",      "associate",
      "intern",      "freelancer",  "co-founder", "founder",      "blogger",        "chair",       "scientist",
      "adviser",     "advisor",     "diplomat",   "assistant",    "lead",           "head",        "producer",
      "broadcaster", "academic",    "teacher",    "co-director",  "manager",        "engineer",    "architect",
      "novelist",    "poet",        "essayist",   "photographer", "statistician",   "sociologist", "anthropologist",
      "geographer",  "philosopher", "biologist",  "physicist",    "epidemiologist", "hydrologist", "seismologist",
      "barrister"};
  const std::string collapsed = CollapseSpace(paragraph.substr(0, common::CodePointFloor(paragraph, 400)));
  auto words = Words(collapsed);
  for (const absl::string_view opening : {"About", "Author:", "Bio:", "Contributor:"}) {
    if (!words.empty() && words.front() == opening) {
      words.erase(words.begin());
    }
  }
  size_t i = 0;
  std::vector<std::string> names;
  std::vector<absl::string_view> name;
  const auto flush = [&] {
    std::string joined = CleanAuthorName(absl::StrJoin(name, " "));
    name.clear();
    if (!LooksLikePerson(joined)) {
      return false;
    }
    AddUnique(std::move(joined), &names);
    return true;
  };
  for (; i < words.size() && i < 24; ++i) {
    absl::string_view word = words[i];
    const std::string bare = BareWord(word);
    if (BiographyVerbs().contains(bare) && !name.empty()) {
      break;
    }
    if (bare == "and" || bare == "&") {
      if (!name.empty() && !flush()) {
        return {};
      }
      continue;
    }
    const bool comma = word.back() == ',';
    if (comma) {
      word.remove_suffix(1);
    }
    if (IsDegree(bare) && !name.empty()) {
      continue;
    }
    if (!BeginsLikeName(word) && !Particles().contains(bare) && !absl::StartsWith(word, "al-") &&
        !Honorifics().contains(bare)) {
      return {};
    }
    name.push_back(word);
    if (comma && i + 1 < words.size() && !IsDegree(words[i + 1])) {
      if (!flush()) {
        return {};
      }
      // "Jane Roe, a senior fellow at …, writes": the role follows the comma.
      if (BareWord(words[i + 1]) == "a" || BareWord(words[i + 1]) == "an" || BareWord(words[i + 1]) == "the") {
        ++i;
        break;
      }
    }
  }
  if (i >= words.size() || (!name.empty() && !flush()) || names.empty()) {
    return {};
  }
  // A role must follow soon: people in the news "are" and "have" too, but seldom "a fellow at".
  const size_t limit = std::min(words.size(), i + 16);
  for (size_t k = i + 1; k < limit; ++k) {
    if (kRoles->contains(BareWord(words[k]))) {
      return names;
    }
  }
  return {};
}

}  // namespace dateline::extraction
