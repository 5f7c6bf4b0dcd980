#include "cli/robots.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace dateline::cli {
namespace {

// A pattern that is longer is no address of anything; a longer target is looked at so far.
constexpr size_t kMaxPatternBytes = 2000;
constexpr double kLongestDelaySeconds = 3600;

int HexValue(char c) {
  const auto u = static_cast<unsigned char>(c);
  return absl::ascii_isdigit(u) ? c - '0' : absl::ascii_isxdigit(u) ? absl::ascii_tolower(u) - 'a' + 10 : -1;
}

void AppendEncoded(unsigned char byte, std::string* text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  text->push_back('%');
  text->push_back(kHex[byte >> 4U]);
  text->push_back(kHex[byte & 0xFU]);
}

// One spelling of all that mean the same: what need not be encoded isn't, what must be is, in upper case.
std::string NormalTarget(absl::string_view target) {
  std::string normal;
  for (size_t i = 0; i < target.size(); ++i) {
    auto byte = static_cast<unsigned char>(target[i]);
    bool encoded = false;
    if (byte == '%' && i + 2 < target.size() && HexValue(target[i + 1]) >= 0 && HexValue(target[i + 2]) >= 0) {
      byte = static_cast<unsigned char>(HexValue(target[i + 1]) * 16 + HexValue(target[i + 2]));
      encoded = true;
      i += 2;
    }
    const bool unreserved = absl::ascii_isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
    if (byte >= 0x80 || (encoded && !unreserved)) {
      AppendEncoded(byte, &normal);
    } else {
      normal.push_back(static_cast<char>(byte));
    }
  }
  return normal;
}

// Whether `pattern` matches a beginning of `target`, or with a $ all of it.
bool Matches(absl::string_view pattern, absl::string_view target) {
  const bool anchored = absl::ConsumeSuffix(&pattern, "$");
  size_t p = 0;
  size_t t = 0;
  size_t star = absl::string_view::npos;  // The last star, and where what it stands for ends so far.
  size_t star_end = 0;
  while (true) {
    if (p == pattern.size()) {
      if (!anchored || t == target.size()) return true;
    } else if (pattern[p] == '*') {
      star = p++;
      star_end = t;
      continue;
    } else if (t < target.size() && pattern[p] == target[t]) {
      ++p;
      ++t;
      continue;
    }
    if (star == absl::string_view::npos || star_end >= target.size()) return false;
    p = star + 1;
    t = ++star_end;
  }
}

// "Dateline/1.0 (+https://…)" names the product "dateline".
std::string ProductOf(absl::string_view value) {
  size_t size = 0;
  while (size < value.size() &&
         (absl::ascii_isalnum(static_cast<unsigned char>(value[size])) || value[size] == '-' || value[size] == '_')) {
    ++size;
  }
  return absl::AsciiStrToLower(value.substr(0, size));
}

}  // namespace

RobotsRules RobotsRules::Parse(absl::string_view text, absl::string_view product_token) {
  const std::string product = absl::AsciiStrToLower(product_token);
  if (text.size() > kMaxRobotsBytes) {
    const size_t end = text.rfind('\n', kMaxRobotsBytes);  // Half a rule would be another rule.
    text = text.substr(0, end == absl::string_view::npos ? 0 : end);
  }
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  RobotsRules own;
  RobotsRules everybodys;
  bool is_own = false;
  bool is_everybodys = false;
  bool own_found = false;
  bool in_names = false;  // Several names may stand before the rules of one group.
  for (absl::string_view line : absl::StrSplit(text, absl::ByAnyChar("\r\n"))) {
    line = line.substr(0, line.find('#'));
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const std::string key = absl::AsciiStrToLower(absl::StripAsciiWhitespace(line.substr(0, colon)));
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (key == "user-agent") {
      if (!std::exchange(in_names, true)) is_own = is_everybodys = false;
      is_own = is_own || (!product.empty() && ProductOf(value) == product);
      is_everybodys = is_everybodys || value == "*";
      own_found = own_found || is_own;
      continue;
    }
    const bool is_rule = key == "allow" || key == "disallow";
    const bool is_delay = key == "crawl-delay";
    if (!is_rule && !is_delay) continue;  // Sitemaps and the like belong to no group.
    in_names = false;
    for (RobotsRules* const rules : {is_own ? &own : nullptr, is_everybodys ? &everybodys : nullptr}) {
      if (rules == nullptr) continue;
      double seconds = 0;
      if (is_rule && !value.empty() && value.size() <= kMaxPatternBytes && (value[0] == '/' || value[0] == '*')) {
        rules->rules_.push_back({.pattern = NormalTarget(value), .allow = key == "allow"});
      } else if (is_delay && absl::SimpleAtod(value, &seconds) && seconds >= 0) {
        rules->crawl_delay_ = absl::Seconds(std::min(seconds, kLongestDelaySeconds));
      }
    }
  }
  return own_found ? own : everybodys;
}

bool RobotsRules::Allows(absl::string_view target) const {
  if (target == "/robots.txt") return true;
  const std::string normal = NormalTarget(target.substr(0, kMaxPatternBytes));
  const Rule* decides = nullptr;
  for (const Rule& rule : rules_) {
    const bool longer = decides == nullptr || rule.pattern.size() > decides->pattern.size() ||
                        (rule.pattern.size() == decides->pattern.size() && rule.allow);
    if (longer && Matches(rule.pattern, normal)) decides = &rule;
  }
  return decides == nullptr || decides->allow;
}

}  // namespace dateline::cli
