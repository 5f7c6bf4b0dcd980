#include "search_service/text_analysis.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>
#include <xapian.h>

#include <array>
#include <cctype>
#include <map>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/text.h"

namespace dateline::search {
namespace {

// Words an analyzer remembers of each language before it starts afresh; some 100 bytes each.
constexpr size_t kMaxCachedWords = 100'000;

// Languages with a Snowball stemmer in Xapian 1.4.22, by their BCP 47 base tag, but for those that are told by their
// script alone (LanguageOfScript).
constexpr std::array<const char*, 18> kStemmed = {"ca", "da", "de", "es", "eu", "fi", "fr", "ga", "hu",
                                                  "id", "it", "lt", "nb", "nl", "pt", "ro", "sv", "tr"};

// Says where a word may be broken at the end of a line, and is no part of it.
constexpr UChar32 kSoftHyphen = 0x00AD;

// Katakana as old systems write it; voiced ones with a mark of its own behind.
bool IsHalfWidthKana(UChar32 c) { return c >= 0xFF66 && c <= 0xFF9F; }
bool IsHalfWidthVoiceMark(UChar32 c) { return c == 0xFF9E || c == 0xFF9F; }

bool IsApostrophe(UChar32 c) { return c == '\'' || c == 0x2019 || c == 0x02BC || c == 0xFF07; }

enum class Kind : uint8_t { kOther, kWord, kUnspaced, kApostrophe, kDot, kDigit };

Kind KindOf(UChar32 c) {
  if (c < 0x80) {
    if (c >= '0' && c <= '9') return Kind::kDigit;
    if (absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_') return Kind::kWord;
    if (c == '\'') return Kind::kApostrophe;
    return c == '.' || c == ',' ? Kind::kDot : Kind::kOther;
  }
  if (IsApostrophe(c)) return Kind::kApostrophe;
  if (IsUnspacedScript(static_cast<char32_t>(c)) || IsHalfWidthKana(c)) {
    return u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0 ? Kind::kUnspaced : Kind::kOther;
  }
  if (u_isdigit(c)) return Kind::kDigit;
  if (u_isalnum(c) || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_N_MASK)) != 0) return Kind::kWord;
  return Kind::kOther;
}

struct Char {
  UChar32 code = 0;
  size_t next = 0;  // Offset behind it.
  Kind kind = Kind::kOther;
};

Char ReadChar(absl::string_view text, size_t pos) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  Char result;
  if (bytes[pos] < 0x80) {
    result = {bytes[pos], pos + 1, Kind::kOther};
  } else {
    auto offset = static_cast<int64_t>(pos);
    UChar32 code = 0;
    U8_NEXT(bytes, offset, static_cast<int64_t>(text.size()), code);
    result = {code, static_cast<size_t>(offset), Kind::kOther};
    if (code < 0) return result;
    if (IsHalfWidthKana(code) && !IsHalfWidthVoiceMark(code) && result.next < text.size()) {
      auto behind = offset;
      U8_NEXT(bytes, behind, static_cast<int64_t>(text.size()), code);
      if (IsHalfWidthVoiceMark(code)) result.next = static_cast<size_t>(behind);
    }
  }
  result.kind = KindOf(result.code);
  return result;
}

