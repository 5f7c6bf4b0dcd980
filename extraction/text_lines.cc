#include "extraction/text_lines.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

// Nobody breaks lines to less or more than this: columns of print have thirty letters and more, and no line of print
// that people like to read has more than a hundred.
constexpr size_t kNarrowest = 30;
constexpr size_t kWidest = 140;
// Shorter lines are headings, dates, ends of paragraphs: they say nothing about the width.
constexpr size_t kTelling = 20;
// A line that ends so much before the width ends there on purpose.
constexpr size_t kShortBy = 25;

bool BeginsListItem(absl::string_view line) {
  for (const absl::string_view mark : {"- ", "* ", "• ", "– ", "· ", "> "}) {
    if (absl::StartsWith(line, mark)) {
      return true;
    }
  }
  size_t digits = 0;
  while (digits < line.size() && absl::ascii_isdigit(static_cast<unsigned char>(line[digits]))) {
    ++digits;
  }
  return digits > 0 && digits <= 2 && (line.substr(digits, 2) == ". " || line.substr(digits, 2) == ") ");
}

// "govern-" and "ment": one word, unless the second part begins like a name.
bool EndsInDividedWord(absl::string_view line, absl::string_view next) {
  return line.size() > 2 && line.back() == '-' &&
         absl::ascii_isalpha(static_cast<unsigned char>(line[line.size() - 2])) && !next.empty() &&
         absl::ascii_islower(static_cast<unsigned char>(next[0]));
}

// The width that lines were broken to: half of them and more reach about that far. Some may be much longer, where a
// divided word was joined before. 0 if they were not broken.
size_t WidthOf(absl::string_view text) {
  std::vector<size_t> widths;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (const size_t width = CountCodePoints(absl::StripAsciiWhitespace(line)); width >= kTelling) {
      widths.push_back(width);
    }
  }
  if (widths.empty()) {
    return 0;
  }
  const auto middle = widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 2);
  std::nth_element(widths.begin(), middle, widths.end());
  return *middle < kNarrowest || *middle > kWidest ? 0 : *middle;
}

void AppendParagraph(const std::vector<absl::string_view>& lines, size_t width, std::string* text) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::string_view line = lines[i];
    const bool ends_before = i > 0 && CountCodePoints(lines[i - 1]) + kShortBy < width;
    if (i == 0 || width == 0 || ends_before || BeginsListItem(line)) {
      const bool new_paragraph = i == 0 || (ends_before && EndsSentence(lines[i - 1]) && !BeginsListItem(line));
      text->append(text->empty() ? "" : new_paragraph ? "\n\n" : "\n");
    } else if (EndsInDividedWord(lines[i - 1], line)) {
      text->pop_back();
    } else {
      text->push_back(' ');
    }
    text->append(line.data(), line.size());
  }
}

}  // namespace

std::string Unwrap(absl::string_view text) {
  std::string unwrapped;
  unwrapped.reserve(text.size());
  const size_t width = WidthOf(text);
  std::vector<absl::string_view> paragraph;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (!stripped.empty()) {
      paragraph.push_back(stripped);
      continue;
    }
    AppendParagraph(paragraph, width, &unwrapped);
    paragraph.clear();
  }
  AppendParagraph(paragraph, width, &unwrapped);
  return unwrapped;
}

}  // namespace dateline::extraction
