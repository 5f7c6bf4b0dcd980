#include "extraction/charset.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/utf16.h>
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
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/text.h"

namespace dateline::extraction {
namespace {

constexpr size_t kDeclarationWindow = 4096;  // Where a page's own declaration is looked for (browsers: 1,024).
constexpr size_t kDetectionWindow = 65'536;
constexpr int32_t kMinConfidence = 20;  // ICU's scale is 0 to 100; below this Windows-1252 is the better guess.
// Share of the sequences above ASCII that must be good for damaged UTF-8. Other encodings seldom reach a tenth.
constexpr double kUtf8Share = 0.4;
constexpr double kUtf8ShareIfDeclared = 0.2;
constexpr char kReplacement[] = "\xEF\xBF\xBD";

// The encoding that browsers use for a label, where it isn't the one of that name; "" for those that are not to be
// trusted from outside (they can hide markup in what looks like ASCII).
std::string BrowserEncoding(absl::string_view label) {
  static const auto* const kOther =
      new absl::flat_hash_map<absl::string_view, absl::string_view>{{"iso-8859-1", "windows-1252"},
                                                                    {"iso8859-1", "windows-1252"},
                                                                    {"iso_8859-1", "windows-1252"},
                                                                    {"latin1", "windows-1252"},
                                                                    {"latin-1", "windows-1252"},
                                                                    {"us-ascii", "windows-1252"},
                                                                    {"ascii", "windows-1252"},
                                                                    {"ansi", "windows-1252"},
                                                                    {"cp1252", "windows-1252"},
                                                                    {"iso-8859-9", "windows-1254"},
                                                                    {"iso-8859-11", "windows-874"},
                                                                    {"tis-620", "windows-874"},
                                                                    {"gb2312", "gb18030"},
                                                                    {"gbk", "gb18030"},
                                                                    {"gb_2312-80", "gb18030"},
                                                                    {"x-gbk", "gb18030"},
                                                                    {"shift_jis", "windows-31j"},
                                                                    {"shift-jis", "windows-31j"},
                                                                    {"sjis", "windows-31j"},
                                                                    {"x-sjis", "windows-31j"},
                                                                    {"euc-kr", "windows-949"},
                                                                    {"ks_c_5601-1987", "windows-949"},
                                                                    {"utf8", "utf-8"},
                                                                    {"unicode", "utf-16le"},
                                                                    {"utf-16", "utf-16le"},
                                                                    {"utf-7", ""},
                                                                    {"scsu", ""},
                                                                    {"bocu-1", ""},
                                                                    {"cesu-8", ""},
                                                                    {"imap-mailbox-name", ""},
                                                                    {"hz-gb-2312", ""},
                                                                    {"hz", ""},
                                                                    {"iso-2022-kr", ""},
                                                                    {"iso-2022-cn", ""}};
  std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(label));
  name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '"' || c == '\''; }), name.end());
  const auto other = kOther->find(name);
  return other == kOther->end() ? name : std::string(other->second);
}

struct ConverterCloser {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, ConverterCloser>;

Converter OpenConverter(const std::string& name) {
  if (name.empty() || name.size() > 60) {
    return nullptr;
  }
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &error));
  return U_SUCCESS(error) ? std::move(converter) : nullptr;
}

// Through UTF-16 piece by piece, so that memory stays near the size of the result.
std::optional<std::string> Convert(absl::string_view bytes, const std::string& name) {
  const Converter from = OpenConverter(name);
  const Converter to = OpenConverter("utf-8");
  if (from == nullptr || to == nullptr) {
    return std::nullopt;
  }
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2 + 16);
  std::array<UChar, 4096> pivot{};
  std::array<char, 8192> piece{};
  UChar* pivot_source = pivot.data();
  UChar* pivot_target = pivot.data();
  const char* source = bytes.data();
  const char* const end = bytes.data() + bytes.size();
  bool reset = true;
  while (true) {
    UErrorCode error = U_ZERO_ERROR;
    char* target = piece.data();
    ucnv_convertEx(to.get(), from.get(), &target, piece.data() + piece.size(), &source, end, pivot.data(),
                   &pivot_source, &pivot_target, pivot.data() + pivot.size(), reset ? 1 : 0, 1, &error);
    reset = false;
    out.append(piece.data(), static_cast<size_t>(target - piece.data()));
    if (error == U_BUFFER_OVERFLOW_ERROR) {
      continue;
    }
    if (U_FAILURE(error)) {
      return std::nullopt;
    }
    return out;
  }
}

