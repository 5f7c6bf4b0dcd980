#include "classifier_service/gazetteer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "classifier_service/gazetteer_file.h"
#include "classifier_service/hash_index.h"
#include "classifier_service/word_scan.h"
#include "common/hash.h"
#include "common/printable.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

constexpr std::array<absl::string_view, kGazetteerKindCount> kKindNames = {
    "NAME",  "DEMONYM", "CAPITAL", "METONYM",      "CITY",     "SUBDIVISION",
    "PLACE", "LEADER",  "PERSON",  "ORGANISATION", "CURRENCY",
};

// A surface form has at most this many words; in Chinese, at most this many characters.
constexpr size_t kMaxTokens = 24;
// Meanings of one form.
constexpr uint16_t kMaxMeanings = 1000;
// Of the hash of a file, in `version`.
constexpr size_t kVersionDigits = 16;
// Longer words are no name, and need not be remembered while they are read.
constexpr size_t kMaxTokenBytes = 96;

// What a code point is to the division of a text into words.
enum class CharClass : uint8_t {
  kOther,     // Divides words.
  kWord,      // Letters, digits and marks of scripts that divide words by spaces.
  kHan,       // A word of its own: a name may begin and end anywhere.
  kHangul,    // A word of its own, but a name begins where a run begins; particles follow it.
  kKatakana,  // Runs are words, whatever stands beside them.
  kIgnored,   // As if they were not there.
};

struct CharInfo {
  CharClass char_class = CharClass::kOther;
  bool upper = false;
  bool lower = false;
  uint8_t size = 0;              // Bytes of `folded`.
  std::array<char, 8> folded{};  // UTF-8.
};

CharClass ClassOf(UChar32 c) {
  if (IsInvisible(c) || c == 0x0640) {  // The latter stretches Arabic words.
    return CharClass::kIgnored;
  }
  if ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF) || c == 0x3005) {
    return CharClass::kHan;
  }
  if ((c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF)) {
    return CharClass::kHangul;
  }
  if ((c >= 0x30A1 && c <= 0x30FA) || c == 0x30FC) {
    return CharClass::kKatakana;
  }
  const bool mark = (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
  return u_isalnum(c) || mark ? CharClass::kWord : CharClass::kOther;
}

// Arabic letters that Persian and Urdu keyboards give other code points, and letters that writers use for each other.
UChar32 Unify(UChar32 c) {
  switch (c) {
    case 0x06CC:
    case 0x0649:
      return 0x064A;
    case 0x06A9:
      return 0x0643;
    case 0x06C1:
    case 0x06D5:
      return 0x0647;
    default:
      return c;
  }
}

CharInfo MakeCharInfo(UChar32 c) {
  CharInfo info;
  info.char_class = ClassOf(c);
  info.upper = u_isupper(c) || u_istitle(c);
  info.lower = u_islower(c);
  if (info.char_class == CharClass::kOther || info.char_class == CharClass::kIgnored) {
    return info;
  }
  std::array<char, U8_MAX_LENGTH> bytes{};
  int32_t size = 0;
  const UChar32 unified = Unify(c);
  U8_APPEND_UNSAFE(bytes.data(), size, unified);
  const std::string folded = common::FoldForMatch(absl::string_view(bytes.data(), static_cast<size_t>(size)));
  const absl::string_view kept =
      folded.size() <= info.folded.size() ? absl::string_view(folded) : absl::string_view(bytes.data(), size);
  std::copy(kept.begin(), kept.end(), info.folded.begin());
  info.size = static_cast<uint8_t>(kept.size());
  return info;
}

// Everything below U+3000; what lies above has no case and is folded as it stands, but for full-width letters.
constexpr UChar32 kTableEnd = 0x3000;

// The letter of ASCII that a folded letter of another alphabet looks like, in upper or lower case; 0: none.
char LookAlike(UChar32 c) {
  constexpr absl::string_view kLatin = "aeopcyxijskmtbhdaeiokptx";
  constexpr std::array<UChar32, kLatin.size()> kOthers = {
      0x0430, 0x0435, 0x043E, 0x0440, 0x0441, 0x0443, 0x0445, 0x0456,   // Cyrillic.
      0x0458, 0x0455, 0x043A, 0x043C, 0x0442, 0x0432, 0x043D, 0x0501,   //
      0x03B1, 0x03B5, 0x03B9, 0x03BF, 0x03BA, 0x03C1, 0x03C4, 0x03C7};  // Greek.
  const auto* const found = std::find(kOthers.begin(), kOthers.end(), c);
  return found == kOthers.end() ? '\0' : kLatin[static_cast<size_t>(found - kOthers.begin())];
}

const CharInfo* InfoTable() {
  static const auto* const kTable = [] {
    auto* table = new std::vector<CharInfo>();
    table->reserve(kTableEnd);
    for (UChar32 i = 0; i < kTableEnd; ++i) {
      table->push_back(MakeCharInfo(i));
    }
    return table;
  }();
  return kTable->data();
}

// What is known of a word of some form.
struct KnownWord {
  // What it is as a name of people.
  enum Role : uint8_t { kGivenName = 1, kSurname = 2, kPlaceAsGivenName = 4 };

  uint32_t root = 0;   // The node of the forms that begin with it; 0: none does.
  uint8_t roles = 0;   // Of Role.
  bool known = false;  // False: in no form.

  bool is(Role role) const { return (roles & role) != 0; }
};

// One word of a text, or the `&` between two.
struct Token {
  size_t start = 0;
  size_t end = 0;
  uint64_t hash = 0;    // HashWord() of it; 0: it can be in no form.
  KnownWord word = {};  // Of a plain word only if it may begin a form as it stands.
  uint16_t letters = 0;
  bool first_upper = false;
  bool has_case = false;
  bool all_upper = false;
  bool dotted = false;      // "U.S."
  bool inside_run = false;  // A Hangul syllable after another.
  bool hyphen_before = false;
};

