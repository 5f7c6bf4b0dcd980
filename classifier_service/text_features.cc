#include "classifier_service/text_features.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/text.h"

namespace dateline::classifier {
namespace {

// The title counts as if it were said twice: a word there says more than one in the body.
constexpr int kTitleCount = 2;

// The lead's half of the vector is this long, the whole text's is 1.
constexpr float kLeadLength = 0.8F;

// Longer "words" are addresses, codes or vandalism.
constexpr size_t kMaxWordBytes = 40;

// Words that say nothing of the subject; also the days, months and formulas that news is stamped with.
constexpr char kStopWords[] =
    "a about above after again against all also although am among an and another any are aren around as at away back "
    "be "
    "became because become been before being below between both but by came can cannot come could couldn day did didn "
    "do does doesn doing don done down during each early either else even ever every few first for from further get "
    "give go going had hadn has hasn have haven having he her here hers herself him himself his how however i if in "
    "including instead into is isn it its itself just keep kept know last late later least less let like ll long made "
    "make making many may me might mine more most mr mrs ms much must mustn my myself near never new next no nor not "
    "now "
    "of off often old on once one only onto or other others our ours ourselves out over own part per perhaps put quite "
    "rather re really said same saw say saying says second see seem seemed seen several shall she should shouldn since "
    "so some something soon still such take taken than that the their theirs them themselves then there therefore "
    "these "
    "they thing think this those though three through thus time to today together told too took toward towards tuesday "
    "two under until up upon us use used using ve very via want was wasn way we week well went were weren what when "
    "where whether which while who whole whom whose why will with within without won would wouldn year yes yesterday "
    "yet "
    "you your yours yourself monday wednesday thursday friday saturday sunday january february march april june july "
    "august september october november december reuter reuters pct mln dlr dlrs bln cts vs shr photo image getty read "
    "story article caption advertisement copyright";

uint64_t Mix(uint64_t a, uint64_t b) {
  // The 128-bit product folds every input bit into every output bit (the step of wyhash and of Abseil's hash).
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t HashWord(const char* data, size_t size) {
  uint64_t hash = size;
  while (size >= 8) {
    uint64_t block = 0;
    std::memcpy(&block, data, 8);
    hash = Mix(hash, block);
    data += 8;
    size -= 8;
  }
  uint64_t rest = 0;
  std::memcpy(&rest, data, size);
  return Mix(hash, rest);
}

uint64_t PhraseHash(uint64_t first, uint64_t second) { return Mix(first + 1, second); }
uint64_t LeadHash(uint64_t hash) { return Mix(hash, 0x6C656164ULL); }

// The hash of a written form.
uint64_t HashTerm(absl::string_view term) {
  const bool lead = !term.empty() && term.front() == kLeadMark;
  if (lead) {
    term.remove_prefix(1);
  }
  const size_t space = term.find(' ');
  uint64_t hash = 0;
  if (space == absl::string_view::npos) {
    hash = HashWord(term.data(), term.size());
  } else {
    hash = PhraseHash(HashWord(term.data(), space), HashWord(term.data() + space + 1, term.size() - space - 1));
  }
  return lead ? LeadHash(hash) : hash;
}

class StopWords {
 public:
  StopWords() {
    for (const absl::string_view word : absl::StrSplit(kStopWords, ' ', absl::SkipEmpty())) {
      const uint64_t hash = HashWord(word.data(), word.size());
      size_t slot = hash & (kSlots - 1);
      while (slots_[slot] != 0) {
        slot = (slot + 1) & (kSlots - 1);
      }
      slots_[slot] = hash;
    }
  }

  bool Contains(uint64_t hash) const {
    for (size_t slot = hash & (kSlots - 1); slots_[slot] != 0; slot = (slot + 1) & (kSlots - 1)) {
      if (slots_[slot] == hash) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr size_t kSlots = 2048;
  std::array<uint64_t, kSlots> slots_ = {};
};

// For each code point below kTableEnd the folded letter or digit, 0 for what separates words. Others are asked of ICU.
class FoldTable {
 public:
  static constexpr UChar32 kTableEnd = 0x600;

  FoldTable() {
    for (UChar32 c = 0; c < kTableEnd; ++c) {
      fold_[static_cast<size_t>(c)] = static_cast<char16_t>(Compute(c));
    }
  }

  UChar32 Fold(UChar32 c) const { return c < kTableEnd ? fold_[static_cast<size_t>(c)] : Compute(c); }

 private:
  static UChar32 Compute(UChar32 c) {
    if (!u_isalnum(c)) {
      return 0;
    }
    if (c >= 0x80 && c < kTableEnd) {
      // Without its accent, where what is left is one letter: "é" is "e".
      std::array<uint8_t, U8_MAX_LENGTH> bytes{};
      int32_t size = 0;
      U8_APPEND_UNSAFE(bytes.data(), size, c);
      const std::string folded = common::FoldForMatch(
          absl::string_view(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size)));
      const auto* data = reinterpret_cast<const uint8_t*>(folded.data());
      const auto length = static_cast<int32_t>(folded.size());
      UChar32 base = 0;
      int32_t i = 0;
      if (length > 0) {
        U8_NEXT(data, i, length, base);
        if (i == length && base > 0 && base < 0x10000) {
          return base;
        }
      }
    }
    return u_tolower(c);
  }

  std::array<char16_t, static_cast<size_t>(kTableEnd)> fold_ = {};
};

struct Word {
  absl::string_view folded;  // Valid until the next word is read.
  uint64_t hash = 0;
  int32_t start = 0;
  int32_t end = 0;
  bool content = false;   // Neither a stop word, nor a number, nor a single letter.
  bool adjacent = false;  // Nothing but a space or a hyphen lies between it and the word before.
};

// Reads the words of a text one by one.
class WordReader {
 public:
  explicit WordReader(absl::string_view text)
      : text_(text.substr(0, std::min(text.size(), static_cast<size_t>(INT32_MAX)))) {}

  // Returns false at the end of the text.
  bool Next(Word& word) {
    static const auto* const fold = new FoldTable();
    static const auto* const stop_words = new StopWords();
    size_t size = 0;
    bool overlong = false;
    bool has_letter = false;
    int32_t gap = 0;
    bool clean_gap = pos_ > 0;
    const auto* bytes = reinterpret_cast<const uint8_t*>(text_.data());
    const auto length = static_cast<int32_t>(text_.size());
    int32_t start = -1;
    int32_t end = -1;
    while (pos_ < length) {
      const int32_t at = pos_;
      UChar32 c = bytes[pos_];
      if (c < 0x80) {
        ++pos_;
      } else {
        U8_NEXT(bytes, pos_, length, c);
      }
      const UChar32 folded = c < 0 ? 0 : fold->Fold(c);
      if (folded == 0) {
        if (start < 0) {
          ++gap;
          clean_gap = clean_gap && gap <= 1 && (c == ' ' || c == '-' || c == '\n');
          continue;
        }
        const bool apostrophe = c == '\'' || c == 0x2019;
        if (apostrophe) {
          SkipPossessive(bytes, length);
        } else if (c == '.' && IsAcronymDot(bytes, length, size)) {
          buffer_[size++] = '.';
          continue;
        } else if (c == '.' && size >= 3 && buffer_[size - 2] == '.') {
          // The last dot of "U.S." belongs to the word, so that "U.S. troops" is a phrase.
        } else {
          // The separator belongs to the gap before the next word.
          pos_ = at;
        }
        end = at;
        break;
      }
      if (start < 0) {
        start = at;
      }
      has_letter = has_letter || folded > '9';
      if (size + U8_MAX_LENGTH > kMaxWordBytes) {
        overlong = true;
        continue;
      }
      if (folded < 0x80) {
        buffer_[size++] = static_cast<char>(folded);
      } else {
        auto* out = reinterpret_cast<uint8_t*>(buffer_.data());
        auto written = static_cast<int32_t>(size);
        U8_APPEND_UNSAFE(out, written, folded);
        size = static_cast<size_t>(written);
      }
    }
    if (start < 0) {
      return false;
    }
    word.start = start;
    word.end = end < 0 ? length : end;
    size = StripPlural(size);
    word.folded = absl::string_view(buffer_.data(), size);
    word.hash = HashWord(buffer_.data(), size);
    word.content = has_letter && !overlong && size > 1 && !stop_words->Contains(word.hash);
    word.adjacent = clean_gap;
    return true;
  }

 private:
  // After an apostrophe: skips the s of a possessive.
  void SkipPossessive(const uint8_t* bytes, int32_t length) {
    if (pos_ < length && (bytes[pos_] == 's' || bytes[pos_] == 'S') &&
        (pos_ + 1 == length || !u_isalnum(bytes[pos_ + 1]))) {
      ++pos_;
    }
  }

  // In "U.S." or "u.n.c.l.a.d", after a single letter: keeps the letters together.
  bool IsAcronymDot(const uint8_t* bytes, int32_t length, size_t size) const {
    const bool single = size == 1 || (size >= 2 && buffer_[size - 2] == '.');
    if (!single || size + U8_MAX_LENGTH > kMaxWordBytes || pos_ >= length || !u_isalpha(bytes[pos_]) ||
        bytes[pos_] >= 0x80) {
      return false;
    }
    return pos_ + 1 >= length || !u_isalpha(bytes[pos_ + 1]);
  }

  // The plural s: "policies", "wars", but not "us", "crisis" or "press".
  size_t StripPlural(size_t size) {
    if (size < 4 || buffer_[size - 1] != 's') {
      return size;
    }
    const char before = buffer_[size - 2];
    if (before == 's' || before == 'u' || before == 'i') {
      return size;
    }
    if (before == 'e' && buffer_[size - 3] == 'i' && size > 4) {
      buffer_[size - 3] = 'y';
      return size - 2;
    }
    if (before == 'e' && size > 4 &&
        (buffer_[size - 3] == 's' || buffer_[size - 3] == 'x' || buffer_[size - 3] == 'h')) {
      return size - 2;
    }
    return size - 1;
  }

  absl::string_view text_;
  int32_t pos_ = 0;
  std::array<char, kMaxWordBytes> buffer_ = {};
};

// Calls `on_term(first, second_or_null, field, in_lead, count)` for each word and phrase.
template <typename OnWord>
void ForEachWord(absl::string_view title, absl::string_view body, OnWord&& on_word) {
  Word word;
  WordReader title_reader(title);
  for (int n = 0; n < kMaxBodyWords && title_reader.Next(word); ++n) {
    on_word(word, Field::kTitle, true, n == 0);
  }
  WordReader body_reader(body);
  for (int n = 0; n < kMaxBodyWords && body_reader.Next(word); ++n) {
    on_word(word, Field::kBody, n < kLeadWords, n == 0);
  }
}

}  // namespace

void VisitTerms(absl::string_view title, absl::string_view body, absl::FunctionRef<void(absl::string_view)> visit) {
  std::string previous;
  std::string term;
  ForEachWord(title, body, [&](const Word& word, Field field, bool lead, bool first) {
    if (!word.content) {
      previous.clear();
      return;
    }
    const int count = field == Field::kTitle ? kTitleCount : 1;
    const auto emit = [&](absl::string_view written) {
      for (int i = 0; i < count; ++i) {
        visit(written);
      }
      if (lead) {
        visit(absl::StrCat(absl::string_view(&kLeadMark, 1), written));
      }
    };
    emit(word.folded);
    if (!first && word.adjacent && !previous.empty()) {
      term = absl::StrCat(previous, " ", word.folded);
      emit(term);
    }
    previous.assign(word.folded.data(), word.folded.size());
  });
}

std::vector<std::string> TermsOfPhrase(absl::string_view phrase) {
  std::vector<std::string> terms;
  absl::flat_hash_set<std::string> seen;
  VisitTerms("", phrase, [&](absl::string_view term) {
    if (seen.insert(std::string(term)).second) {
      terms.emplace_back(term);
    }
  });
  return terms;
}

absl::StatusOr<Vocabulary> Vocabulary::Create(std::vector<std::string> terms, std::vector<float> idf) {
  if (terms.size() != idf.size()) {
    return absl::InvalidArgumentError("vocabulary: as many idf values as terms are needed");
  }
  Vocabulary vocabulary;
  size_t slots = 16;
  while (slots < terms.size() * 2) {
    slots *= 2;
  }
  vocabulary.slots_.resize(slots);
  vocabulary.mask_ = slots - 1;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (terms[i].empty()) {
      return absl::InvalidArgumentError("vocabulary: an empty term");
    }
    const uint64_t hash = HashTerm(terms[i]);
    size_t slot = static_cast<size_t>(hash) & vocabulary.mask_;
    while (vocabulary.slots_[slot].index != kUnknown) {
      if (vocabulary.slots_[slot].hash == hash) {
        return absl::InvalidArgumentError(
            absl::StrCat("vocabulary: \"", terms[i], "\" stands twice, or falls together with \"",
                         terms[static_cast<size_t>(vocabulary.slots_[slot].index)], "\""));
      }
      slot = (slot + 1) & vocabulary.mask_;
    }
    vocabulary.slots_[slot] = {hash, static_cast<int32_t>(i)};
    vocabulary.is_lead_.push_back(terms[i].front() == kLeadMark ? 1 : 0);
  }
  vocabulary.terms_ = std::move(terms);
  vocabulary.idf_ = std::move(idf);
  return vocabulary;
}

TextFeatures ExtractFeatures(const Vocabulary& vocabulary, absl::string_view title, absl::string_view body) {
  // Where each term stands in `values`, plus one; all zero between calls. Kept by the thread, because clearing a
  // vocabulary's worth of memory would take longer than reading an article.
  thread_local std::vector<int32_t> place;
  if (place.size() < vocabulary.size()) {
    place.resize(vocabulary.size(), 0);
  }
  TextFeatures features;
  features.occurrences.reserve(body.size() / 8);
  const auto add = [&](int32_t term, int count, const TextSpan& span, bool phrase) {
    int32_t& at = place[static_cast<size_t>(term)];
    if (at == 0) {
      features.values.push_back({term, 0.0F});
      at = static_cast<int32_t>(features.values.size());
    }
    features.values[static_cast<size_t>(at - 1)].value += static_cast<float>(count);
    features.occurrences.push_back({term, span, phrase});
  };
  const auto add_hash = [&](uint64_t hash, const TextSpan& span, bool lead, bool phrase) {
    const int count = span.field == Field::kTitle ? kTitleCount : 1;
    if (const int32_t term = vocabulary.Find(hash); term != Vocabulary::kUnknown) {
      add(term, count, span, phrase);
    }
    if (lead) {
      if (const int32_t term = vocabulary.Find(LeadHash(hash)); term != Vocabulary::kUnknown) {
        add(term, 1, span, phrase);
      }
    }
  };
  uint64_t previous_hash = 0;
  int32_t previous_start = -1;
  ForEachWord(title, body, [&](const Word& word, Field field, bool lead, bool first) {
    if (!word.content) {
      previous_start = -1;
      return;
    }
    add_hash(word.hash, {field, word.start, word.end}, lead, false);
    if (!first && word.adjacent && previous_start >= 0) {
      add_hash(PhraseHash(previous_hash, word.hash), {field, previous_start, word.end}, lead, true);
    }
    previous_hash = word.hash;
    previous_start = word.start;
  });

  float whole = 0.0F;
  float lead = 0.0F;
  for (TermValue& value : features.values) {
    place[static_cast<size_t>(value.term)] = 0;
    value.value = (1.0F + std::log(value.value)) * vocabulary.idf(value.term);
    (vocabulary.is_lead(value.term) ? lead : whole) += value.value * value.value;
  }
  const float whole_scale = whole > 0.0F ? 1.0F / std::sqrt(whole) : 0.0F;
  const float lead_scale = lead > 0.0F ? kLeadLength / std::sqrt(lead) : 0.0F;
  for (TermValue& value : features.values) {
    value.value *= vocabulary.is_lead(value.term) ? lead_scale : whole_scale;
  }
  return features;
}

}  // namespace dateline::classifier
