#include "common/text.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace dateline::common {
namespace {

// UAX #15 calls text with at most 30 marks in a row "stream-safe". Before NFC twice as many are let through, because
// NFC may join two of them into one; the bound keeps its sorting of marks from becoming quadratic.
constexpr int kMaxMarks = 30;
constexpr int kMaxMarksBeforeNfc = 2 * kMaxMarks;
constexpr UChar32 kReplacement = 0xFFFD;
constexpr UChar32 kFirstMark = 0x300;  // Below it there is no combining mark, and everything is NFC.

// The code point that begins at `i`, which moves on to the next; U+FFFD for a maximal ill-formed part.
UChar32 Next(absl::string_view text, size_t& i) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data()) + i;
  if (*bytes < 0x80) {
    ++i;
    return *bytes;
  }
  // No code point is longer than four bytes, so the macro's 32-bit indices suffice for a text of any size.
  const auto rest = static_cast<int32_t>(std::min<size_t>(text.size() - i, U8_MAX_LENGTH));
  int32_t offset = 0;
  UChar32 c = 0;
  U8_NEXT(bytes, offset, rest, c);
  i += static_cast<size_t>(offset);
  return c < 0 ? kReplacement : c;
}

// Combining marks, and the three Tibetan vowel signs that are none themselves but decompose into two.
bool IsMark(UChar32 c) {
  return c >= kFirstMark && (u_getCombiningClass(c) != 0 || c == 0x0F73 || c == 0x0F75 || c == 0x0F81);
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void AppendCodePoint(UChar32 c, std::string& out) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  char buffer[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(buffer, length, c);
  out.append(buffer, static_cast<size_t>(length));
}

// What a code point is to the layout of a text.
enum class Kind { kText, kBlank, kLineEnd, kParagraphEnd, kDropped };

Kind Classify(UChar32 c) {
  if (c < 0x80) {
    if (c > 0x20 && c < 0x7F) {
      return Kind::kText;
    }
    if (c == ' ' || c == '\t') {
      return Kind::kBlank;
    }
    return c == '\n' ? Kind::kLineEnd : Kind::kDropped;
  }
  if (c < 0xA0) {
    return c == 0x85 ? Kind::kLineEnd : Kind::kDropped;
  }
  switch (c) {
    case 0x2028:
      return Kind::kLineEnd;
    case 0x2029:
      return Kind::kParagraphEnd;
    case 0xFEFF:
      return Kind::kDropped;
    default:
      return u_charType(c) == U_SPACE_SEPARATOR ? Kind::kBlank : Kind::kText;
  }
}

// Collects a text while it is laid out: blanks and line ends are held back until text follows them, so that those at
// the ends of lines and of the whole never come out.
class Layout {
 public:
  Layout(size_t capacity, bool one_line) : one_line_(one_line) { out_.reserve(capacity); }

  void Add(UChar32 c) {
    switch (Classify(c)) {
      case Kind::kText:
        if (c < kFirstMark) {
          marks_ = 0;
        } else {
          plain_ = false;
          marks_ = IsMark(c) ? marks_ + 1 : 0;
          if (marks_ > kMaxMarksBeforeNfc) {
            return;
          }
          most_marks_ = std::max(most_marks_, marks_);
        }
        Flush();
        AppendCodePoint(c, out_);
        return;
      case Kind::kBlank:
        marks_ = 0;
        AppendCodePoint(c == '\t' ? ' ' : c, blanks_);
        return;
      case Kind::kLineEnd:
        EndLines(1);
        return;
      case Kind::kParagraphEnd:
        EndLines(2);
        return;
      case Kind::kDropped:
        return;
    }
  }

  // Nothing but what is NFC as it stands has been added.
  bool plain() const { return plain_; }
  int most_marks() const { return most_marks_; }
  std::string Take() && { return std::move(out_); }

 private:
  void EndLines(int count) {
    marks_ = 0;
    blanks_.clear();
    line_ends_ = std::min(line_ends_ + count, 2);
  }

  void Flush() {
    if (line_ends_ > 0 || !blanks_.empty()) {
      if (out_.empty()) {
        // Nothing stands before the first text.
      } else if (one_line_) {
        out_.push_back(' ');
      } else {
        out_.append(static_cast<size_t>(line_ends_), '\n');
        out_.append(blanks_);
      }
      line_ends_ = 0;
      blanks_.clear();
    }
  }

  const bool one_line_;
  std::string out_;
  std::string blanks_;  // Since the last text or line end.
  int line_ends_ = 0;   // Since the last text; at most 2.
  int marks_ = 0;       // In the present run.
  int most_marks_ = 0;
  bool plain_ = true;
};

std::string ToNfc(std::string text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  const icu::StringPiece source(text.data(), static_cast<int32_t>(text.size()));
  if (U_FAILURE(status) || nfc->isNormalizedUTF8(source, status)) {
    return text;
  }
  std::string normalized;
  normalized.reserve(text.size());
  icu::StringByteSink<std::string> sink(&normalized);
  nfc->normalizeUTF8(0, source, sink, nullptr, status);
  return U_FAILURE(status) ? text : normalized;
}

// Drops the marks of each run after the `limit`-th, and makes what is not UTF-8 U+FFFD. NFC stays NFC: what is left of
// each run is its beginning, and still divides the characters around it.
std::string LimitMarks(absl::string_view text, int limit) {
  std::string out;
  out.reserve(text.size());
  int marks = 0;
  for (size_t i = 0; i < text.size();) {
    const UChar32 c = Next(text, i);
    marks = IsMark(c) ? marks + 1 : 0;
    if (marks <= limit) {
      AppendCodePoint(c, out);
    }
  }
  return out;
}

std::string Normalize(absl::string_view text, bool one_line) {
  Layout layout(text.size(), one_line);
  for (size_t i = 0; i < text.size();) {
    UChar32 c = Next(text, i);
    if (c == '\r') {
      if (i < text.size() && text[i] == '\n') {
        continue;  // The LF of the pair ends the line.
      }
      c = '\n';
    }
    layout.Add(c);
  }
  const bool plain = layout.plain();
  const int most_marks = layout.most_marks();
  std::string result = std::move(layout).Take();
  if (!plain) {
    result = ToNfc(std::move(result));
    // NFC may double a run, and take apart the character before it.
    if (most_marks > kMaxMarks / 3) {
      result = LimitMarks(result, kMaxMarks);
    }
  }
  return result;
}

// Letters that Unicode doesn't decompose though readers take them for a letter with a stroke, or for two letters.
absl::string_view FoldSpecial(UChar32 c) {
  switch (c) {
    case 0x00E6:
      return "ae";
    case 0x00F8:
      return "o";
    case 0x00F0:
    case 0x0111:
      return "d";
    case 0x00FE:
      return "th";
    case 0x0127:
      return "h";
    case 0x0131:
      return "i";
    case 0x0142:
      return "l";
    case 0x0153:
      return "oe";
    case 0x0167:
      return "t";
    default:
      return {};
  }
}

bool IsFoldedMark(UChar32 c) {
  if (u_charType(c) != U_NON_SPACING_MARK) {
    return false;
  }
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  return U_SUCCESS(status) && (script == USCRIPT_INHERITED || script == USCRIPT_ARABIC || script == USCRIPT_HEBREW ||
                               script == USCRIPT_CYRILLIC);
}

}  // namespace