// The words of all forms, folded. Two words are one where their 64-bit hashes are the same, which is not to be expected
// of some ten thousand.
class Vocabulary {
 public:
  KnownWord Find(uint64_t hash) const {
    const KnownWord* word = words_.Find(hash);
    return word == nullptr ? KnownWord() : *word;
  }
  KnownWord& Add(absl::string_view folded) {
    const uint64_t hash = HashWord(folded);
    words_.Insert(hash, {.known = true});
    return *words_.Find(hash);
  }

  // Says that a form that is found in lower case, too, begins with the word.
  void BeginsInLowerCase(absl::string_view folded) {
    // Only words in ASCII are asked for: those of other alphabets would but make the answer "it may" for more of them.
    if (std::all_of(folded.begin(), folded.end(), [](unsigned char c) { return absl::ascii_isascii(c); })) {
      begin_bits_[HashWord(folded) % kBeginBits] = true;
    }
  }

  // Has the memory fetched that Find() looks at, if a form may begin with `word`.
  void Fetch(const ScannedWord& word) const {
    if (MayBegin(word)) {
      static_cast<void>(words_.MayHave(word.hash));
    }
  }

  // Whether a form may begin with `word`: of most that stand in lower case this is known without looking for them.
  bool MayBegin(const ScannedWord& word) const {
    return word.first_upper || !word.has_letter || begin_bits_[word.hash % kBeginBits];
  }

 private:
  // By a part of the hash. Some 4,000 words begin a form in lower case.
  static constexpr size_t kBeginBits = 131'072;

  HashIndex<KnownWord> words_;
  std::vector<bool> begin_bits_ = std::vector<bool>(kBeginBits);
};

// The bytes of the hyphen, or the dash that is written for one, at `pos`; 0 if something else is there.
size_t HyphenSize(absl::string_view text, size_t pos) {
  if (text[pos] == '-') {
    return 1;
  }
  const absl::string_view three = text.substr(pos, 3);
  return three == "\u2010" || three == "\u2011" || three == "\u2013" ? 3 : 0;
}

// Of so many words of a text, what is known of them is on its way when their turn comes.
constexpr size_t kFetched = 2000;

// Divides a text into words, one at a time.
class Tokenizer {
 public:
  Tokenizer(const ScannedText& text, const Vocabulary& vocabulary)
      : text_(text.text()), vocabulary_(vocabulary), table_(InfoTable()), words_(text) {
    // As much as fits into the processor's nearest memory.
    for (const ScannedWord& word : text.words().subspan(0, kFetched)) {
      vocabulary.Fetch(word);
    }
  }

  // Goes over the words that no form begins with, as most do. True, and `last` is the last of them, if there were some.
  bool SkipPlain(Token& last) {
    const ScannedWord* skipped = nullptr;
    while (pos_ < text_.size() && static_cast<uint8_t>(text_[pos_]) < 0x80 && text_[pos_] != '&') {
      const ScannedWord* found = words_.At(pos_);
      if (found == nullptr || found->size == 0 || vocabulary_.MayBegin(*found) || !IsPlain(*found)) {
        break;
      }
      skipped = found;
      pos_ = found->start + found->size;
    }
    if (skipped == nullptr) {
      return false;
    }
    SetPlain(*skipped, last);
    last_ = CharClass::kWord;
    hyphen_ = false;
    return true;
  }

  // False at the end of the text.
  bool Next(Token& token) {
    while (pos_ < text_.size()) {
      if (const auto byte = static_cast<uint8_t>(text_[pos_]); byte < 0x80 && byte != '&') {
        const ScannedWord* found = words_.At(pos_);
        if (found == nullptr) {
          return false;
        }
        if (found->start > pos_) {
          pos_ = found->start;
          hyphen_ = text_[pos_ - 1] == '-';
          last_ = CharClass::kOther;
        }
        if (found->size != 0 && ReadPlain(*found, token)) {
          return true;
        }
      }
      const size_t start = pos_;
      const CharInfo info = Read();
      switch (info.char_class) {
        case CharClass::kOther:
          if (text_[start] == '&') {
            token = Token{.start = start, .end = pos_, .letters = 3};
            Find("and", token);
            last_ = CharClass::kOther;
            return true;
          }
          hyphen_ = HyphenSize(text_, start) != 0;
          last_ = CharClass::kOther;
          continue;
        case CharClass::kIgnored:
          continue;
        case CharClass::kHan:
        case CharClass::kHangul:
          token = Token{.start = start, .end = pos_, .letters = 1};
          token.inside_run = info.char_class == CharClass::kHangul && last_ == CharClass::kHangul;
          Find(absl::string_view(info.folded.data(), info.size), token);
          last_ = info.char_class;
          hyphen_ = false;
          return true;
        case CharClass::kWord:
        case CharClass::kKatakana:
          ReadWord(start, info, token);
          last_ = info.char_class;
          hyphen_ = false;
          return true;
      }
    }
    return false;
  }

 private:
  // Whether what stands behind a plain word ends it beyond doubt: otherwise the word may be another.
  bool IsPlain(const ScannedWord& found) const {
    const size_t end = found.start + found.size;
    if (end == text_.size()) {
      return true;
    }
    const char behind = text_[end];
    if (static_cast<uint8_t>(behind) < 0x80) {
      return behind != '.' || found.size != 1;
    }
    // U+2010 to U+2026: dashes and quotation marks. Others of the same block are as if they were not there.
    const absl::string_view sign = text_.substr(end, 3);
    return sign.size() == 3 && absl::StartsWith(sign, "\xE2\x80") && sign[2] >= '\x90' && sign[2] <= '\xA6';
  }

  static void SetPlain(const ScannedWord& found, Token& token) {
    token = Token{.start = found.start, .end = size_t{found.start} + found.size};
    token.hash = found.hash;
    token.letters = found.size;
    token.first_upper = found.first_upper;
    token.has_case = found.has_letter;
    token.all_upper = found.has_letter && !found.has_small;
  }

