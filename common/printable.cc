#include "common/printable.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/text.h"

namespace dateline::common {
namespace {

// A character that is not for terminals, at the beginning of valid UTF-8; no bytes if there is none.
struct Unprintable {
  size_t bytes = 0;
  uint32_t code_point = 0;
};

Unprintable FindAt(absl::string_view text) {
  const auto byte = [text](size_t at) { return static_cast<unsigned char>(text[at]); };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return {1, byte(0)};
  // C1 controls are two bytes: C2 80 to C2 9F.
  if (byte(0) == 0xC2 && text.size() > 1 && byte(1) < 0xA0) return {2, byte(1)};
  // U+202A to U+202E and U+2066 to U+2069.
  if (byte(0) == 0xE2 && text.size() > 2) {
    if (byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) return {3, 0x2000U + (byte(2) & 0x3FU)};
    if (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9) return {3, 0x2040U + (byte(2) & 0x3FU)};
  }
  return {};
}

// The length of a sequence that sets a colour or weight, if `text` begins with one; 8 hides what follows, and is none.
size_t ColourSequence(absl::string_view text) {
  if (text.size() < 3 || text[0] != '\x1B' || text[1] != '[') return 0;
  size_t end = 2;
  while (end < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[end]))) ++end;
  const absl::string_view code = text.substr(2, end - 2);
  return end < text.size() && text[end] == 'm' && code.size() <= 2 && code != "8" ? end + 1 : 0;
}

bool IsPlain(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

std::string Printable(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  const std::string valid = IsValidUtf8(text) ? std::string(text) : NormalizeLine(text);
  std::string clean;
  for (size_t i = 0; i < valid.size();) {
    const Unprintable found = FindAt(absl::string_view(valid).substr(i));
    if (found.bytes == 0) {
      clean.push_back(valid[i++]);
      continue;
    }
    if (found.code_point < 0x100) clean.push_back('?');
    i += found.bytes;
  }
  return clean;
}

std::string PrintableLines(absl::string_view text) {
  std::string clean;
  size_t begin = 0;
  size_t end = 0;
  const auto flush = [&](size_t kept) {
    absl::StrAppend(&clean, Printable(text.substr(begin, end - begin)), text.substr(end, kept));
    begin = end = end + kept;
  };
  while (end < text.size()) {
    const size_t kept = text[end] == '\n' || text[end] == '\t' ? 1 : ColourSequence(text.substr(end));
    if (kept == 0) {
      ++end;
    } else {
      flush(kept);
    }
  }
  flush(0);
  return clean;
}

std::string PrintableJson(absl::string_view json) {
  std::string clean;
  clean.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    const Unprintable found = FindAt(json.substr(i));
    // Below U+0020 there is white space between values only.
    if (found.bytes == 0 || found.code_point < 0x20) {
      clean.push_back(json[i++]);
      continue;
    }
    absl::StrAppendFormat(&clean, "\\u%04x", found.code_point);
    i += found.bytes;
  }
  return clean;
}

}  // namespace dateline::common
