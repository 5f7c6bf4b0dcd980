#include "extraction/dates.h"

#include <unicode/calendar.h>
#include <unicode/dtfmtsym.h>
#include <unicode/locid.h>
#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "common/text.h"
#include "extraction/extraction.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxDateText = 300;
constexpr int kPersian = 12;              // Months of the Persian calendar are 13 to 24.
constexpr UChar32 kPersianZero = 0x06F0;  // Of the digits that Persian is written with.

// Names of months and days, folded as common::FoldForMatch does.
struct CalendarNames {
  absl::flat_hash_map<std::string, int> months;  // 1 to 12, and kPersian more for Persian ones.
  absl::flat_hash_set<std::string> first_words;  // Of the months whose names are two words.
  absl::flat_hash_set<std::string> weekdays;
};

using NamesOf = const icu::UnicodeString* (icu::DateFormatSymbols::*)(int32_t&, icu::DateFormatSymbols::DtContextType,
                                                                      icu::DateFormatSymbols::DtWidthType) const;

// Calls `visit(folded name, its index)` for all names that a language has in running text and alone, in full and short.
template <typename Visit>
void ForEachName(const icu::DateFormatSymbols& symbols, NamesOf names_of, Visit visit) {
  for (const auto context : {icu::DateFormatSymbols::FORMAT, icu::DateFormatSymbols::STANDALONE}) {
    for (const auto width : {icu::DateFormatSymbols::WIDE, icu::DateFormatSymbols::ABBREVIATED}) {
      int32_t count = 0;
      const icu::UnicodeString* const names = (symbols.*names_of)(count, context, width);
      for (int32_t i = 0; i < count; ++i) {
        std::string name;
        names[i].toUTF8String(name);
        name = common::FoldForMatch(name);
        absl::string_view bare = name;
        absl::ConsumeSuffix(&bare, ".");
        const bool numbered = bare.find_first_of("0123456789") != absl::string_view::npos;  // "3月"
        if (bare.size() > 1 && !numbered) {
          visit(std::string(bare), i);
        }
      }
    }
  }
}

CalendarNames ReadCalendarNames() {
  // Unicode's CLDR, as ICU has it. Not all its languages: where two give one name to different months (Croatian and
  // Polish "listopad"), neither could be believed. Arabic has three sets of months, after the regions.
  constexpr std::array<const char*, 42> kLocales = {
      "en", "de", "de_AT", "fr", "es", "it", "pt", "nl", "ca", "ro", "sv", "da",    "nb",    "fi",
      "et", "pl", "cs",    "sk", "sl", "hu", "el", "bg", "ru", "uk", "sr", "tr",    "az",    "id",
      "vi", "sw", "hi",    "bn", "ur", "he", "ko", "ar", "fa", "lt", "lv", "ar_LB", "ar_MA", "ar_DZ"};
  // What writers use besides.
  constexpr std::array<std::pair<absl::string_view, int>, 15> kMore = {{{"janner", 1},
                                                                        {"feber", 2},
                                                                        {"fevr", 2},
                                                                        {"mar", 3},
                                                                        {"mär", 3},
                                                                        {"mrz", 3},
                                                                        {"mrt", 3},
                                                                        {"apr", 4},
                                                                        {"jun", 6},
                                                                        {"jul", 7},
                                                                        {"sep", 9},
                                                                        {"sept", 9},
                                                                        {"set", 9},
                                                                        {"okt", 10},
                                                                        {"dez", 12}}};
  CalendarNames names;
  absl::flat_hash_set<std::string> disputed;
  const auto add = [&names, &disputed](const std::string& name, int month) {
    const auto [entry, added] = names.months.try_emplace(name, month);
    if (!added && entry->second != month) {
      disputed.insert(name);
    }
    if (const size_t space = name.find(' '); space != std::string::npos) {
      names.first_words.insert(name.substr(0, space));
    }
  };
  UErrorCode status = U_ZERO_ERROR;
  for (const char* const locale : kLocales) {
    const icu::DateFormatSymbols symbols(icu::Locale(locale), status);
    if (U_FAILURE(status)) {
      status = U_ZERO_ERROR;
      continue;
    }
    ForEachName(symbols, &icu::DateFormatSymbols::getMonths,
                [&add](const std::string& name, int32_t index) { add(name, index + 1); });
    ForEachName(symbols, &icu::DateFormatSymbols::getWeekdays, [&names](const std::string& name, int32_t) {
      // An apostrophe that other keyboards write divides words: "п’ятниця".
      for (const absl::string_view word : absl::StrSplit(name, "ʼ")) {
        names.weekdays.emplace(word);
      }
    });
  }
  const icu::SimpleDateFormat persian("d", icu::Locale("fa@calendar=persian"), status);
  if (U_SUCCESS(status)) {
    ForEachName(*persian.getDateFormatSymbols(), &icu::DateFormatSymbols::getMonths,
                [&add](const std::string& name, int32_t index) { add(name, index + 1 + kPersian); });
  }
  for (const std::string& name : disputed) {
    names.months.erase(name);
  }
  for (const auto& [name, month] : kMore) {
    names.months.try_emplace(common::FoldForMatch(name), month);
  }
  return names;
}

