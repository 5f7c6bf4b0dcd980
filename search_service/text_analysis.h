// Words out of text: the one tokeniser, folding and stemming that articles, queries and highlights go through, so that
// what is searched for is what was written down.
#ifndef DATELINE_SEARCH_SERVICE_TEXT_ANALYSIS_H_
#define DATELINE_SEARCH_SERVICE_TEXT_ANALYSIS_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::search {

// Longest word that is indexed, in bytes after folding; longer ones are cut there on both sides.
inline constexpr size_t kMaxWordBytes = 64;

// A word in its searchable forms.
struct Word {
  std::string folded;  // As Fold() does.
  std::string stem;    // By the language; equal to `folded` where there is no stemmer.
};

// A word at its place. Scripts without spaces between words give every character and every pair of neighbours.
struct Token {
  size_t start = 0;  // Half-open byte range in the text.
  size_t end = 0;
  uint32_t position = 0;       // Rising by one for each word; a character and the pair it begins share one.
  bool pair = false;           // A pair of characters of a script without spaces.
  bool single = false;         // One character of such a script.
  const Word* word = nullptr;  // Valid until the next call on the same analyzer.
};

// The stemmer that a BCP 47 tag leads to: "fr" for "fr-CA". "" where each word's script decides: for English, Russian,
// Arabic, for languages without a stemmer, and where the language is unknown, so that queries in no stated language and
// articles agree.
std::string StemmerLanguage(absl::string_view language_code);

// Case and diacritics; variants of Arabic letters, vowel signs, tatweel; letters and digits in other shapes, such as
// full-width ones: folded. What comparisons of names and words go by.
std::string Fold(absl::string_view text);

// Whether words of the script of this character are not divided by spaces (Chinese, Japanese, Thai and the like).
bool IsUnspacedScript(char32_t c);

// First bytes of words, by their value.
using FirstBytes = std::bitset<256>;

// Not thread-safe: one for each thread. Keeps the forms of the words it has seen (bounded).
class TextAnalyzer {
 public:
  TextAnalyzer();
  ~TextAnalyzer();
  TextAnalyzer(const TextAnalyzer&) = delete;
  TextAnalyzer& operator=(const TextAnalyzer&) = delete;

  // Tokens in the order of the text, which must be UTF-8. `language_code`: BCP 47, may be empty.
  // `only`: leaves out words that begin with an ASCII letter or digit which, in lower case, is not among these. Most of
  // the time goes into looking words up; who looks for a few words needs a few.
  std::vector<Token> Tokenize(absl::string_view text, absl::string_view language_code,
                              const FirstBytes* only = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether a word is so common in its language ("the", "of") that it says nothing on its own.
bool IsStopWord(absl::string_view folded);
// Whether it is one of these or another function word of English ("between", "however", "using"): such a word may be
// meant in a query of two or three words, but says little in a question.
bool IsFunctionWord(absl::string_view folded);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_TEXT_ANALYSIS_H_