bool IsValidUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t i = 0; i < text.size();) {
    if (bytes[i] < 0x80) {
      ++i;
      continue;
    }
    const auto rest = static_cast<int32_t>(std::min<size_t>(text.size() - i, U8_MAX_LENGTH));
    int32_t offset = 0;
    UChar32 c = 0;
    U8_NEXT(bytes + i, offset, rest, c);
    if (c < 0) {
      return false;
    }
    i += static_cast<size_t>(offset);
  }
  return true;
}

std::string NormalizeText(absl::string_view text) { return Normalize(text, /*one_line=*/false); }

std::string NormalizeLine(absl::string_view text) { return Normalize(text, /*one_line=*/true); }

size_t CodePointFloor(absl::string_view text, size_t pos) {
  if (pos >= text.size()) {
    return text.size();
  }
  // A code point has at most three bytes after its first.
  const size_t lowest = pos - std::min<size_t>(pos, 3);
  size_t i = pos;
  while (i > lowest && U8_IS_TRAIL(static_cast<uint8_t>(text[i]))) {
    --i;
  }
  return i;
}

std::string FoldForMatch(absl::string_view text) {
  if (IsAscii(text)) {
    return absl::AsciiStrToLower(text);
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) {
    return absl::AsciiStrToLower(text);
  }
  const std::string bounded = LimitMarks(text, kMaxMarksBeforeNfc);
  icu::UnicodeString folded =
      icu::UnicodeString::fromUTF8(icu::StringPiece(bounded.data(), static_cast<int32_t>(bounded.size())));
  folded.foldCase();
  const icu::UnicodeString decomposed = nfd->normalize(folded, status);
  icu::UnicodeString bare;
  for (int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
    const UChar32 c = decomposed.char32At(i);
    if (IsFoldedMark(c)) {
      continue;
    }
    if (const absl::string_view special = FoldSpecial(c); !special.empty()) {
      bare.append(icu::UnicodeString::fromUTF8(icu::StringPiece(special.data(), static_cast<int32_t>(special.size()))));
    } else {
      bare.append(c);
    }
  }
  std::string out;
  nfc->normalize(bare, status).toUTF8String(out);
  return LimitMarks(out, kMaxMarks);
}

bool HoldsHtml(absl::string_view text) {
  constexpr std::array<absl::string_view, 21> kTags = {"p",    "/p",    "div",  "/div",    "br",     "h1",   "h2",
                                                       "html", "head",  "body", "article", "a",      "span", "title",
                                                       "meta", "table", "ul",   "li",      "strong", "em",   "section"};
  // One may be meant as text: two are not.
  int found = 0;
  for (size_t at = text.find('<'); at != absl::string_view::npos && found < 2; at = text.find('<', at + 1)) {
    const absl::string_view rest = text.substr(at + 1);
    const bool is_tag = std::any_of(kTags.begin(), kTags.end(), [rest](absl::string_view tag) {
      return absl::StartsWithIgnoreCase(rest, tag) && rest.size() > tag.size() &&
             !absl::ascii_isalnum(static_cast<unsigned char>(rest[tag.size()]));
    });
    found += is_tag ? 1 : 0;
  }
  return found >= 2;
}

}  // namespace dateline::common