bool AllAscii(absl::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// Letters that Arabic-script writers use for one another, beyond what Unicode decomposes.
UChar32 UnifyArabic(UChar32 c) {
  switch (c) {
    case 0x0649:  // alef maksura
    case 0x06CC:  // Farsi yeh
      return 0x064A;
    case 0x0629:  // teh marbuta
    case 0x06C0:
    case 0x06D5:
      return 0x0647;
    case 0x06A9:  // keheh
      return 0x0643;
    case 0x0622:
    case 0x0623:
    case 0x0625:
    case 0x0671:
      return 0x0627;
    default:
      return c >= 0x0660 && c <= 0x0669 ? '0' + (c - 0x0660) : c >= 0x06F0 && c <= 0x06F9 ? '0' + (c - 0x06F0) : c;
  }
}

// With the letters and digits that stand in other shapes as they usually do: full-width, half-width, mathematical,
// superscript, circled; Arabic as printers join it. What is more than letters, digits and marks (a fraction, a
// greeting) stays.
std::string UnifyShapes(absl::string_view raw) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(status);
  std::string result;
  for (size_t pos = 0; pos < raw.size();) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(raw.data());
    auto next = static_cast<int64_t>(pos);
    UChar32 c = 0;
    U8_NEXT(bytes, next, static_cast<int64_t>(raw.size()), c);
    if (c == 0x0149) {  // An apostrophe and an n: the first is no part of a word.
      result.push_back('n');
      pos = static_cast<size_t>(next);
      continue;
    }
    icu::UnicodeString plain;
    bool unified = c >= 0x80 && U_SUCCESS(status) != 0 && nfkd->getDecomposition(c, plain) != 0;
    if (unified && plain[0] == u' ') plain.remove(0, 1);  // A vowel sign that is shown by itself.
    for (int32_t i = 0; unified && i < plain.length(); i = plain.moveIndex32(i, 1)) {
      const UChar32 part = plain.char32At(i);
      unified = u_isalnum(part) || (U_GET_GC_MASK(part) & U_GC_M_MASK) != 0;
    }
    if (unified) {
      plain.toUTF8String(result);
    } else {
      result.append(raw.data() + pos, static_cast<size_t>(next) - pos);
    }
    pos = static_cast<size_t>(next);
  }
  return result;
}

std::string FoldWord(absl::string_view raw) {
  if (AllAscii(raw)) return absl::AsciiStrToLower(raw);
  const std::string folded = common::FoldForMatch(UnifyShapes(raw));
  std::string result;
  result.reserve(folded.size());
  for (size_t pos = 0; pos < folded.size();) {
    const Char c = ReadChar(folded, pos);
    if (c.code >= 0x0600 && c.code <= 0x06FF) {
      if (c.code != 0x0640) {  // Tatweel only stretches.
        const UChar32 unified = UnifyArabic(c.code);
        if (unified < 0x80) {
          result.push_back(static_cast<char>(unified));
        } else {
          result.push_back(static_cast<char>(0xC0 | (unified >> 6)));
          result.push_back(static_cast<char>(0x80 | (unified & 0x3F)));
        }
      }
    } else {
      result.append(folded, pos, c.next - pos);
    }
    pos = c.next;
  }
  return result;
}

bool IsContraction(absl::string_view tail) {
  return tail == "s" || tail == "t" || tail == "re" || tail == "ve" || tail == "ll" || tail == "d" || tail == "m";
}

// What stems a word where the language doesn't say: its script.
const char* LanguageOfScript(absl::string_view folded) {
  if (folded.empty()) return "";
  const UChar32 c = ReadChar(folded, 0).code;
  if (c < 0x0250) return "en";
  if (c >= 0x0400 && c <= 0x052F) return "ru";
  if (c >= 0x0600 && c <= 0x06FF) return "ar";
  if (c >= 0x0530 && c <= 0x058F) return "hy";
  return "";
}

// What the stemmer is given of a folded word. Arabic: it drops a teh marbuta, which folds to heh, and takes heh for
// "his", but not behind the article, so that it would part "government" from "the government".
std::string StemmedForm(absl::string_view stemmer, absl::string_view folded) {
  constexpr absl::string_view kHeh = "\u0647";
  if (stemmer == "ar" && absl::ConsumeSuffix(&folded, kHeh)) return absl::StrCat(folded, "\u0629");
  return std::string(folded);
}

}  // namespace

bool IsUnspacedScript(char32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF) || (c >= 0x0E00 && c <= 0x0EFF) ||
         (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF);
}

std::string StemmerLanguage(absl::string_view language_code) {
  std::string base = absl::AsciiStrToLower(language_code.substr(0, language_code.find_first_of("-_")));
  if (base == "no" || base == "nn") base = "nb";
  for (const char* known : kStemmed) {
    if (base == known) return base;
  }
  return "";
}

std::string Fold(absl::string_view text) { return FoldWord(text); }