// Replaces what is not UTF-8; a sequence broken off by the end of the bytes is dropped. `replaced` counts.
std::string RepairUtf8(absl::string_view bytes, size_t* replaced) {
  std::string out;
  out.reserve(bytes.size());
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int32_t>(bytes.size());
  int32_t i = 0;
  int32_t good = 0;  // Start of the well-formed run.
  while (i < size) {
    const int32_t start = i;
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    if (c >= 0) {
      continue;
    }
    out.append(bytes.data() + good, static_cast<size_t>(start - good));
    good = i;
    ++*replaced;
    if (i < size) {
      out.append(kReplacement);
    }
  }
  out.append(bytes.data() + good, static_cast<size_t>(size - good));
  return out;
}

// What <meta charset>, <meta http-equiv> or <?xml encoding?> in the first bytes names.
std::string DeclaredInside(absl::string_view bytes) {
  const std::string lower = absl::AsciiStrToLower(bytes.substr(0, kDeclarationWindow));
  const absl::string_view head = lower;
  for (const absl::string_view key : {"charset", "encoding"}) {
    size_t at = 0;
    while ((at = head.find(key, at)) != absl::string_view::npos) {
      const size_t tag = head.rfind('<', at);
      const size_t close = head.rfind('>', at);
      const bool in_tag = tag != absl::string_view::npos && (close == absl::string_view::npos || close < tag) &&
                          (absl::StartsWith(head.substr(tag), "<meta") || absl::StartsWith(head.substr(tag), "<?xml"));
      at += key.size();
      if (!in_tag) {
        continue;
      }
      absl::string_view rest = absl::StripLeadingAsciiWhitespace(head.substr(at));
      if (!absl::ConsumePrefix(&rest, "=")) {
        continue;
      }
      rest = absl::StripLeadingAsciiWhitespace(rest);
      while (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
        rest.remove_prefix(1);
      }
      size_t length = 0;
      while (length < rest.size() && (absl::ascii_isalnum(static_cast<unsigned char>(rest[length])) ||
                                      absl::StrContains("-_:.", absl::string_view(&rest[length], 1)))) {
        ++length;
      }
      if (length > 0) {
        return std::string(rest.substr(0, length));
      }
    }
  }
  return "";
}

std::string Detect(absl::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&error), &ucsdet_close);
  if (U_FAILURE(error)) {
    return "windows-1252";
  }
  // The detector reads only the beginning; text that isn't ASCII tells more, so begin near the first of it.
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0; });
  const auto offset = static_cast<size_t>(first - bytes.begin());
  const absl::string_view sample = bytes.substr(offset - std::min<size_t>(offset, 512), kDetectionWindow);
  ucsdet_setText(detector.get(), sample.data(), static_cast<int32_t>(sample.size()), &error);
  ucsdet_enableInputFilter(detector.get(), 1);
  const UCharsetMatch* const match = ucsdet_detect(detector.get(), &error);
  if (U_FAILURE(error) || match == nullptr || ucsdet_getConfidence(match, &error) < kMinConfidence) {
    return "windows-1252";
  }
  const char* const name = ucsdet_getName(match, &error);
  const std::string found = U_FAILURE(error) || name == nullptr ? "" : BrowserEncoding(name);
  return found.empty() || absl::StartsWith(found, "utf-") || absl::StartsWith(found, "ibm42") ? "windows-1252" : found;
}