  // The usual word. False, and nothing changed, if it is none.
  bool ReadPlain(const ScannedWord& found, Token& token) {
    if (!IsPlain(found)) {
      return false;
    }
    SetPlain(found, token);
    if (vocabulary_.MayBegin(found)) {
      token.word = vocabulary_.Find(found.hash);
    }
    token.hyphen_before = hyphen_;
    pos_ = token.end;
    last_ = CharClass::kWord;
    hyphen_ = false;
    return true;
  }

  // The code point at `pos_`, and moves on. What is not UTF-8 divides words.
  CharInfo Read() {
    const auto byte = static_cast<uint8_t>(text_[pos_]);
    if (byte < 0x80) {
      ++pos_;
      return table_[byte];
    }
    const auto rest = static_cast<int32_t>(std::min<size_t>(text_.size() - pos_, U8_MAX_LENGTH));
    int32_t offset = 0;
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const uint8_t*>(text_.data()) + pos_, offset, rest, c);
    const size_t start = pos_;
    pos_ += static_cast<size_t>(offset);
    if (c < 0) {
      return {};
    }
    if (c < kTableEnd) {
      return table_[c];
    }
    if (c >= 0xFF01 && c <= 0xFF5E) {  // ASCII as wide as Han, in Chinese and Japanese texts.
      return table_[c - 0xFEE0];
    }
    CharInfo info;
    info.char_class = ClassOf(c);
    if (info.char_class != CharClass::kOther && info.char_class != CharClass::kIgnored) {
      info.size = static_cast<uint8_t>(pos_ - start);
      std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(start), info.size, info.folded.begin());
    }
    return info;
  }

  void ReadWord(size_t start, const CharInfo& first, Token& token) {
    token = Token{.start = start, .end = pos_};
    token.hyphen_before = hyphen_;
    token.first_upper = first.upper;
    word_size_ = 0;
    bool upper = false;
    bool lower = false;
    uint16_t letters = 0;
    const auto take = [&](const CharInfo& info) {
      upper |= info.upper;
      lower |= info.lower;
      letters = static_cast<uint16_t>(std::min(letters + 1, 60000));
      if (word_size_ + info.size <= kMaxTokenBytes) {
        for (size_t i = 0; i < info.size; ++i) {
          word_[word_size_++] = info.folded[i];
        }
      } else {
        too_long_ = true;
      }
    };
    too_long_ = false;
    take(first);
    while (pos_ < text_.size()) {
      const size_t before = pos_;
      const CharInfo info = Read();
      if (info.char_class == first.char_class) {
        take(info);
        token.end = pos_;
        continue;
      }
      if (info.char_class == CharClass::kIgnored) {
        continue;
      }
      pos_ = before;
      break;
    }
    // "U.S.", "D.P.R.K.": single letters, each with its dot, are one word.
    if (letters == 1 && first.char_class == CharClass::kWord && (upper || lower)) {
      while (pos_ + 1 < text_.size() && text_[pos_] == '.' && word_size_ < 12) {
        const size_t dot = pos_;
        pos_ = dot + 1;
        const CharInfo letter = Read();
        const size_t after = pos_;
        const bool single = letter.char_class == CharClass::kWord && (letter.upper || letter.lower) &&
                            (after >= text_.size() || Read().char_class != CharClass::kWord);
        pos_ = single ? after : dot;
        if (!single) {
          break;
        }
        take(letter);
        token.end = after;
        token.dotted = true;
      }
      if (token.dotted && pos_ < text_.size() && text_[pos_] == '.') {
        token.end = ++pos_;
      }
    }
    token.letters = letters;
    token.has_case = upper || lower;
    token.all_upper = upper && !lower;
    if (!too_long_) {
      const bool known = Find(Word(), token);
      if (!known && !token.has_case) {
        StripClitics(token);
      } else if (!known) {
        Unmask(token);
      }
    }
  }

  // "Irаn" with a Cyrillic а, from a wrong keyboard layout or from somebody who hides: a Latin word all of whose other
  // letters look like Latin ones is read as what it looks like.
  void Unmask(Token& token) {
    std::array<char, kMaxTokenBytes> bare;  // NOLINT(*-member-init): `size` says what of it is set.
    size_t size = 0;
    bool latin = false;
    bool other = false;
    const absl::string_view word = Word();
    for (size_t at = 0; at < word.size();) {
      const auto byte = static_cast<uint8_t>(word[at]);
      if (byte < 0x80) {
        latin = true;
        bare[size++] = word[at++];
        continue;
      }
      UChar32 c = 0;
      U8_NEXT_UNSAFE(reinterpret_cast<const uint8_t*>(word.data()), at, c);
      const char alike = LookAlike(c);
      if (alike == '\0') {
        return;
      }
      other = true;
      bare[size++] = alike;
    }
    if (latin && other) {
      Find(absl::string_view(bare.data(), size), token);
    }
  }

  // Arabic and Hebrew write "and", "in", "to", "from" and the article as a part of the next word.
  void StripClitics(Token& token) {
    static const auto* const kClitics = new absl::flat_hash_set<absl::string_view>{
        "\u0648", "\u0641", "\u0628", "\u0643", "\u0644",                       // Arabic.
        "\u05D4", "\u05D5", "\u05D1", "\u05DC", "\u05DE", "\u05E9", "\u05DB"};  // Hebrew.
    absl::string_view rest = Word();
    size_t start = token.start;
    for (int i = 0; i < 2 && rest.size() >= 8 && kClitics->contains(rest.substr(0, 2)); ++i) {
      const bool lam = absl::StartsWith(rest, "\u0644\u0644");
      rest.remove_prefix(2);
      start += 2;  // A vowel sign on the clitic would be one more code point: such a word is left alone.
      if (static_cast<uint8_t>(text_[start]) < 0xC0) {
        return;
      }
      // After "li", the article "al" is written "l".
      if (Find(rest, token) || (lam && Find(absl::StrCat("\u0627", rest), token))) {
        token.start = start;
        return;
      }
    }
  }

  absl::string_view Word() const { return {word_.data(), word_size_}; }

  // Whether `folded` is a word of some form: what is known of it is the token's then.
  bool Find(absl::string_view folded, Token& token) const {
    if (folded.empty()) {
      return false;
    }
    token.hash = HashWord(folded);
    token.word = vocabulary_.Find(token.hash);
    return token.word.known;
  }

  absl::string_view text_;
  const Vocabulary& vocabulary_;
  const CharInfo* table_;
  WordCursor words_;
  size_t pos_ = 0;
  CharClass last_ = CharClass::kOther;
  bool hyphen_ = false;
  bool too_long_ = false;
  std::array<char, kMaxTokenBytes> word_;  // Folded; NOLINT(*-member-init): `word_size_` says what of it is set.
  size_t word_size_ = 0;
};

