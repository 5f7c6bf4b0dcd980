#include "extraction/dates.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "common/text.h"
#include "extraction/extraction.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxDateText = 300;

// Folded month names (as common::FoldForMatch gives them) and their abbreviations.
const absl::flat_hash_map<std::string, int>& Months() {
  static const auto* const kMonths = [] {
    constexpr std::array<absl::string_view, 12> kNames = {
        "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari يناير",
        "february feb februar feber février févr fevr fév febrero febbraio fevereiro fev februari فبراير",
        "march mar märz mär mrz mars marzo março maart mrt مارس",
        "april apr avril avr abril abr aprile أبريل ابريل نيسان",
        "may mai mayo maggio mag maio mei مايو",
        "june jun juni juin junio giugno giu junho يونيو",
        "july jul juli juillet juil julio luglio lug julho يوليو",
        "august aug août agosto ago augustus أغسطس اغسطس",
        "september sep sept septembre septiembre settembre set setembro سبتمبر",
        "october oct oktober okt octobre octubre ottobre ott outubro out أكتوبر اكتوبر",
        "november nov novembre noviembre novembro نوفمبر",
        "december dec dezember dez décembre déc diciembre dic dicembre dezembro ديسمبر"};
    auto* months = new absl::flat_hash_map<std::string, int>();
    for (size_t m = 0; m < kNames.size(); ++m) {
      absl::string_view rest = kNames[m];
      while (!rest.empty()) {
        const size_t space = rest.find(' ');
        months->emplace(common::FoldForMatch(rest.substr(0, space)), static_cast<int>(m) + 1);
        rest = space == absl::string_view::npos ? absl::string_view() : rest.substr(space + 1);
      }
    }
    return months;
  }();
  return *kMonths;
}

enum class TokenType { kNumber, kWord, kSign };

struct Token {
  TokenType type = TokenType::kSign;
  int64_t number = 0;
  size_t digits = 0;
  char sign = 0;
  int month = 0;  // 1 to 12 if the word is a month.
  std::string word;
  size_t start = 0;
  size_t end = 0;
};

bool IsWordByte(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || (c & 0x80) != 0; }

// Splits into numbers, words and single signs; white space separates and is dropped, but for its mark in `start`.
std::vector<Token> Tokenize(absl::string_view text) {
  std::vector<Token> tokens;
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    Token token;
    token.start = i;
    if (absl::ascii_isspace(static_cast<unsigned char>(c)) || absl::StartsWith(text.substr(i), "\xC2\xA0")) {
      i += (c & 0x80) != 0 ? 2 : 1;
      continue;
    }
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      token.type = TokenType::kNumber;
      while (i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) {
        if (token.digits < 15) {
          token.number = token.number * 10 + (text[i] - '0');
        }
        ++token.digits;
        ++i;
      }
    } else if (IsWordByte(c)) {
      token.type = TokenType::kWord;
      while (i < text.size() && IsWordByte(text[i]) && !absl::StartsWith(text.substr(i), "\xC2\xA0")) {
        ++i;
      }
      token.word = common::FoldForMatch(text.substr(token.start, i - token.start));
      const auto month = Months().find(token.word);
      token.month = month == Months().end() ? 0 : month->second;
    } else {
      token.sign = c;
      ++i;
    }
    token.end = i;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// Reads the tokens of one text; every Read… either consumes what it recognises or leaves the position alone.
class DateReader {
 public:
  explicit DateReader(absl::string_view text) : tokens_(Tokenize(text)) {}

  std::optional<ParsedDate> First() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
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
      date.precision = TimePrecision::kDay;
      date.time = absl::FromCivil(day, absl::UTCTimeZone());
      ReadTimeOfDay(day, &date);
      return date;
    }
    return std::nullopt;
  }

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

  bool ReadDay(absl::CivilDay* day) { return ReadNumericDay(day) || ReadNamedDay(day); }

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
      ok = MakeDay(a, b, c, day);
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

  // "19 September 2023", "19. September 2023", "19 de septiembre de 2023", "September 19th, 2023".
  bool ReadNamedDay(absl::CivilDay* day) {
    const size_t begin = pos_;
    int month = 0;
    int64_t day_number = 0;
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
    if (IsNumber(0, 4, 4) && MakeDay(At()->number, month, day_number, day)) {
      ++pos_;
      return true;
    }
    // RFC 822 allowed two digits for the year, as in "Sat, 07 Sep 02 00:00:01 GMT"; only with a time do we believe it.
    if (IsNumber(0, 2, 2) && IsNumber(1, 1, 2) && IsSign(2, ':')) {
      const int64_t year = At()->number < 70 ? 2000 + At()->number : 1900 + At()->number;
      if (MakeDay(year, month, day_number, day)) {
        ++pos_;
        return true;
      }
    }
    pos_ = begin;
    return false;
  }

  // A month must not be glued to what stands before it ("Kate-May 3 2020" apart, it is no harm).
  bool IsMonthPosition() const { return pos_ == 0 || tokens_[pos_ - 1].end != tokens_[pos_].start; }

  void SkipOrdinal() {
    if (At() != nullptr && At()->type == TokenType::kWord && pos_ > 0 && tokens_[pos_ - 1].end == At()->start &&
        (At()->word == "st" || At()->word == "nd" || At()->word == "rd" || At()->word == "th" || At()->word == "er")) {
      ++pos_;
    }
  }

  // Reads a time of day with its zone, if both are there, and makes `date` exact.
  void ReadTimeOfDay(absl::CivilDay day, ParsedDate* date) {
    const size_t begin = pos_;
    while (IsSign(0, ',') || IsSign(0, '-') || IsSign(0, '|') || IsWord(0, "t") || IsWord(0, "at") || IsWord(0, "um") ||
           IsWord(0, "a")) {
      ++pos_;
    }
    if (!IsNumber(0, 1, 2) || !IsSign(1, ':') || !IsNumber(2, 2, 2)) {
      pos_ = begin;
      return;
    }
    int64_t hour = At(0)->number;
    const int64_t minute = At(2)->number;
    int64_t second = 0;
    pos_ += 3;
    if (IsSign(0, ':') && IsNumber(1, 2, 2)) {
      second = At(1)->number;
      pos_ += 2;
      if ((IsSign(0, '.') || IsSign(0, ',')) && IsNumber(1, 1, 9)) {
        pos_ += 2;
      }
    }
    ReadMeridiem(&hour);
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
        {"z", 0},      {"utc", 0},    {"gmt", 0},    {"ut", 0},     {"est", -300}, {"edt", -240}, {"cst", -360},
        {"cdt", -300}, {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420}, {"cet", 60},   {"cest", 120},
        {"mez", 60},   {"mesz", 120}, {"eet", 120},  {"eest", 180}, {"msk", 180}};
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
};

}  // namespace

std::optional<ParsedDate> FindDate(absl::string_view text) {
  text = text.substr(0, common::CodePointFloor(text, kMaxDateText));
  if (text.find_first_of("0123456789") == absl::string_view::npos) {
    return std::nullopt;  // Most lines.
  }
  return DateReader(text).First();
}

bool IsMonthName(absl::string_view word) { return Months().contains(common::FoldForMatch(word)); }

bool IsPlausibleTime(absl::Time time, absl::Time now) {
  static const absl::Time kEarliest = absl::FromCivil(absl::CivilDay(1400, 1, 1), absl::UTCTimeZone());
  return time >= kEarliest && time <= now + absl::Hours(24 * 366);
}

}  // namespace dateline::extraction