// True if `bytes` are text in UTF-16 of that order, beyond doubt: no unit of it that text has not, spaces among them,
// and nearly all else letters and marks. Numbers of two bytes each hold some that are no character.
bool IsTextInUtf16(absl::string_view bytes, bool big_endian) {
  constexpr size_t kMinUnits = 32;
  constexpr double kMinSpaces = 0.05;
  constexpr double kMinLetters = 0.9;
  size_t spaces = 0;
  size_t letters = 0;
  const size_t units = bytes.size() / 2;
  for (size_t i = 0; i < units; ++i) {
    const auto first = static_cast<unsigned char>(bytes[2 * i]);
    const auto second = static_cast<unsigned char>(bytes[2 * i + 1]);
    const UChar32 c = big_endian ? first << 8 | second : second << 8 | first;
    const bool half = U_IS_SURROGATE(c);
    if (!half &&
        (u_isdefined(c) == 0 || u_charType(c) == U_PRIVATE_USE_CHAR || (u_iscntrl(c) != 0 && u_isspace(c) == 0))) {
      return false;
    }
    spaces += c == ' ' || c == '\n' ? 1 : 0;
    letters += half || u_isalnum(c) != 0 || u_isspace(c) != 0 || u_ispunct(c) != 0 || (c < 0x80 && c > ' ') ||
                       (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0
                   ? 1
                   : 0;
  }
  const auto all = static_cast<double>(units);
  return units >= kMinUnits && static_cast<double>(spaces) >= kMinSpaces * all &&
         static_cast<double>(letters) >= kMinLetters * all;
}

// UTF-16 without a mark: every other byte of western text is NUL, and so is one beside each space of other text.
std::string GuessUtf16(absl::string_view bytes) {
  const absl::string_view head = bytes.substr(0, 2048);
  if (!absl::StrContains(head, absl::string_view("\0", 1))) {
    return "";
  }
  std::array<size_t, 2> nul = {0, 0};
  for (size_t i = 0; i < head.size(); ++i) {
    nul[i % 2] += head[i] == 0 ? 1 : 0;
  }
  const size_t half = head.size() / 2;
  if (half >= 8 && nul[1] > half * 3 / 5 && nul[0] < half / 10) {
    return "utf-16le";
  }
  if (half >= 8 && nul[0] > half * 3 / 5 && nul[1] < half / 10) {
    return "utf-16be";
  }
  return IsTextInUtf16(head, false) ? "utf-16le" : IsTextInUtf16(head, true) ? "utf-16be" : "";
}

struct Mark {
  absl::string_view bytes;
  absl::string_view charset;
};

// UTF-32LE begins like UTF-16LE: the longer marks first.
constexpr std::array<Mark, 5> kMarks = {{{absl::string_view("\x00\x00\xFE\xFF", 4), "utf-32be"},
                                         {absl::string_view("\xFF\xFE\x00\x00", 4), "utf-32le"},
                                         {absl::string_view("\xEF\xBB\xBF", 3), "utf-8"},
                                         {absl::string_view("\xFE\xFF", 2), "utf-16be"},
                                         {absl::string_view("\xFF\xFE", 2), "utf-16le"}}};

const Mark* FindMark(absl::string_view bytes) {
  const auto* const mark =
      std::find_if(kMarks.begin(), kMarks.end(), [&](const Mark& m) { return absl::StartsWith(bytes, m.bytes); });
  return mark == kMarks.end() ? nullptr : mark;
}

DecodedText DecodeUtf8(absl::string_view bytes) {
  DecodedText decoded;
  decoded.charset = "utf-8";
  size_t replaced = 0;
  decoded.text = RepairUtf8(bytes, &replaced);
  if (replaced > 0) {
    decoded.warnings.push_back(
        absl::StrCat("charset: ", replaced, " sequences of bytes are not UTF-8 and were replaced"));
  }
  return decoded;
}

DecodedText DecodeAs(absl::string_view bytes, const std::string& charset) {
  if (charset == "utf-8") {
    return DecodeUtf8(bytes);
  }
  std::optional<std::string> text = Convert(bytes, charset);
  if (!text) {
    DecodedText decoded = DecodeUtf8(bytes);
    decoded.warnings.push_back(absl::StrCat("charset: bytes could not be read as ", charset));
    return decoded;
  }
  DecodedText decoded;
  decoded.text = std::move(*text);
  decoded.charset = charset;
  if (absl::StrContains(decoded.text, kReplacement)) {
    decoded.warnings.push_back(absl::StrCat("charset: some bytes are not ", charset, " and were replaced"));
  }
  return decoded;
}

// Share of byte sequences above ASCII that are good UTF-8, 0 to 1; 0 if there are none.
double Utf8Share(absl::string_view bytes) {
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int32_t>(bytes.size());
  size_t good = 0;
  size_t bad = 0;
  int32_t i = 0;
  while (i < size) {
    if (data[i] < 0x80) {
      ++i;
      continue;
    }
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    (c >= 0 ? good : bad) += 1;
  }
  return good + bad == 0 ? 0.0 : static_cast<double>(good) / static_cast<double>(good + bad);
}

// The byte that Windows-1252 has for a code point, or -1.
int ByteInWindows1252(UChar32 c) {
  // 0x80 to 0x9F, as the Encoding Standard has them; the five that are unassigned stand for themselves.
  static constexpr std::array<UChar32, 32> kUpper = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                     0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                                     0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                     0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  if (c < 0x80 || (c >= 0xA0 && c <= 0xFF)) {
    return c;
  }
  const auto* const found = std::find(kUpper.begin(), kUpper.end(), c);
  return found == kUpper.end() ? -1 : 0x80 + static_cast<int>(found - kUpper.begin());
}

// The character that UTF-8 bytes were read as Windows-1252 to give, if such a sequence ("â€™", "Ã©") stands at `*at`,
// which is moved past it; nothing, and `*at` unmoved, otherwise.
std::optional<std::string> UndoneAt(absl::string_view text, size_t* at) {
  const auto* const data = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  auto i = static_cast<int32_t>(*at);
  std::string bytes;
  size_t wanted = 0;
  while (i < size && (bytes.empty() || bytes.size() < wanted)) {
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    const int byte = c < 0 ? -1 : ByteInWindows1252(c);
    if (bytes.empty()) {
      wanted = byte >= 0xC2 && byte <= 0xDF   ? 2
               : byte >= 0xE0 && byte <= 0xEF ? 3
               : byte >= 0xF0 && byte <= 0xF4 ? 4
                                              : 0;
      if (wanted == 0) {
        return std::nullopt;
      }
    } else if (byte < 0x80 || byte > 0xBF) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(byte));
  }
  if (wanted == 0 || bytes.size() < wanted || !common::IsValidUtf8(bytes)) {
    return std::nullopt;
  }
  *at = static_cast<size_t>(i);
  return bytes;
}