const CalendarNames& Names() {
  static const auto* const kNames = new CalendarNames(ReadCalendarNames());
  return *kNames;
}

// Ideographs are tokens of their own; these stand in days of the week and around dates and times.
bool IsWeekday(absl::string_view word) {
  constexpr absl::string_view kIdeographs = "月火水木金土日曜星期週周一二三四五六";
  return Names().weekdays.contains(word) || (word.size() == 3 && absl::StrContains(kIdeographs, word));
}

enum class TokenType { kNumber, kWord, kSign };

struct Token {
  TokenType type = TokenType::kSign;
  int64_t number = 0;
  size_t digits = 0;
  UChar32 zero = '0';  // Of the script that the number is written in.
  char sign = 0;
  int month = 0;  // 1 to 12 if the word is a month; kPersian more if it is a Persian one.
  std::string word;
  size_t start = 0;
  size_t end = 0;
};

enum class CharKind { kSpace, kDigit, kLetter, kIdeograph, kSign };

CharKind KindOf(UChar32 c) {
  if (c < 0x80) {
    return c <= 0x20 || c == 0x7F                               ? CharKind::kSpace
           : absl::ascii_isdigit(static_cast<unsigned char>(c)) ? CharKind::kDigit
           : absl::ascii_isalpha(static_cast<unsigned char>(c)) ? CharKind::kLetter
                                                                : CharKind::kSign;
  }
  const int8_t type = u_charType(c);
  if (type == U_FORMAT_CHAR || u_isUWhiteSpace(c) != 0) {  // Marks of direction are of no account.
    return CharKind::kSpace;
  }
  if (type == U_DECIMAL_DIGIT_NUMBER) {
    return CharKind::kDigit;
  }
  if (u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0) {
    return CharKind::kIdeograph;
  }
  return u_isalpha(c) != 0 || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK ? CharKind::kLetter
                                                                                             : CharKind::kSign;
}

// The sign of ASCII that `c` stands for; '?' for others.
char SignOf(UChar32 c) {
  if (c < 0x80) {
    return static_cast<char>(c);
  }
  if (c > 0xFF00 && c < 0xFF5F) {  // The wide forms of ASCII.
    return static_cast<char>(c - 0xFF00 + 0x20);
  }
  if (u_charType(c) == U_DASH_PUNCTUATION) {
    return '-';
  }
  return c == 0x060C || c == 0x3001 ? ',' : '?';  // Arabic comma, ideographic comma.
}