// Whether `gap`, what stands between two words of a form, leaves them one name: a space, a hyphen, an apostrophe, a
// line's end, or the dot of "St.".
bool Joins(absl::string_view gap, const Token& before) {
  if (gap.size() > 4) {
    return false;
  }
  int line_ends = 0;
  for (size_t i = 0; i < gap.size();) {
    const auto byte = static_cast<uint8_t>(gap[i]);
    if (byte == ' ' || byte == '-' || byte == '\'') {
      ++i;
    } else if (byte == '\n') {
      if (++line_ends > 1) {
        return false;
      }
      ++i;
    } else if (byte == '.') {
      if (before.letters > 3) {
        return false;
      }
      ++i;
    } else if (byte == 0xE2 && i + 2 < gap.size() && static_cast<uint8_t>(gap[i + 1]) == 0x80) {
      const auto third = static_cast<uint8_t>(gap[i + 2]);  // Hyphens, dashes, quotation marks, direction marks.
      if (!((third >= 0x8B && third <= 0x93) || third == 0x98 || third == 0x99 || third == 0xAF)) {
        return false;
      }
      i += 3;
    } else if (i + 1 < gap.size() && (byte == 0xCA || (byte == 0xC2 && static_cast<uint8_t>(gap[i + 1]) == 0xA0))) {
      i += 2;  // Modifier apostrophes, the no-break space.
    } else {
      return false;
    }
  }
  return true;
}

bool IsHyphen(absl::string_view text, size_t pos) {
  if (pos + 1 >= text.size()) {
    return false;
  }
  const size_t size = HyphenSize(text, pos);
  // A dash stands between words, a hyphen inside one.
  return size != 0 && pos + size < text.size() && !absl::ascii_isspace(static_cast<unsigned char>(text[pos + size])) &&
         text[pos + size] != '-';
}

// "Boston, Mass.": whether `first` to `last` stand behind a comma, and with a dot or before another comma.
bool FollowsATown(absl::string_view text, const Token& previous, const Token& first, const Token& last) {
  const absl::string_view gap = text.substr(previous.end, first.start - previous.end);
  const char behind = last.end < text.size() ? text[last.end] : ' ';
  return previous.first_upper && (gap == ", " || gap == ",\n") && (last.dotted || behind == '.' || behind == ',');
}

// Case that the form itself has, and so asks of the text.
struct SurfaceCase {
  bool first_upper = false;
  bool last_upper = false;
};

struct Node {
  uint32_t first_entry = 0;
  uint16_t entry_count = 0;
  SurfaceCase surface_case;
  // A bit for each word that a form goes on with, by its hash: most that stand behind a name go on with none.
  uint32_t next_words = 0;

  static uint32_t BitOf(uint64_t hash) { return uint32_t{1} << (hash % 32); }
};

// Whether two entries of one form say the same, but for the case in which it is found.
bool IsSameMeaning(const GazetteerEntry& a, const GazetteerEntry& b) {
  const auto rest = [](const GazetteerEntry& entry) {
    return std::make_tuple(entry.region, entry.group, entry.kind, entry.from_year, entry.to_year,
                           entry.flags | GazetteerEntry::kAnyCase);
  };
  return rest(a) == rest(b);
}

uint64_t EdgeHash(uint32_t node, uint64_t next_word) { return MixHash(node, next_word); }

// Names in all languages as they are read, by target.
using NameTable = std::map<std::string, std::map<std::string, GazetteerNames>>;

// The names of a target, English first; empty if it has no display name in English.
std::vector<GazetteerNames> TakeNames(const std::string& target, NameTable& table) {
  std::vector<GazetteerNames> names;
  std::map<std::string, GazetteerNames>& by_language = table[target];
  const auto english = by_language.find("en");
  if (english == by_language.end() || english->second.display_name.empty()) {
    return names;
  }
  names.push_back(english->second);
  for (auto& [language, entry] : by_language) {
    if (language != "en" && !entry.display_name.empty()) {
      names.push_back(entry);
    }
  }
  for (GazetteerNames& entry : names) {
    std::sort(entry.aliases.begin(), entry.aliases.end());
    entry.aliases.erase(std::unique(entry.aliases.begin(), entry.aliases.end()), entry.aliases.end());
    std::sort(entry.demonyms.begin(), entry.demonyms.end());
    entry.demonyms.erase(std::unique(entry.demonyms.begin(), entry.demonyms.end()), entry.demonyms.end());
  }
  return names;
}

}  // namespace