// UTF-8 that some publishing system read as Windows-1252 and wrote as UTF-8 again. Repaired only where that is certain:
// several such sequences, and none of the characters that begin them stands for itself anywhere in the text.
size_t RepairMojibake(std::string* text) {
  constexpr size_t kMinSequences = 3;
  if (!absl::StrContains(*text, "\xC3\x83") && !absl::StrContains(*text, "\xC3\xA2") &&
      !absl::StrContains(*text, "\xC3\x82")) {
    return 0;  // Neither Ã, â nor Â: what nearly every damaged text in Latin letters holds.
  }
  std::string repaired;
  size_t sequences = 0;
  size_t at = 0;
  while (at < text->size()) {
    const auto lead = static_cast<unsigned char>((*text)[at]);
    if (lead != 0xC3) {  // The leads of damaged sequences lie at U+00C2 to U+00F4.
      repaired.push_back((*text)[at++]);
      continue;
    }
    if (std::optional<std::string> undone = UndoneAt(*text, &at)) {
      ++sequences;
      repaired.append(*undone);
      continue;
    }
    const auto next = at + 1 < text->size() ? static_cast<unsigned char>((*text)[at + 1]) : 0;
    if (next == 0x83 || next == 0x82 || next == 0xA2) {
      return 0;  // An Ã, Â or â of the author's own.
    }
    repaired.append(*text, at, 2);
    at += 2;
  }
  if (sequences < kMinSequences) {
    return 0;
  }
  *text = std::move(repaired);
  return sequences;
}

// The character of valid UTF-8 at `*at`, which is moved past it.
UChar32 NextCharacter(absl::string_view text, size_t* at) {
  UChar32 c = 0;
  auto i = static_cast<int32_t>(*at);
  U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()), i, static_cast<int32_t>(text.size()), c);
  *at = static_cast<size_t>(i);
  return c;
}

// The bytes of a charset of one byte each, by their characters.
class SingleByteCharset {
 public:
  explicit SingleByteCharset(const char* name) {
    size_t unassigned = 0;
    for (int byte = 0x80; byte <= 0xFF; ++byte) {
      const char c = static_cast<char>(byte);
      const std::optional<std::string> text = Convert(absl::string_view(&c, 1), name);
      UChar32 character = 0xFFFD;
      if (text) {
        size_t at = 0;
        character = NextCharacter(*text, &at);
      }
      if (character == 0xFFFD) {
        ++unassigned;
        lost_ = byte;
        character = byte;  // So do browsers, and others replace it.
      }
      bytes_[character] = byte;
    }
    lost_ = unassigned == 1 ? lost_ : -1;
  }

  // -1 if the charset has no such character.
  int ByteOf(UChar32 c) const {
    if (c == 0xFFFD) {
      return lost_;
    }
    const auto found = bytes_.find(c);
    return found == bytes_.end() ? -1 : found->second;
  }