// Splits into numbers, words, ideographs and single signs; white space separates and is dropped, but for its mark in
// `start`.
std::vector<Token> Tokenize(absl::string_view text) {
  const CalendarNames& names = Names();
  std::vector<Token> tokens;
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    Token token;
    token.start = static_cast<size_t>(i);
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, i, size, c);
    const CharKind kind = KindOf(c);
    if (kind == CharKind::kSpace) {
      continue;
    }
    token.end = static_cast<size_t>(i);
    // Takes in what follows, as long as it is of the same kind.
    const auto run = [&](auto visit) {
      visit(c);
      while (i < size) {
        U8_NEXT_OR_FFFD(bytes, i, size, c);
        if (KindOf(c) != kind) {
          break;
        }
        visit(c);
        token.end = static_cast<size_t>(i);
      }
      i = static_cast<int32_t>(token.end);
    };
    if (kind == CharKind::kDigit) {
      token.type = TokenType::kNumber;
      token.zero = c - u_charDigitValue(c);
      run([&token](UChar32 digit) {
        if (token.digits < 15) {
          token.number = token.number * 10 + u_charDigitValue(digit);
        }
        ++token.digits;
      });
    } else if (kind == CharKind::kSign) {
      token.sign = SignOf(c);
    } else {
      token.type = TokenType::kWord;
      if (kind == CharKind::kLetter) {
        run([](UChar32) {});
      }
      const absl::string_view word = text.substr(token.start, token.end - token.start);
      token.word = kind == CharKind::kLetter ? common::FoldForMatch(word) : std::string(word);
      const auto month = names.months.find(token.word);
      token.month = month == names.months.end() ? 0 : month->second;
      // "كانون الثاني": the second word of a month's name.
      if (!tokens.empty() && names.first_words.contains(tokens.back().word)) {
        const auto both = names.months.find(absl::StrCat(tokens.back().word, " ", token.word));
        if (both != names.months.end()) {
          tokens.back().month = both->second;
          tokens.back().end = token.end;
          continue;
        }
      }
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// Reads the tokens of one text; every Read… either consumes what it recognises or leaves the position alone.
class DateReader {
 public:
  explicit DateReader(absl::string_view text) : tokens_(Tokenize(text)) {}

  // The next date after those that were given; nothing after the last.
  std::optional<ParsedDate> Next() {
    for (size_t i = pos_; i < tokens_.size(); ++i) {
      pos_ = i;
      if (ContinuesNumber(i)) {
        continue;
      }
      absl::CivilDay day;
      if (!ReadDay(&day)) {
        continue;
      }
      ParsedDate date;
      date.start = tokens_[i].start;
      date.end = tokens_[pos_ - 1].end;
      first_token_ = i;
      date.precision = TimePrecision::kDay;
      date.time = absl::FromCivil(day, absl::UTCTimeZone());
      ReadTimeOfDay(day, &date);
      return date;
    }
    first_token_ = pos_ = tokens_.size();
    return std::nullopt;
  }

  const std::vector<Token>& tokens() const { return tokens_; }
  // The tokens that the last date was read from: half-open; both the number of tokens after the last date.
  size_t first_token() const { return first_token_; }
  size_t end_token() const { return pos_; }

 private:
  // True within a number with signs, such as "1.2.3.2023": no date begins there.
  bool ContinuesNumber(size_t i) const {
    return tokens_[i].type == TokenType::kNumber && i > 1 && tokens_[i].start == tokens_[i - 1].end &&
           tokens_[i - 1].type == TokenType::kSign && tokens_[i - 1].start == tokens_[i - 2].end &&
           tokens_[i - 2].type == TokenType::kNumber;
  }

  const Token* At(size_t offset = 0) const {
    return pos_ + offset < tokens_.size() ? &tokens_[pos_ + offset] : nullptr;
  }
  bool IsNumber(size_t offset, size_t min_digits, size_t max_digits) const {
    const Token* token = At(offset);
    return token != nullptr && token->type == TokenType::kNumber && token->digits >= min_digits &&
           token->digits <= max_digits;
  }
  bool IsSign(size_t offset, char sign) const {
    const Token* token = At(offset);
    return token != nullptr && token->type == TokenType::kSign && token->sign == sign;
  }
  bool IsWord(size_t offset, absl::string_view word) const {
    const Token* token = At(offset);
    return token != nullptr && token->type == TokenType::kWord && token->word == word;
  }
  int MonthAt(size_t offset) const {
    const Token* token = At(offset);
    return token != nullptr && token->type == TokenType::kWord ? token->month : 0;
  }
  bool Glued(size_t offset) const { return At(offset)->end == At(offset + 1)->start; }

  static bool MakeDay(int64_t year, int64_t month, int64_t day, absl::CivilDay* result) {
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) {
      return false;
    }
    const absl::CivilDay civil(year, month, day);
    *result = civil;
    return civil.month() == month && civil.day() == day;  // Not the 30th of February.
  }

  static bool MakePersianDay(int64_t year, int64_t month, int64_t day, absl::CivilDay* result) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Calendar> calendar(
        icu::Calendar::createInstance(icu::TimeZone::getGMT()->clone(), icu::Locale("fa@calendar=persian"), status));
    if (U_FAILURE(status) || year < 1 || year > 9999 || month < 1 || month > 12) {
      return false;
    }
    calendar->setLenient(0);
    calendar->clear();
    calendar->set(static_cast<int32_t>(year), static_cast<int32_t>(month) - 1, static_cast<int32_t>(day));
    const UDate milliseconds = calendar->getTime(status);
    if (U_FAILURE(status)) {
      return false;  // Not the 31st of Mehr.
    }
    *result = absl::ToCivilDay(absl::FromUnixMillis(static_cast<int64_t>(milliseconds)), absl::UTCTimeZone());
    return true;
  }

  bool ReadDay(absl::CivilDay* day) { return ReadNumericDay(day) || ReadMarkedDay(day) || ReadNamedDay(day); }

  bool IsMark(size_t offset, std::initializer_list<absl::string_view> marks) const {
    const Token* const token = At(offset);
    return token != nullptr && token->type == TokenType::kWord &&
           std::find(marks.begin(), marks.end(), token->word) != marks.end();
  }

  // "2024年3月15日", "2024년 3월 15일", "令和6年3月15日".
  bool ReadMarkedDay(absl::CivilDay* day) {
    // The years before the first of each era; of the three that people alive write, and of Taiwan's.
    static constexpr std::array<std::pair<absl::string_view, int64_t>, 4> kEras = {
        {{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"民國", 1911}}};
    int64_t before = 0;
    size_t at = 0;
    if (At(0) != nullptr && At(1) != nullptr && At(0)->type == TokenType::kWord) {
      for (const auto& [era, years] : kEras) {
        if (absl::StartsWith(era, At(0)->word) && absl::EndsWith(era, At(1)->word) && At(1)->start == At(0)->end) {
          before = years;
          at = 2;
        }
      }
    }
    const bool first_year = at == 2 && IsMark(at, {"元"});
    if (!(first_year || (at == 2 ? IsNumber(at, 1, 3) : IsNumber(at, 4, 4))) || !IsMark(at + 1, {"年", "년"}) ||
        !IsNumber(at + 2, 1, 2) || !IsMark(at + 3, {"月", "월"}) || !IsNumber(at + 4, 1, 2) ||
        !IsMark(at + 5, {"日", "号", "號", "일"})) {
      return false;
    }
    if (!MakeDay(before + (first_year ? 1 : At(at)->number), At(at + 2)->number, At(at + 4)->number, day)) {
      return false;
    }
    pos_ += at + 6;
    return true;
  }

  bool ReadNumericDay(absl::CivilDay* day) {
    if (IsNumber(0, 8, 8)) {  // 20230919, with a T and a time or alone.
      const int64_t n = At()->number;
      if (MakeDay(n / 10000, n / 100 % 100, n % 100, day)) {
        pos_ += 1;
        return true;
      }
      return false;
    }
    if (!IsNumber(0, 1, 4) || At(1) == nullptr || At(1)->type != TokenType::kSign || !IsNumber(2, 1, 2) ||
        At(3) == nullptr || At(3)->type != TokenType::kSign || At(1)->sign != At(3)->sign || !IsNumber(4, 1, 4)) {
      return false;
    }
    const char sign = At(1)->sign;
    if (sign != '-' && sign != '/' && sign != '.') {
      return false;
    }
    const int64_t a = At(0)->number;
    const int64_t b = At(2)->number;
    const int64_t c = At(4)->number;
    bool ok = false;
    if (At(0)->digits == 4 && At(4)->digits <= 2 && Glued(0) && Glued(1) && Glued(2) && Glued(3)) {
      // Years that other calendars are in now: the digits tell which, but where all write them.
      const bool other_calendar = a >= 1300 && a < 1500 && (sign == '/' || At(0)->zero != '0');
      ok = !other_calendar ? MakeDay(a, b, c, day) : At(0)->zero == kPersianZero ? MakePersianDay(a, b, c, day) : false;
    } else if (At(0)->digits <= 2 && At(4)->digits == 4) {
      if (sign == '.') {
        ok = MakeDay(c, b, a, day);
      } else if (a > 12 || a == b) {
        ok = MakeDay(c, b, a, day);
      } else if (b > 12) {
        ok = MakeDay(c, a, b, day);
      }
    }
    if (ok) {
      pos_ += 5;
    }
    return ok;
  }

  // "19 September 2023", "19. September 2023", "19 de septiembre de 2023", "September 19th, 2023", "2023-Sep-19".
  bool ReadNamedDay(absl::CivilDay* day) {
    const size_t begin = pos_;
    int month = 0;
    int64_t day_number = 0;
    if (IsNumber(0, 4, 4) && (IsSign(1, '.') || IsSign(1, '-')) && MonthAt(2) != 0) {
      const size_t next = At(3) != nullptr && At(3)->type == TokenType::kSign ? 4 : 3;
      if (!IsNumber(next, 1, 2) || !MakeNamedDay(At(0)->number, MonthAt(2), At(next)->number, day)) {
        return false;
      }
      pos_ += next + 1;
      return true;
    }
    if (MonthAt(0) != 0 && IsMonthPosition()) {
      month = MonthAt(0);
      size_t next = 1;
      if (IsSign(next, '.')) {
        ++next;
      }
      if (!IsNumber(next, 1, 2)) {
        return false;
      }
      day_number = At(next)->number;
      pos_ += next + 1;
      SkipOrdinal();
    } else if (IsNumber(0, 1, 2)) {
      day_number = At()->number;
      pos_ += 1;
      SkipOrdinal();
      if (IsSign(0, '.') || IsSign(0, '-')) {
        ++pos_;
      }
      if (IsWord(0, "de") || IsWord(0, "of")) {
        ++pos_;
      }
      month = MonthAt(0);
      if (month == 0) {
        pos_ = begin;
        return false;
      }
      ++pos_;
      if (IsSign(0, '/') && MonthAt(1) == month) {  // "مارس/آذار": under both its names.
        pos_ += 2;
      }
    } else {
      return false;
    }
    if (IsSign(0, '.')) {
      ++pos_;
    }
    if (IsSign(0, ',') || IsSign(0, '-')) {
      ++pos_;
    }
    if (IsWord(0, "de") || IsWord(0, "del")) {
      ++pos_;
    }
    if (IsNumber(0, 4, 4) && MakeNamedDay(At()->number, month, day_number, day)) {
      ++pos_;
      return true;
    }
    // RFC 822 allowed two digits for the year, as in "Sat, 07 Sep 02 00:00:01 GMT"; only with a time do we believe it.
    if (month <= kPersian && IsNumber(0, 2, 2) && IsNumber(1, 1, 2) && IsSign(2, ':')) {
      const int64_t year = At()->number < 70 ? 2000 + At()->number : 1900 + At()->number;
      if (MakeDay(year, month, day_number, day)) {
        ++pos_;
        return true;
      }
    }
    pos_ = begin;
    return false;
  }

  static bool MakeNamedDay(int64_t year, int month, int64_t day, absl::CivilDay* result) {
    return month > kPersian ? MakePersianDay(year, month - kPersian, day, result) : MakeDay(year, month, day, result);
  }

  // A month must not be glued to what stands before it ("Kate-May 3 2020" apart, it is no harm).
  bool IsMonthPosition() const {
    const auto divides = [](const Token& token) {  // "5 min read·Feb 18, 2025"
      return token.type == TokenType::kSign && (token.sign == '?' || token.sign == '|');
    };
    return pos_ == 0 || tokens_[pos_ - 1].end != tokens_[pos_].start || divides(tokens_[pos_ - 1]);
  }

  void SkipOrdinal() {
    if (At() != nullptr && At()->type == TokenType::kWord && pos_ > 0 && tokens_[pos_ - 1].end == At()->start &&
        (At()->word == "st" || At()->word == "nd" || At()->word == "rd" || At()->word == "th" || At()->word == "er")) {
      ++pos_;
    }
  }

  // What stands between a date and its time of day: "at", "um", "г. в", "(Friday)".
  void SkipToTime() {
    constexpr int kMaxBetween = 6;
    static const auto* const kBetween = new absl::flat_hash_set<absl::string_view>{
        "t",   "at",   "um",   "a", "as", "alle", "ore", "om",     "kl",     "klo", "г",
        "год", "року", "года", "р", "в",  "о",    "h",   "الساعه", "الساعة", "ساعت"};  // Folded.
    const size_t begin = pos_;
    for (int i = 0; i < kMaxBetween && At() != nullptr && At()->type != TokenType::kNumber; ++i) {
      const Token& token = *At();
      const bool between = token.type == TokenType::kSign
                               ? absl::StrContains(",-|().", absl::string_view(&token.sign, 1))
                               : IsWeekday(token.word) || kBetween->contains(token.word);
      if (!between) {
        break;
      }
      ++pos_;
    }
    if (!IsNumber(0, 1, 2) && MeridiemBefore() == 0) {
      pos_ = begin;
    }
  }

  // Reads a time of day with its zone, if both are there, and makes `date` exact.
  void ReadTimeOfDay(absl::CivilDay day, ParsedDate* date) {
    const size_t begin = pos_;
    SkipToTime();
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!ReadClock(&hour, &minute, &second)) {
      pos_ = begin;
      return;
    }
    // 24:00 is the end of the day to some and, written by mistake, its beginning to others: no time at all.
    if (hour > 23 || minute > 59 || second > 60) {
      return;
    }
    date->end = tokens_[pos_ - 1].end;
    int64_t offset_minutes = 0;
    if (!ReadZone(&offset_minutes)) {
      return;
    }
    date->end = tokens_[pos_ - 1].end;
    date->precision = TimePrecision::kSecond;
    date->time = absl::FromCivil(absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, second),
                                 absl::UTCTimeZone()) -
                 absl::Minutes(offset_minutes);
  }

  // "下午" and its like before the hour; how many tokens, or 0.
  size_t MeridiemBefore() const {
    if (IsMark(0, {"오전", "오후"})) {
      return 1;
    }
    return (IsMark(0, {"午"}) && IsMark(1, {"前", "後", "后"})) || (IsMark(0, {"上", "下"}) && IsMark(1, {"午"})) ? 2
                                                                                                                  : 0;
  }

  // "10:30", "10:30:05.123", "8.15 pm", "8 Uhr", "08h15", "9時30分", "下午3点".
  bool ReadClock(int64_t* hour, int64_t* minute, int64_t* second) {
    const size_t before = MeridiemBefore();
    const bool afternoon = before > 0 && (IsMark(0, {"下", "오후"}) || IsMark(1, {"後", "后"}));
    if (!IsNumber(before, 1, 2)) {
      return false;
    }
    *hour = At(before)->number;
    pos_ += before + 1;
    if ((IsSign(0, ':') || IsSign(0, '.')) && IsNumber(1, 2, 2)) {
      *minute = At(1)->number;
      pos_ += 2;
      if (IsSign(0, ':') && IsNumber(1, 2, 2)) {
        *second = At(1)->number;
        pos_ += 2;
        if ((IsSign(0, '.') || IsSign(0, ',')) && IsNumber(1, 1, 9)) {
          pos_ += 2;
        }
      }
      pos_ += IsMark(0, {"uhr", "h"}) ? 1 : 0;
    } else if (IsMark(0, {"h", "uhr", "時", "时", "點", "点", "시"})) {
      ++pos_;
      if (IsNumber(0, 1, 2)) {
        *minute = At(0)->number;
        pos_ += IsMark(1, {"分", "분", "min"}) ? 2 : 1;
      }
      if (IsNumber(0, 1, 2) && IsMark(1, {"秒", "초"})) {
        *second = At(0)->number;
        pos_ += 2;
      }
    } else if (!IsMark(0, {"am", "pm"})) {
      return false;
    }
    if (afternoon && *hour < 12) {
      *hour += 12;
    }
    ReadMeridiem(hour);
    return true;
  }

  void ReadMeridiem(int64_t* hour) {
    size_t length = 0;
    bool afternoon = false;
    if (IsWord(0, "am") || IsWord(0, "pm")) {
      afternoon = IsWord(0, "pm");
      length = 1;
    } else if ((IsWord(0, "a") || IsWord(0, "p")) && IsSign(1, '.') && IsWord(2, "m")) {
      afternoon = IsWord(0, "p");
      length = IsSign(3, '.') ? 4 : 3;
    }
    if (length == 0 || *hour > 12) {
      return;
    }
    *hour = *hour % 12 + (afternoon ? 12 : 0);
    pos_ += length;
  }

  bool ReadZone(int64_t* offset_minutes) {
    static const auto* const kZones = new absl::flat_hash_map<std::string, int64_t>{
        {"z", 0},      {"utc", 0},    {"gmt", 0},    {"ut", 0},     {"est", -300}, {"edt", -240},
        {"cst", -360}, {"cdt", -300}, {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420},
        {"cet", 60},   {"cest", 120}, {"mez", 60},   {"mesz", 120}, {"eet", 120},  {"eest", 180},
        {"msk", 180},  {"мск", 180},  {"jst", 540},  {"kst", 540}};
    bool named = false;
    if (At() != nullptr && At()->type == TokenType::kWord) {
      const auto zone = kZones->find(At()->word);
      if (zone == kZones->end()) {
        return false;
      }
      *offset_minutes = zone->second;
      named = true;
      ++pos_;
    }
    if ((IsSign(0, '+') || IsSign(0, '-')) && IsNumber(1, 1, 4)) {
      const int64_t sign = IsSign(0, '+') ? 1 : -1;
      int64_t hours = At(1)->number;
      int64_t minutes = 0;
      size_t length = 2;
      if (At(1)->digits >= 3) {
        minutes = hours % 100;
        hours /= 100;
      } else if (IsSign(2, ':') && IsNumber(3, 2, 2)) {
        minutes = At(3)->number;
        length = 4;
      }
      if (hours <= 14 && minutes <= 59) {
        *offset_minutes += sign * (hours * 60 + minutes);
        pos_ += length;
        return true;
      }
    }
    return named;
  }

  std::vector<Token> tokens_;
  size_t pos_ = 0;
  size_t first_token_ = 0;
};