absl::string_view GazetteerKindName(GazetteerKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

struct Gazetteer::Impl {
  std::string version;
  std::vector<std::string> warnings;
  std::vector<GazetteerRegion> regions;
  std::vector<GazetteerGroup> groups;
  absl::flat_hash_map<std::string, int16_t> region_index;
  absl::flat_hash_map<std::string, int16_t> group_index;
  absl::flat_hash_map<std::string, std::string> by_name;  // Folded; empty where two targets claim it.

  Vocabulary vocabulary;
  std::vector<Node> nodes;    // 0 stands for "none".
  HashIndex<uint32_t> edges;  // From EdgeHash() of a node and the next word to the node of both.
  std::vector<GazetteerEntry> entries;
  size_t surface_count = 0;

  void IndexNames(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems);
  void IndexMembers(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems);
  void IndexSurfaces(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems);
  std::optional<uint32_t> InsertSurface(const GazetteerRow& row, GazetteerProblems& problems);
  absl::Span<const GazetteerEntry> Satisfied(const Node& node, absl::Span<const Token> tokens, const Token& previous,
                                             absl::string_view text, bool text_upper) const;
};

void Gazetteer::Impl::IndexNames(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems) {
  NameTable table;
  const auto claim = [this](absl::string_view name, const std::string& target) {
    const auto [it, fresh] = by_name.try_emplace(common::FoldForMatch(absl::StripAsciiWhitespace(name)), target);
    if (!fresh && it->second != target) {
      it->second.clear();
    }
  };
  std::map<std::string, const GazetteerRow*> first_rows;  // By target.
  for (const GazetteerRow& row : rows) {
    if (row.target == "-" || !row.kind) {
      continue;
    }
    first_rows.try_emplace(row.target, &row);
    auto& by_language = table[row.target];
    // One of English is served if it is no other word in lower case, as queries are typed; those of another language
    // are looked for in that language only.
    const bool plain = (row.flags & GazetteerEntry::kAnyCase) != 0 && !row.no_match;
    const bool other_language = !row.language.empty() && row.language != "en";
    const bool demonym = row.kind == GazetteerKind::kDemonym && row.to_year == 0 && (plain || other_language);
    if (!row.display && !row.alias && !demonym) {
      continue;
    }
    const std::string language = row.language.empty() ? "en" : row.language;
    GazetteerNames& names = by_language[language];
    names.language_code = language;
    if (demonym) {
      names.demonyms.push_back(row.surface);
      continue;
    }
    if (row.display) {
      if (!names.display_name.empty() && names.display_name != row.surface) {
        problems.Add(PlaceOf(row), absl::StrCat(row.target, " has a second display name in \"", language,
                                                "\": take the flag display from one of them"));
        continue;
      }
      names.display_name = row.surface;
    } else {
      names.aliases.push_back(row.surface);
    }
    claim(row.surface, row.target);
  }
  constexpr size_t kMaxTargets = 2000;
  if (first_rows.size() > kMaxTargets) {
    problems.Add(PlaceOf(*first_rows.rbegin()->second),
                 absl::StrCat("more than ", kMaxTargets, " regions and groups: remove some"));
    return;
  }
  for (const auto& [target, row] : first_rows) {
    std::vector<GazetteerNames> names = TakeNames(target, table);
    if (names.empty()) {
      if (!problems.IsSuspect(target)) {
        problems.Add(PlaceOf(*row), absl::StrCat(target,
                                                 " has no English display name: add a row for it with the "
                                                 "language en and the flag display"));
      }
      continue;
    }
    by_name[common::FoldForMatch(target)] = target;
    if (IsRegionCode(target)) {
      region_index[target] = static_cast<int16_t>(regions.size());
      regions.push_back({.region_code = target, .names = std::move(names)});
    } else {
      group_index[target] = static_cast<int16_t>(groups.size());
      groups.push_back({.group_id = target, .names = std::move(names), .members = {}});
    }
  }
}

void Gazetteer::Impl::IndexMembers(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems) {
  for (const GazetteerRow& row : rows) {
    if (!row.member) {
      continue;
    }
    const auto group = group_index.find(row.target);
    const auto region = region_index.find(row.surface);
    if (group == group_index.end() || region == region_index.end()) {
      if (!problems.IsSuspect(row.target) && !problems.IsSuspect(row.surface)) {
        problems.Add(PlaceOf(row), absl::StrCat("the member ", row.surface, " or the group ", row.target,
                                                " is unknown: add a row that names it, or correct this one"));
      }
      continue;
    }
    groups[static_cast<size_t>(group->second)].members.push_back({.region_code = row.surface,
                                                                  .start_year = row.from_year,
                                                                  .end_year = row.to_year,
                                                                  .successor = row.successor,
                                                                  .region = region->second});
  }
  for (GazetteerGroup& group : groups) {
    std::sort(group.members.begin(), group.members.end(), [](const GazetteerMember& a, const GazetteerMember& b) {
      return std::tie(a.region_code, a.start_year) < std::tie(b.region_code, b.start_year);
    });
    const auto index = static_cast<int16_t>(&group - groups.data());
    for (const GazetteerMember& member : group.members) {
      std::vector<int16_t>& of_region = regions[static_cast<size_t>(member.region)].groups;
      if (of_region.empty() || of_region.back() != index) {  // It may have been a member twice.
        of_region.push_back(index);
      }
    }
  }
}

// Walks the form into the tree, adding what is not there yet; returns its node, nothing if it can't be one.
std::optional<uint32_t> Gazetteer::Impl::InsertSurface(const GazetteerRow& row, GazetteerProblems& problems) {
  // The form is divided by the very code that divides texts.
  std::vector<Token> tokens;
  std::vector<std::string> words;  // Folded.
  const Vocabulary nothing;
  const ScannedText surface(row.surface);
  Tokenizer bounds(surface, nothing);
  Token token;
  while (bounds.Next(token)) {
    std::string folded;
    if (row.surface[token.start] == '&') {
      folded = "and";
    } else {
      for (size_t i = token.start; i < token.end;) {
        int32_t offset = 0;
        UChar32 c = 0;
        const auto rest = static_cast<int32_t>(std::min<size_t>(token.end - i, U8_MAX_LENGTH));
        U8_NEXT(reinterpret_cast<const uint8_t*>(row.surface.data()) + i, offset, rest, c);
        if (c >= kTableEnd) {
          folded.append(row.surface, i, static_cast<size_t>(offset));
        } else if (c >= 0) {
          const CharInfo& info = InfoTable()[c];
          folded.append(info.folded.data(), info.size);
        }
        i += static_cast<size_t>(offset);
      }
    }
    tokens.push_back(token);
    words.push_back(std::move(folded));
  }
  if (tokens.empty() || tokens.size() > kMaxTokens) {
    problems.Add(PlaceOf(row), absl::StrCat("\"", common::Printable(row.surface), "\" has ", tokens.size(),
                                            " words: write 1 to ", kMaxTokens));
    return std::nullopt;
  }
  if (!tokens.front().first_upper || (row.flags & GazetteerEntry::kAnyCase) != 0) {
    vocabulary.BeginsInLowerCase(words.front());
  }
  uint32_t node = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    KnownWord& word = vocabulary.Add(words[i]);
    uint32_t* next = &word.root;
    if (i > 0) {
      const uint64_t hash = HashWord(words[i]);
      nodes[node].next_words |= Node::BitOf(hash);
      edges.Insert(EdgeHash(node, hash), 0);
      next = edges.Find(EdgeHash(node, hash));
    }
    if (*next == 0) {
      *next = static_cast<uint32_t>(nodes.size());
      nodes.emplace_back();
    }
    node = *next;
  }
  if (nodes[node].entry_count == 0) {
    nodes[node].surface_case = {.first_upper = tokens.front().first_upper, .last_upper = tokens.back().first_upper};
  }
  return node;
}