 private:
  absl::flat_hash_map<UChar32, int> bytes_;
  int lost_ = -1;  // The only byte that stands for nothing: what was replaced was that one.
};

// How UTF-8 of a script was misread, by those who wrote it as UTF-8 again.
struct Misreading {
  const char* charset;
  std::array<absl::string_view, 2> leads;  // What most letters of the script begin with, read so.
  UChar32 first, last;                     // The letters of the script.
};

constexpr std::array<Misreading, 7> kMisreadings = {{
    {"windows-1251", {"Р", "С"}, 0x400, 0x52F},
    {"koi8-r", {"п", "я"}, 0x400, 0x52F},
    {"windows-1252", {"Ð", "Ñ"}, 0x400, 0x52F},
    {"windows-1256", {"ط", "ظ"}, 0x600, 0x6FF},
    {"windows-1252", {"Ø", "Ù"}, 0x600, 0x6FF},
    {"windows-1253", {"Ξ", "Ο"}, 0x370, 0x3FF},
    {"windows-1252", {"Î", "Ï"}, 0x370, 0x3FF},
}};

// Undoes one misreading. Only where it is certain: all that begins as such a sequence is one, in the whole text; there
// are words of them; and nearly all are letters of the script. Text that is right fails at its first letters, which
// aren't followed by signs and foreign letters. Returns how many characters were repaired.
size_t RepairMisreading(const Misreading& misreading, const SingleByteCharset& charset, std::string* text) {
  constexpr size_t kMinLetters = 20;
  std::string repaired;
  std::string run;  // Characters above ASCII, one after another, as the bytes that they were.
  size_t run_start = 0;
  size_t sequences = 0;
  size_t letters = 0;
  const auto end_run = [&](size_t end) {
    const bool begins_any = std::any_of(run.begin(), run.end(), [](char c) { return U8_IS_LEAD(c); });
    if (!begins_any) {  // Marks of the text's own.
      repaired.append(*text, run_start, end - run_start);
    } else if (common::IsValidUtf8(run)) {
      repaired.append(run);
      for (size_t i = 0; i < run.size();) {
        const UChar32 c = NextCharacter(run, &i);
        ++sequences;
        letters += c >= misreading.first && c <= misreading.last ? 1 : 0;
      }
    } else {
      return false;
    }
    run.clear();
    return true;
  };
  for (size_t at = 0; at < text->size();) {
    const size_t start = at;
    const UChar32 c = NextCharacter(*text, &at);
    const int byte = c < 0x80 ? -1 : charset.ByteOf(c);
    if (byte >= 0) {
      run_start = run.empty() ? start : run_start;
      run.push_back(static_cast<char>(byte));
      continue;
    }
    if (!run.empty() && !end_run(start)) {
      return 0;
    }
    repaired.append(*text, start, at - start);
  }
  if ((!run.empty() && !end_run(text->size())) || letters < kMinLetters || letters * 10 < sequences * 9) {
    return 0;
  }
  *text = std::move(repaired);
  return sequences;
}

size_t RepairMisreadScripts(std::string* text) {
  static const auto* const kCharsets = [] {
    auto* charsets = new std::vector<SingleByteCharset>();
    for (const Misreading& misreading : kMisreadings) {
      charsets->emplace_back(misreading.charset);
    }
    return charsets;
  }();
  for (size_t i = 0; i < kMisreadings.size(); ++i) {
    const std::array<absl::string_view, 2>& leads = kMisreadings[i].leads;
    if (absl::StrContains(*text, leads[0]) && absl::StrContains(*text, leads[1])) {
      if (const size_t repaired = RepairMisreading(kMisreadings[i], (*kCharsets)[i], text); repaired > 0) {
        return repaired;
      }
    }
  }
  return 0;
}

}  // namespace

bool IsUtf16(absl::string_view bytes) {
  const Mark* const mark = FindMark(bytes);
  return mark != nullptr ? absl::StartsWith(mark->charset, "utf-16") : !GuessUtf16(bytes).empty();
}