bool HoldsDigit(absl::string_view text) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, i, size, c);
    if (c < 0x80 ? absl::ascii_isdigit(static_cast<unsigned char>(c)) : u_isdigit(c) != 0) {
      return true;
    }
  }
  return false;
}

// What announces the date of a text, and that of its last change: beginnings of words, folded.
constexpr std::array<absl::string_view, 29> kPublished = {
    "releas",   "publi",     "pubbli", "poste",  "created", "issued", "veroffentlicht", "erschien",
    "erstellt", "geplaatst", "gepubl", "julkai", "yayin",   "kozze",  "опубл",          "создан",
    "نشر",      "انتشار",    "منتشر",  "发布",   "發佈",    "發布",   "公開",           "配信",
    "掲載",     "刊登",      "입력",   "등록",   "투고"};
constexpr std::array<absl::string_view, 39> kUpdated = {
    "updat",      "revised",     "amended",  "modif",    "aktuali",  "geandert", "uberarbeitet", "actuali",
    "mis a jour", "mise a jour", "stand:",   "maj le",   "atuali",   "aggiorna", "bijgewerkt",   "gewijzigd",
    "zaktuali",   "uppdatera",   "opdatere", "oppdater", "paivitet", "guncelle", "frissit",      "diperbarui",
    "cap nhat",   "обновл",      "изменен",  "оновлен",  "ενημερω",  "تحديث",    "محدث",         "تعديل",
    "روزرسانی",   "更新",        "修改",     "改訂",     "修正",     "수정",     "업데이트"};