class TextAnalyzer::Impl {
 public:
  std::vector<Token> Tokenize(absl::string_view text, absl::string_view language_code, const FirstBytes* only) {
    const std::string language = StemmerLanguage(language_code);
    Vocabulary& vocabulary = vocabularies_[language];
    // Tokens point into the map: it is emptied only between texts.
    if (vocabulary.size() > kMaxCachedWords) vocabulary.clear();

    std::vector<Token> tokens;
    tokens.reserve(only != nullptr ? 64 : text.size() / 6 + 4);
    uint32_t position = 0;
    const auto emit = [&](size_t start, size_t end, bool pair, bool single) {
      const Word* word = Lookup(text.substr(start, end - start), language, vocabulary);
      if (word != nullptr) tokens.push_back({start, end, position, pair, single, word});
    };
    for (size_t pos = 0; pos < text.size();) {
      const Char first = ReadChar(text, pos);
      if (first.kind == Kind::kUnspaced) {
        const Char second = first.next < text.size() ? ReadChar(text, first.next) : Char{};
        emit(pos, first.next, /*pair=*/false, /*single=*/true);
        if (second.kind == Kind::kUnspaced) emit(pos, second.next, /*pair=*/true, /*single=*/false);
        ++position;
        pos = first.next;
        continue;
      }
      if (first.kind != Kind::kWord && first.kind != Kind::kDigit) {
        pos = first.next;
        continue;
      }
      const size_t end = EndOfWord(text, pos);
      const auto byte = static_cast<unsigned char>(text[pos]);
      if (only == nullptr || byte >= 0x80 || only->test(static_cast<unsigned char>(absl::ascii_tolower(byte)))) {
        // "Iran's" is Iran; "don't" is dont; "l'économie" is l and économie.
        emit(pos, StripPossessive(text, pos, end), /*pair=*/false, /*single=*/false);
      }
      ++position;
      pos = end;
    }
    return tokens;
  }

 private:
  using Vocabulary = absl::node_hash_map<std::string, Word>;

  static size_t StripPossessive(absl::string_view text, size_t start, size_t end) {
    const absl::string_view word = text.substr(start, end - start);
    if (word.size() > 2 && (word.back() == 's' || word.back() == 'S')) {
      if (word[word.size() - 2] == '\'') return end - 2;
      if (word.size() > 4 && word.substr(word.size() - 4, 3) == "\xE2\x80\x99") return end - 4;
    }
    return end;
  }

  // The end of the word that begins at `pos`: letters, digits and marks; "3.5" and "1,000" in one; "U.S." in one;
  // an apostrophe only before the end of an English contraction.
  static size_t EndOfWord(absl::string_view text, size_t pos) {
    const Char head = ReadChar(text, pos);
    Char last = head;
    size_t end = head.next;
    size_t letters = 1;
    bool initials = false;  // So far single letters with dots between.
    while (end < text.size()) {
      const Char c = ReadChar(text, end);
      if (c.code == kSoftHyphen && c.next < text.size() && ReadChar(text, c.next).kind == Kind::kWord) {
        end = c.next;
        continue;
      }
      if (c.kind == Kind::kWord || c.kind == Kind::kDigit) {
        if (initials) return end;  // "U.S.troops" hardly occurs; "e.g.x" is two.
        last = c;
        end = c.next;
        ++letters;
        continue;
      }
      if (c.kind == Kind::kOther || c.kind == Kind::kUnspaced || c.next >= text.size()) return end;
      const Char after = ReadChar(text, c.next);
      if (c.kind == Kind::kDot && last.kind == Kind::kDigit && after.kind == Kind::kDigit) {
        end = after.next;
        last = after;
        continue;
      }
      if (c.code == '.' && letters == 1 && head.kind == Kind::kWord && after.kind == Kind::kWord &&
          (after.next >= text.size() || ReadChar(text, after.next).code == '.')) {
        initials = true;
        end = after.next;
        last = after;
        // Go on over ".X" pairs.
        while (end + 1 < text.size() && text[end] == '.') {
          const Char next = ReadChar(text, end + 1);
          if (next.kind != Kind::kWord) break;
          if (next.next < text.size() && ReadChar(text, next.next).kind == Kind::kWord) break;
          end = next.next;
        }
        return end;
      }
      if (c.kind == Kind::kApostrophe && after.kind == Kind::kWord) {
        size_t tail_end = c.next;
        while (tail_end < text.size() && absl::ascii_isalpha(static_cast<unsigned char>(text[tail_end]))) ++tail_end;
        const bool word_goes_on = tail_end < text.size() && ReadChar(text, tail_end).kind == Kind::kWord;
        if (!word_goes_on && IsContraction(absl::AsciiStrToLower(text.substr(c.next, tail_end - c.next)))) {
          return tail_end;
        }
      }
      return end;
    }
    return end;
  }