bool IsBinary(absl::string_view bytes) {
  static constexpr std::array<absl::string_view, 22> kMagic = {"%PDF-",
                                                               "\x89PNG",
                                                               "\xFF\xD8\xFF",
                                                               "GIF87a",
                                                               "GIF89a",
                                                               "PK\x03\x04",
                                                               "\x1F\x8B",
                                                               "\x28\xB5\x2F\xFD",
                                                               "BZh",
                                                               "\xFD"
                                                               "7zXZ",
                                                               "7z\xBC\xAF",
                                                               "Rar!\x1A",
                                                               "\x7F"
                                                               "ELF",
                                                               "OggS",
                                                               "ID3",
                                                               "\xD0\xCF\x11\xE0",
                                                               "RIFF",
                                                               "wOFF",
                                                               "II*",
                                                               "MM",
                                                               "SQLite format 3",
                                                               "\xCA\xFE\xBA\xBE"};
  for (const absl::string_view magic : kMagic) {
    if (absl::StartsWith(bytes, magic) && (magic != "MM" || bytes.substr(2, 2) == absl::string_view("\0*", 2)) &&
        (magic != "RIFF" || bytes.substr(0, 64).find('\0') != absl::string_view::npos) &&
        ((magic != "BZh" && magic != "ID3" && magic != "II*") ||
         bytes.substr(0, 64).find_first_of(absl::string_view("\0\x01\x02\x03", 4)) != absl::string_view::npos)) {
      return true;
    }
  }
  if (bytes.size() > 12 && bytes.substr(4, 4) == "ftyp") {
    return true;  // MP4 and its kin.
  }
  const Mark* const mark = FindMark(bytes);
  if ((mark != nullptr && mark->charset != "utf-8") || !GuessUtf16(bytes).empty()) {
    return false;
  }
  const absl::string_view head = bytes.substr(0, 8192);
  const auto controls = std::count_if(head.begin(), head.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && u != '\t' && u != '\n' && u != '\r' && u != '\f' && u != 0x1B) || u == 0x7F;
  });
  return static_cast<size_t>(controls) * 20 > head.size();  // Text has next to none; a page damaged by NULs a few.
}

DecodedText DecodeText(absl::string_view bytes, absl::string_view declared) {
  if (const Mark* const mark = FindMark(bytes)) {
    return DecodeAs(bytes.substr(mark->bytes.size()), std::string(mark->charset));
  }
  if (const std::string utf16 = GuessUtf16(bytes); !utf16.empty()) {
    return DecodeAs(bytes, utf16);
  }
  std::string said = BrowserEncoding(declared);
  std::string unknown;
  if (!said.empty() && OpenConverter(said) == nullptr) {
    unknown = said;
    said.clear();
  }
  if (said.empty()) {
    said = BrowserEncoding(DeclaredInside(bytes));
    if (absl::StartsWith(said, "utf-16") || absl::StartsWith(said, "utf-32") || OpenConverter(said) == nullptr) {
      said.clear();  // A declaration that can be read as ASCII is not in UTF-16.
    }
  }
  DecodedText decoded;
  const bool shifts = said == "iso-2022-jp" && absl::StrContains(bytes, "\x1B");
  if (!shifts && common::IsValidUtf8(bytes)) {
    decoded.text = std::string(bytes);
    decoded.charset = "utf-8";
    const bool ascii = std::none_of(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0; });
    if (!ascii && !said.empty() && said != "utf-8") {
      decoded.warnings.push_back(absl::StrCat("charset: declared as ", said, ", but the bytes are UTF-8"));
    }
    size_t repaired = ascii ? 0 : RepairMisreadScripts(&decoded.text);
    repaired = ascii || repaired > 0 ? repaired : RepairMojibake(&decoded.text);
    if (repaired > 0) {
      decoded.warnings.push_back(
          absl::StrCat("charset: ", repaired, " characters had been written as UTF-8 twice over and were repaired"));
    }
  } else if (said.empty() || said == "utf-8") {
    // Mostly UTF-8 with some damage, or another encoding altogether.
    if (Utf8Share(bytes) > (said.empty() ? kUtf8Share : kUtf8ShareIfDeclared)) {
      decoded = DecodeUtf8(bytes);
    } else {
      const std::string detected = Detect(bytes);
      decoded = DecodeAs(bytes, detected);
      decoded.warnings.push_back(said.empty() ? absl::StrCat("charset: not declared, taken for ", detected)
                                              : absl::StrCat("charset: declared as UTF-8, taken for ", detected));
    }
  } else {
    decoded = DecodeAs(bytes, said);
  }
  if (!unknown.empty()) {
    decoded.warnings.push_back(
        absl::StrCat("charset: \"", absl::string_view(unknown).substr(0, 40), "\" is unknown and was ignored"));
  }
  return decoded;
}

}  // namespace dateline::extraction