// Where the last of `stems` stands in `text`, which is folded, counted from 1; 0 if none is there.
template <typename Stems>
size_t LastOf(absl::string_view text, const Stems& stems) {
  size_t last = 0;
  for (const absl::string_view stem : stems) {
    for (size_t at = text.find(stem); at != absl::string_view::npos; at = text.find(stem, at + 1)) {
      const bool within_word = at > 0 && absl::ascii_isalpha(static_cast<unsigned char>(text[at - 1])) &&
                               absl::ascii_isalpha(static_cast<unsigned char>(stem[0]));
      last = std::max(last, within_word ? 0 : at + 1);
    }
  }
  return last;
}

enum class Announced { kNothing, kPublication, kUpdate };

Announced WhatIsAnnounced(absl::string_view words) {
  const std::string folded = common::FoldForMatch(words);
  const size_t updated = LastOf(folded, kUpdated);
  const size_t published = LastOf(folded, kPublished);
  return updated > published ? Announced::kUpdate : (published > 0 ? Announced::kPublication : Announced::kNothing);
}

// What stands around dates alone, folded; besides names of days and what announces a date.
bool IsWordOfDateLine(absl::string_view word) {
  static const auto* const kAround = new absl::flat_hash_set<absl::string_view>{
      "last",    "on",      "at",      "the",   "date",   "am",     "pm",      "uhr",      "stand",     "vom",
      "den",     "der",     "le",      "a",     "mis",    "mise",   "jour",    "el",       "min",       "read",
      "minute",  "minutes", "reading", "time",  "et",     "est",    "edt",     "gmt",      "utc",       "first",
      "um",      "h",       "ist",     "bst",   "p",      "m",      "il",      "ultima",   "ultimo",    "ora",
      "em",      "as",      "kl",      "op",    "г",      "года",   "р",       "року",     "в",         "о",
      "дата",    "мск",     "اخر",     "تاريخ", "الساعه", "الساعة", "في",      "يوم",      "بتوقيت",    "غرينتش",
      "در",      "تاریخ",   "ساعت",    "آخرین", "اخرین",  "به",     "jst",     "kst",      "기사",      "최종",
      "오전",    "오후",    "zuletzt", "datum", "fecha",  "data",   "seit",    "lesezeit", "lesedauer", "minuten",
      "temps",   "lecture", "de",      "del",   "las",    "tiempo", "lectura", "minutos",  "tempo",     "di",
      "lettura", "minuti",  "alle",    "ore",   "mins"};
  constexpr absl::string_view kIdeographs =
      "最終更新公開発布发發佈表配信掲載刊登修改訂正版投稿作成日時間时间於于点點分";
  return kAround->contains(word) || (word.size() == 3 && absl::StrContains(kIdeographs, word));
}