void Gazetteer::Impl::IndexSurfaces(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems) {
  nodes.emplace_back();
  struct Pending {
    uint32_t node = 0;
    GazetteerEntry entry;
    const GazetteerRow* row = nullptr;
  };
  std::vector<Pending> pending;
  for (const GazetteerRow& row : rows) {
    if (row.member || row.no_match) {
      continue;
    }
    if (!row.kind) {
      vocabulary.Add(common::FoldForMatch(row.surface)).roles |= row.surname ? KnownWord::kSurname
                                                                 : (row.flags & GazetteerEntry::kWeak) != 0
                                                                     ? KnownWord::kPlaceAsGivenName
                                                                     : KnownWord::kGivenName;
      continue;
    }
    const std::optional<uint32_t> inserted = InsertSurface(row, problems);
    if (!inserted) {
      continue;
    }
    const uint32_t node = *inserted;
    if (nodes[node].entry_count == kMaxMeanings) {
      problems.Add(PlaceOf(row), absl::StrCat("\"", common::Printable(row.surface), "\" has more than ", kMaxMeanings,
                                              " meanings: remove some"));
      continue;
    }
    GazetteerEntry entry;
    entry.kind = *row.kind;
    entry.flags = row.flags;
    if (absl::EndsWith(row.surface, "+")) {
      entry.flags |= GazetteerEntry::kPlus;
    }
    entry.from_year = static_cast<int16_t>(row.from_year);
    entry.to_year = static_cast<int16_t>(row.to_year);
    if (const auto region = region_index.find(row.target); region != region_index.end()) {
      entry.region = region->second;
    } else if (const auto group = group_index.find(row.target); group != group_index.end()) {
      entry.group = group->second;
    }
    nodes[node].entry_count = static_cast<uint16_t>(nodes[node].entry_count + 1);
    pending.push_back({node, entry, &row});
  }
  // Entries of one form stand together, in the order of the file, but those with a plus sign before those without.
  std::stable_sort(pending.begin(), pending.end(), [](const auto& a, const auto& b) {
    const bool a_plus = a.entry.has(GazetteerEntry::kPlus);
    return a.node != b.node ? a.node < b.node : a_plus && !b.entry.has(GazetteerEntry::kPlus);
  });
  entries.reserve(pending.size());
  size_t at_once = 0;                      // Of the form, those so far that are meant at once.
  const GazetteerRow* last_own = nullptr;  // The last of them that is of the same file as the first.
  for (const auto& [node, entry, row] : pending) {
    if (entries.empty() || nodes[node].first_entry == 0) {
      at_once = 0;
      nodes[node].first_entry = static_cast<uint32_t>(entries.size() + 1);  // 0: not set yet.
      nodes[node].entry_count = 0;
      ++surface_count;
    }
    // A name that several languages share is one meaning, not several to choose between.
    const auto same =
        std::find_if(entries.begin() + nodes[node].first_entry - 1, entries.end(),
                     [&entry = entry](const GazetteerEntry& other) { return IsSameMeaning(other, entry); });
    if (same != entries.end()) {
      same->flags |= entry.flags;
      continue;
    }
    ++nodes[node].entry_count;
    entries.push_back(entry);
    if (!entry.has(GazetteerEntry::kEach) && !entry.has(GazetteerEntry::kDisputed)) {
      continue;
    }
    if (at_once == 0 || row->source == last_own->source) {
      last_own = row;
    }
    // Where an overlay adds to what is shipped, it is the overlay that can be mended.
    if (++at_once == GazetteerEntry::kMaxAtOnce + 1) {
      problems.Add(
          PlaceOf(*last_own),
          absl::StrCat("\"", common::Printable(row->surface), "\" means more than ", GazetteerEntry::kMaxAtOnce,
                       " targets at once (each, disputed): take some of its rows out, or make a group of the "
                       "countries (MEMBER) and write its id as the target"));
    }
  }
}