  const Word* Lookup(absl::string_view raw, absl::string_view language, Vocabulary& vocabulary) {
    const auto found = vocabulary.find(raw);
    if (found != vocabulary.end()) return found->second.folded.empty() ? nullptr : &found->second;
    std::string plain;  // Without what stands between letters.
    for (size_t pos = 0; pos < raw.size();) {
      const Char c = ReadChar(raw, pos);
      const bool decimal_point = c.code == '.' && absl::ascii_isdigit(static_cast<unsigned char>(raw[0]));
      if (decimal_point || (c.kind != Kind::kDot && c.kind != Kind::kApostrophe && c.code != kSoftHyphen)) {
        plain.append(raw.data() + pos, c.next - pos);
      }
      pos = c.next;
    }
    Word word;
    word.folded = FoldWord(plain);
    if (word.folded.size() > kMaxWordBytes) {
      word.folded.resize(common::CodePointFloor(word.folded, kMaxWordBytes));
      // The same word as that without what comes behind it.
      while (absl::EndsWith(word.folded, ".")) word.folded.pop_back();
    }
    const std::string stemmer = language.empty() ? LanguageOfScript(word.folded) : std::string(language);
    word.stem = stemmer.empty() ? word.folded : Stem(stemmer, StemmedForm(stemmer, word.folded));
    if (word.stem.empty()) word.stem = word.folded;
    const auto [entry, inserted] = vocabulary.emplace(std::string(raw), std::move(word));
    return entry->second.folded.empty() ? nullptr : &entry->second;
  }

  std::string Stem(const std::string& language, const std::string& word) {
    auto found = stemmers_.find(language);
    if (found == stemmers_.end()) found = stemmers_.emplace(language, Xapian::Stem(language)).first;
    return found->second(word);
  }

  std::map<std::string, Vocabulary> vocabularies_;
  std::map<std::string, Xapian::Stem> stemmers_;
};

TextAnalyzer::TextAnalyzer() : impl_(std::make_unique<Impl>()) {}
TextAnalyzer::~TextAnalyzer() = default;

std::vector<Token> TextAnalyzer::Tokenize(absl::string_view text, absl::string_view language_code,
                                          const FirstBytes* only) {
  return impl_->Tokenize(text, language_code, only);
}

bool IsStopWord(absl::string_view folded) {
  static const auto* const kWords = new absl::flat_hash_set<std::string>{
      "a",    "about", "an",    "and",   "are",  "as",     "at",    "be",   "been",  "but",  "by",   "can",
      "did",  "do",    "does",  "for",   "from", "had",    "has",   "have", "he",    "her",  "his",  "how",
      "i",    "if",    "in",    "into",  "is",   "it",     "its",   "may",  "me",    "my",   "no",   "not",
      "of",   "on",    "or",    "our",   "she",  "should", "so",    "such", "than",  "that", "the",  "their",
      "them", "then",  "there", "these", "they", "this",   "those", "to",   "was",   "we",   "were", "what",
      "when", "where", "which", "while", "who",  "why",    "will",  "with", "would", "you",  "your"};
  return kWords->contains(folded);
}

bool IsFunctionWord(absl::string_view folded) {
  static const auto* const kWords = new absl::flat_hash_set<std::string>{
      "above",  "after", "again", "against", "all",    "also",    "am",    "among",   "another", "any",  "because",
      "before", "being", "below", "between", "both",   "could",   "doing", "down",    "during",  "each", "ever",
      "every",  "get",   "give",  "given",   "having", "here",    "him",   "however", "just",    "many", "more",
      "most",   "much",  "nor",   "off",     "one",    "only",    "other", "out",     "over",    "own",  "per",
      "same",   "since", "some",  "through", "thus",   "too",     "under", "until",   "up",      "upon", "us",
      "use",    "used",  "using", "very",    "via",    "whether", "whom",  "within",  "without", "yet"};
  return kWords->contains(folded) || IsStopWord(folded);
}

}  // namespace dateline::search