// True if `words`, which stand before a date, end by calling it something that no text is dated by: "Conference:".
bool NamesAnotherDate(absl::string_view words) {
  words = absl::StripTrailingAsciiWhitespace(words);
  if (!absl::ConsumeSuffix(&words, ":") || WhatIsAnnounced(words) != Announced::kNothing) {
    return false;
  }
  const size_t space = words.find_last_of(" \t\n|");
  const std::string last = common::FoldForMatch(space == absl::string_view::npos ? words : words.substr(space + 1));
  return !last.empty() && !IsWordOfDateLine(last) && !IsWeekday(last) && !HoldsDigit(last);
}

}  // namespace

std::optional<ParsedDate> FindDate(absl::string_view text) {
  text = text.substr(0, common::CodePointFloor(text, kMaxDateText));
  if (!HoldsDigit(text)) {
    return std::nullopt;  // Most lines.
  }
  return DateReader(text).Next();
}

StatedDates FindStatedDates(absl::string_view text) {
  StatedDates stated;
  text = text.substr(0, common::CodePointFloor(text, kMaxDateText));
  if (!HoldsDigit(text)) {
    return stated;
  }
  DateReader reader(text);
  std::vector<ParsedDate> dates;
  while (const auto date = reader.Next()) {
    dates.push_back(*date);
  }
  if (dates.empty()) {
    return stated;
  }
  // Words announce the date that follows them; but "2024年3月15日 更新", where nothing stands before the first.
  const bool after = WhatIsAnnounced(text.substr(0, dates.front().start)) == Announced::kNothing &&
                     WhatIsAnnounced(text.substr(dates.back().end)) != Announced::kNothing;
  for (size_t i = 0; i < dates.size(); ++i) {
    const size_t from = after ? dates[i].end : (i == 0 ? 0 : dates[i - 1].end);
    const size_t to = !after ? dates[i].start : (i + 1 == dates.size() ? text.size() : dates[i + 1].start);
    if (!after && NamesAnotherDate(text.substr(from, to - from))) {
      continue;
    }
    std::optional<ParsedDate>& place =
        WhatIsAnnounced(text.substr(from, to - from)) == Announced::kUpdate ? stated.updated : stated.published;
    if (!place) {
      place = dates[i];
    }
  }
  return stated;
}