// The entries of `node` that the case and the surroundings of the words allow; of several runs, the first.
absl::Span<const GazetteerEntry> Gazetteer::Impl::Satisfied(const Node& node, absl::Span<const Token> tokens,
                                                            const Token& previous, absl::string_view text,
                                                            bool text_upper) const {
  const auto all = absl::MakeConstSpan(entries).subspan(node.first_entry - 1, node.entry_count);
  const Token& first = tokens.front();
  const Token& last = tokens.back();
  const auto satisfied = [&](const GazetteerEntry& entry) {
    if ((entry.has(GazetteerEntry::kHyphen) && !IsHyphen(text, last.end)) ||
        (entry.has(GazetteerEntry::kComma) && !FollowsATown(text, previous, first, last)) ||
        (entry.has(GazetteerEntry::kPlus) && (last.end >= text.size() || text[last.end] != '+'))) {
      return false;
    }
    if (!first.has_case) {
      return true;
    }
    if (entry.has(GazetteerEntry::kCaps)) {
      const bool upper = std::all_of(tokens.begin(), tokens.end(), [](const Token& token) { return token.all_upper; });
      return upper && (!text_upper || !entry.has(GazetteerEntry::kWord) || first.dotted);
    }
    return entry.has(GazetteerEntry::kAnyCase) || ((first.first_upper || !node.surface_case.first_upper) &&
                                                   (last.first_upper || !node.surface_case.last_upper));
  };
  size_t begin = 0;
  while (begin < all.size() && !satisfied(all[begin])) {
    ++begin;
  }
  size_t end = begin;
  while (end < all.size() && satisfied(all[end]) &&
         all[end].has(GazetteerEntry::kPlus) == all[begin].has(GazetteerEntry::kPlus)) {
    ++end;
  }
  return all.subspan(begin, end - begin);
}

Gazetteer::Gazetteer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gazetteer::~Gazetteer() = default;

absl::StatusOr<std::unique_ptr<Gazetteer>> Gazetteer::Load(const std::string& path, const std::string& overlay_path) {
  ASSIGN_OR_RETURN(const std::string text, ReadGazetteerFile(path, kMaxFileBytes));
  if (overlay_path.empty()) {
    return Parse(text, path);
  }
  ASSIGN_OR_RETURN(const std::string overlay, ReadGazetteerFile(overlay_path, kMaxOverlayBytes));
  return Parse(text, path, Overlay{.text = overlay, .source = overlay_path});
}

absl::StatusOr<std::unique_ptr<Gazetteer>> Gazetteer::Parse(absl::string_view text, absl::string_view source,
                                                            std::optional<Overlay> overlay) {
  GazetteerProblems problems;
  std::vector<GazetteerRow> rows = ParseGazetteerRows(text, source, GazetteerFileRole::kShipped, problems);
  if (rows.empty() && problems.status().ok()) {
    problems.Add(std::string(source), "no rows: give a gazetteer");
  }
  auto impl = std::make_unique<Impl>();
  impl->version = common::Sha256Hex(text).substr(0, kVersionDigits);
  if (overlay) {
    std::vector<GazetteerRow> laid =
        ParseGazetteerRows(overlay->text, overlay->source, GazetteerFileRole::kOverlay, problems);
    if (laid.empty() && problems.status().ok()) {
      problems.Warn(overlay->source, "has no rows: it changes nothing");
    }
    rows = LayOver(std::move(rows), std::move(laid), problems);
    absl::StrAppend(&impl->version, "+", common::Sha256Hex(overlay->text).substr(0, kVersionDigits));
  }
  impl->IndexNames(rows, problems);
  impl->IndexMembers(rows, problems);
  impl->IndexSurfaces(rows, problems);
  RETURN_IF_ERROR(problems.status());
  impl->warnings = problems.warnings();
  return absl::WrapUnique(new Gazetteer(std::move(impl)));
}

const std::vector<std::string>& Gazetteer::warnings() const { return impl_->warnings; }
const std::string& Gazetteer::version() const { return impl_->version; }
const std::vector<GazetteerRegion>& Gazetteer::regions() const { return impl_->regions; }
const std::vector<GazetteerGroup>& Gazetteer::groups() const { return impl_->groups; }
size_t Gazetteer::surface_count() const { return impl_->surface_count; }

const GazetteerRegion* Gazetteer::FindRegion(absl::string_view region_code) const {
  const auto it = impl_->region_index.find(region_code);
  return it == impl_->region_index.end() ? nullptr : &impl_->regions[static_cast<size_t>(it->second)];
}

const GazetteerGroup* Gazetteer::FindGroup(absl::string_view group_id) const {
  const auto it = impl_->group_index.find(group_id);
  return it == impl_->group_index.end() ? nullptr : &impl_->groups[static_cast<size_t>(it->second)];
}

std::string Gazetteer::DisplayName(absl::string_view id, absl::string_view language_code) const {
  const std::vector<GazetteerNames>* names = nullptr;
  if (const GazetteerRegion* region = FindRegion(id)) {
    names = &region->names;
  } else if (const GazetteerGroup* group = FindGroup(id)) {
    names = &group->names;
  } else {
    return std::string(id);
  }
  const std::string wanted = absl::AsciiStrToLower(language_code);
  const size_t base = std::min(wanted.find_first_of("-_"), wanted.size());
  for (const absl::string_view language : {absl::string_view(wanted), absl::string_view(wanted).substr(0, base)}) {
    for (const GazetteerNames& entry : *names) {
      if (absl::AsciiStrToLower(entry.language_code) == language) {
        return entry.display_name;
      }
    }
  }
  return names->front().display_name;
}

std::string Gazetteer::FindByName(absl::string_view name) const {
  const auto it = impl_->by_name.find(common::FoldForMatch(absl::StripAsciiWhitespace(name)));
  return it == impl_->by_name.end() ? std::string() : it->second;
}

namespace {

// Whether hardly a letter near the beginning is in lower case, as in the headlines of old wires.
bool IsUpperCaseText(absl::string_view text) {
  // In blocks that 8-bit counters suffice for, which the compiler counts 16 bytes at a time.
  constexpr size_t kBlock = 128;
  size_t upper = 0;
  size_t lower = 0;
  for (absl::string_view rest = text.substr(0, 4096); !rest.empty();
       rest.remove_prefix(std::min(kBlock, rest.size()))) {
    uint8_t block_upper = 0;
    uint8_t block_lower = 0;
    for (const char c : rest.substr(0, kBlock)) {
      block_upper = static_cast<uint8_t>(block_upper + (static_cast<uint8_t>(c - 'A') < 26 ? 1 : 0));
      block_lower = static_cast<uint8_t>(block_lower + (static_cast<uint8_t>(c - 'a') < 26 ? 1 : 0));
    }
    upper += block_upper;
    lower += block_lower;
  }
  return upper > 10 && lower * 10 < upper;
}

bool IsPlacePreposition(absl::string_view word) {
  for (const absl::string_view known : {"in", "In", "of", "from", "From", "to", "at", "near", "across", "inside",
                                        "outside", "through", "throughout", "around", "toward", "towards", "into"}) {
    if (word == known) {
      return true;
    }
  }
  return false;
}

// The words that are being looked at, and the one before them.
class TokenWindow {
 public:
  TokenWindow(const ScannedText& text, const Vocabulary& vocabulary) : tokenizer_(text, vocabulary), tokens_(Memory()) {
    tokens_[0] = Token();
  }

  // Whether there are more than `index` words from the present one on; those that no form begins with are left out
  // where they are not looked at yet. References to words are good until Advance().
  bool Has(size_t index) {
    if (at_ == end_) {
      tokenizer_.SkipPlain(tokens_[at_ - 1]);
    }
    while (at_ + index >= end_ && tokenizer_.Next(tokens_[end_])) {
      ++end_;
    }
    return at_ + index < end_;
  }

  const Token& operator[](size_t index) const { return tokens_[at_ + index]; }
  absl::Span<const Token> First(size_t count) const { return absl::MakeConstSpan(tokens_).subspan(at_, count); }
  const Token& previous() const { return tokens_[at_ - 1]; }

  // Goes on by so many words, which there are.
  void Advance(size_t count) {
    at_ += count;
    if (at_ >= kSize - kMaxTokens - 1) {
      std::copy(tokens_.begin() + static_cast<std::ptrdiff_t>(at_) - 1,
                tokens_.begin() + static_cast<std::ptrdiff_t>(end_), tokens_.begin());
      end_ -= at_ - 1;
      at_ = 1;
    }
  }

 private:
  // A form has at most kMaxTokens words; whatever is more has to be moved less often.
  static constexpr size_t kSize = 4 * kMaxTokens;

  // That a thread keeps from one text to the next; it reads one at a time.
  static std::vector<Token>& Memory() {
    thread_local std::vector<Token> tokens(kSize);
    return tokens;
  }

  Tokenizer tokenizer_;
  std::vector<Token>& tokens_;
  size_t at_ = 1;  // Before the first word stands an empty one.
  size_t end_ = 1;
};

}  // namespace

// So many names an article has, or fewer.
constexpr size_t kUsualMatches = 64;

std::vector<GazetteerMatch> Gazetteer::Match(absl::string_view text) const { return Match(ScannedText(text)); }

std::vector<GazetteerMatch> Gazetteer::Match(const ScannedText& scanned) const {
  const absl::string_view text = scanned.text();
  std::vector<GazetteerMatch> matches;
  matches.reserve(kUsualMatches);
  const Impl& impl = *impl_;
  const bool text_upper = IsUpperCaseText(text);
  TokenWindow window(scanned, impl.vocabulary);
  while (window.Has(0)) {
    const Token& first = window[0];
    size_t length = 0;
    absl::Span<const GazetteerEntry> found;
    uint32_t node = first.inside_run ? 0 : first.word.root;
    for (size_t depth = 0; node != 0;) {
      const Node& here = impl.nodes[node];
      if (here.entry_count != 0) {
        const absl::Span<const Token> tokens = window.First(depth + 1);
        const auto satisfied = impl.Satisfied(here, tokens, window.previous(), text, text_upper);
        const bool money = tokens.back().end < text.size() && text[tokens.back().end] == '$';  // "US$ 3 million"
        if (!satisfied.empty() && !money) {
          found = satisfied;
          length = depth + 1;
        }
      }
      if (here.next_words == 0 || !window.Has(depth + 1)) {
        break;
      }
      const Token& last = window[depth];
      const Token& next = window[depth + 1];
      if (next.hash == 0 || (here.next_words & Node::BitOf(next.hash)) == 0 ||
          !Joins(text.substr(last.end, next.start - last.end), last)) {
        break;
      }
      const uint32_t* edge = impl.edges.Find(EdgeHash(node, next.hash));
      node = edge == nullptr ? 0 : *edge;
      ++depth;
    }
    if (length != 0) {
      const Token& previous = window.previous();
      GazetteerMatch match;
      match.start = first.start;
      match.end = window[length - 1].end;
      match.entries = found;
      match.end += found.front().has(GazetteerEntry::kPlus) ? 1 : 0;
      match.hyphen_before = first.hyphen_before && previous.end + 4 > first.start;
      match.hyphen_after = IsHyphen(text, match.end);
      const auto joined = [text](const Token& left, const Token& right) {
        return left.end != 0 && left.end + 1 == right.start && text[left.end] == ' ';
      };
      match.given_name_before = previous.word.is(KnownWord::kGivenName) && previous.first_upper &&
                                !previous.all_upper && joined(previous, first);
      if (length == 1 && first.word.is(KnownWord::kPlaceAsGivenName) && window.Has(1)) {
        // "in China Clinton said" is a place; whoever is called China has no small word before the name.
        const Token& next = window[1];
        const bool placed =
            joined(previous, first) && IsPlacePreposition(text.substr(previous.start, previous.end - previous.start));
        match.surname_after =
            next.word.is(KnownWord::kSurname) && next.first_upper && !next.all_upper && joined(first, next) && !placed;
      }
      matches.push_back(match);
    }
    window.Advance(std::max<size_t>(length, 1));
  }
  return matches;
}

}  // namespace dateline::classifier