bool AnnouncesUpdate(absl::string_view words) { return WhatIsAnnounced(words) == Announced::kUpdate; }

bool IsDateLine(absl::string_view line) {
  if (line.size() > kMaxDateText || !HoldsDigit(line)) {
    return false;
  }
  DateReader reader(line);
  if (!reader.Next()) {
    return false;
  }
  // Whatever stands around the dates must go with them.
  size_t i = 0;
  do {
    for (; i < reader.first_token(); ++i) {
      const Token& token = reader.tokens()[i];
      if (token.type == TokenType::kWord && !IsWordOfDateLine(token.word) && !IsWeekday(token.word) &&
          WhatIsAnnounced(token.word) == Announced::kNothing) {
        return false;
      }
    }
    i = reader.end_token();
  } while (reader.Next() || i < reader.tokens().size());
  return true;
}

bool IsMonthName(absl::string_view word) { return Names().months.contains(common::FoldForMatch(word)); }

bool IsAllowedTime(absl::Time time, absl::Time now) {
  static const absl::Time kEarliest = absl::FromCivil(absl::CivilDay(1400, 1, 1), absl::UTCTimeZone());
  return time >= kEarliest && time <= now + absl::Hours(24 * 366);
}

bool IsPlausibleTime(absl::Time time, absl::Time now) {
  // The zero of clocks is what programs give for a date that was never set, in whatever zone they are.
  constexpr absl::Duration kZones = absl::Hours(14);
  const absl::Duration since_zero = time - absl::UnixEpoch();
  return IsAllowedTime(time, now) && (since_zero < -kZones || since_zero > kZones);
}

}  // namespace dateline::extraction
