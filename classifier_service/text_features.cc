#include "classifier_service/text_features.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>
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

uint64_t PhraseHash(uint64_t first, uint64_t second) { return MixHash(first + 1, second); }
uint64_t LeadHash(uint64_t hash) { return MixHash(hash, 0x6C656164ULL); }

// The hash of a written form.
uint64_t HashTerm(absl::string_view term) {
  const bool lead = !term.empty() && term.front() == kLeadMark;
  if (lead) {
    term.remove_prefix(1);
  }
  const size_t space = term.find(' ');
  uint64_t hash = 0;
  if (space == absl::string_view::npos) {
    hash = HashWord(term);
  } else {
    hash = PhraseHash(HashWord(term.substr(0, space)), HashWord(term.substr(space + 1)));
  }
  return lead ? LeadHash(hash) : hash;
}

// Whether a word is one of them is as good as random: it is told without a branch that could be guessed wrong.
class StopWords {
 public:
  StopWords() {
    std::vector<uint64_t> hashes;
    for (const absl::string_view word : absl::StrSplit(kStopWords, ' ', absl::SkipEmpty())) {
      hashes.push_back(HashWord(word));
    }
    for (size_t count = 64; !Place(hashes, count); count *= 2) {
    }
  }

  bool Contains(uint64_t hash) const {
    const Bucket& bucket = buckets_[hash & (buckets_.size() - 1)];
    const auto is = [hash](uint64_t other) { return static_cast<unsigned>(other == hash); };
    return (is(bucket[0]) | is(bucket[1]) | is(bucket[2]) | is(bucket[3])) != 0;
  }

 private:
  using Bucket = std::array<uint64_t, 4>;  // 0: empty.

  // Divides them among `count` buckets, a power of two. False if a bucket would have to hold too many.
  bool Place(const std::vector<uint64_t>& hashes, size_t count) {
    buckets_.assign(count, Bucket{});
    for (const uint64_t hash : hashes) {
      Bucket& bucket = buckets_[hash & (count - 1)];
      auto* const place =
          std::find_if(bucket.begin(), bucket.end(), [hash](uint64_t other) { return other == 0 || other == hash; });
      if (place == bucket.end()) {
        return false;
      }
      *place = hash;
    }
    return true;
  }

  std::vector<Bucket> buckets_;
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
  absl::string_view folded;  // Only where it was asked for; valid until the next word is read.
  uint64_t hash = 0;
  int32_t start = 0;
  int32_t end = 0;
  bool content = false;   // Neither a stop word, nor a number, nor a single letter.
  bool adjacent = false;  // Nothing but a space or a hyphen lies between it and the word before.
};

// Reads the words of a text one by one. `kFolded`: sets Word::folded.
template <bool kFolded>
class WordReader {
 public:
  // Of the first `length` bytes.
  WordReader(const ScannedText& text, size_t length)
      : bytes_(reinterpret_cast<const uint8_t*>(text.text().data())),
        length_(static_cast<int32_t>(std::min({length, text.text().size(), static_cast<size_t>(INT32_MAX)}))),
        words_(text) {}

  // Returns false at the end of the text.
  bool Next(Word& word) {
    gap_ = 0;
    clean_gap_ = pos_ > 0;
    for (;;) {
      if (IsGeneralPunctuation(pos_)) {
        clean_gap_ = false;
        pos_ += kGeneralPunctuationBytes;
        continue;
      }
      if (pos_ < length_ && bytes_[pos_] >= 0x80) {
        return ReadAny(word);
      }
      if (pos_ < length_ && bytes_[pos_] == '&') {  // May stand within what was found as one run.
        clean_gap_ = false;
        ++pos_;
        continue;
      }
      const ScannedWord* found = words_.At(static_cast<size_t>(pos_));
      if (found == nullptr || found->start >= static_cast<uint32_t>(length_)) {
        return false;
      }
      SkipAsciiGap(static_cast<int32_t>(found->start));
      if (found->size != 0) {
        return ReadPlain(*found, word) || ReadAny(word);
      }
      if (bytes_[pos_] < 0x80 && bytes_[pos_] != '&') {
        return ReadAny(word);  // Too long to be plain.
      }
    }
  }

 private:
  static constexpr int32_t kGeneralPunctuationBytes = 3;
  static constexpr int32_t kMaxPlain = ScannedText::kMaxPlain;
  static_assert(kMaxPlain <= kMaxWordBytes - U8_MAX_LENGTH);

  static const FoldTable& Folds() {
    static const auto* const kTable = new FoldTable();
    return *kTable;
  }
  static const StopWords& Stops() {
    static const auto* const kWords = new StopWords();
    return *kWords;
  }

  // U+2000 to U+203F: dashes, quotation marks, spaces, nothing that is a letter or a digit; not what is invisible.
  bool IsGeneralPunctuation(int32_t at) const {
    return at + 2 < length_ && bytes_[at] == 0xE2 && bytes_[at + 1] == 0x80 && (bytes_[at + 2] & 0xC0) == 0x80 &&
           !IsInvisible(0x2000 + (bytes_[at + 2] & 0x3F));
  }

  void NoteGap(UChar32 c) {
    ++gap_;
    clean_gap_ = clean_gap_ && gap_ <= 1 && (c == ' ' || c == '-' || c == '\n');
  }

  // Goes on to `start`, over what of ASCII belongs to no word.
  void SkipAsciiGap(int32_t start) {
    if (start > pos_) {
      NoteGap(bytes_[pos_]);
      clean_gap_ = clean_gap_ && start == pos_ + 1;
      pos_ = start;
    }
  }

  // The usual word: a plain one, and behind it what ends it beyond doubt. False, and nothing changed, if the word may
  // be another.
  bool ReadPlain(const ScannedWord& found, Word& word) {
    const int32_t size = found.size;
    const int32_t end = pos_ + size;
    int32_t next = end;
    if (end > length_) {
      return false;
    }
    if (end < length_) {
      const uint8_t behind = bytes_[end];
      if (behind == '\'') {
        next = end + 1;
      } else if (behind >= 0x80) {
        if (!IsGeneralPunctuation(end)) {
          return false;
        }
        next = bytes_[end + 2] == 0x99 ? end + kGeneralPunctuationBytes : end;
      } else if (behind == '.' && size == 1) {
        return false;
      }
    }
    word.start = pos_;
    word.end = end;
    word.hash = found.hash;
    word.adjacent = clean_gap_;
    size_t folded = static_cast<size_t>(size);
    const bool may_be_plural = (size >= 4) & ((bytes_[end - 1] | 0x20) == 's');  // One branch to guess, not two.
    if (kFolded || may_be_plural) {
      FoldPlain(size);
      folded = StripPlural(folded);
      word.folded = absl::string_view(buffer_.data(), folded);
      word.hash = HashPaddedWord(buffer_.data(), folded);
    }
    word.content = found.has_letter && folded > 1 && !stops_.Contains(word.hash);
    pos_ = next;
    if (next != end) {
      SkipPossessive();
    }
    return true;
  }

  // Writes the plain word at hand into the buffer, in lower case: of letters and digits, that is one bit. All that a
  // plain word may have at once, where the text is long enough.
  void FoldPlain(int32_t size) {
    const int32_t count = pos_ + kMaxPlain <= length_ ? kMaxPlain : size;
    for (int32_t i = 0; i < count; ++i) {
      buffer_[static_cast<size_t>(i)] = static_cast<char>(bytes_[pos_ + i] | 0x20);
    }
  }

  // Any word, and what still stands before it.
  bool ReadAny(Word& word) {
    const FoldTable& folds = Folds();
    size_t size = 0;
    bool overlong = false;
    bool has_letter = false;
    int32_t start = -1;
    int32_t end = -1;
    while (pos_ < length_) {
      const int32_t at = pos_;
      UChar32 c = bytes_[pos_];
      if (c < 0x80) {
        ++pos_;
      } else {
        U8_NEXT(bytes_, pos_, length_, c);
      }
      const UChar32 folded = c < 0 ? 0 : folds.Fold(c);
      if (folded == 0) {
        if (IsInvisible(c)) {
          continue;
        }
        if (start < 0) {
          NoteGap(c);
          continue;
        }
        const bool apostrophe = c == '\'' || c == 0x2019;
        if (apostrophe) {
          SkipPossessive();
        } else if (c == '.' && IsAcronymDot(size)) {
          buffer_[size++] = '.';
          continue;
        } else if (c == '.' && size >= 3 && buffer_[size - 2] == '.') {
          // The last dot of "U.S." belongs to the word, so that "U.S. troops" is a phrase.
        } else {
          // The separator belongs to the gap before the next word.
          pos_ = at;
        }
        break;
      }
      if (start < 0) {
        start = at;
      }
      end = pos_;
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
    word.end = end;
    size = StripPlural(size);
    word.folded = absl::string_view(buffer_.data(), size);
    word.hash = HashPaddedWord(buffer_.data(), size);
    word.content = has_letter && !overlong && size > 1 && !stops_.Contains(word.hash);
    word.adjacent = clean_gap_;
    return true;
  }

  // After an apostrophe: skips the s of a possessive.
  void SkipPossessive() {
    if (pos_ < length_ && (bytes_[pos_] == 's' || bytes_[pos_] == 'S') &&
        (pos_ + 1 == length_ || !u_isalnum(bytes_[pos_ + 1]))) {
      ++pos_;
    }
  }

  // In "U.S." or "u.n.c.l.a.d", after a single letter: keeps the letters together.
  bool IsAcronymDot(size_t size) const {
    const bool single = size == 1 || (size >= 2 && buffer_[size - 2] == '.');
    if (!single || size + U8_MAX_LENGTH > kMaxWordBytes || pos_ >= length_ || !u_isalpha(bytes_[pos_]) ||
        bytes_[pos_] >= 0x80) {
      return false;
    }
    return pos_ + 1 >= length_ || !u_isalpha(bytes_[pos_ + 1]);
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

  const uint8_t* bytes_;
  int32_t length_;
  WordCursor words_;
  const StopWords& stops_ = Stops();
  int32_t pos_ = 0;
  // Of what stands before the word: its code points, and whether it leaves the words next to each other.
  int32_t gap_ = 0;
  bool clean_gap_ = false;
  std::array<char, kMaxWordBytes + kWordStep> buffer_ = {};  // More than a word, for HashPaddedWord().
};

// Calls `on_word(word, field, in_lead, is_first_of_field)` for each word. Each way of reading has one loop, so that the
// compiler makes reading a part of it.
template <bool kFolded, typename OnWord>
void ForEachWord(const ScannedText& title, const ScannedText& body, size_t body_bytes, OnWord&& on_word) {
  Word word;
  for (const Field field : {Field::kTitle, Field::kBody}) {
    WordReader<kFolded> reader(field == Field::kTitle ? title : body,
                               field == Field::kTitle ? title.text().size() : body_bytes);
    for (int n = 0; n < kMaxBodyWords && reader.Next(word); ++n) {
      on_word(word, field, field == Field::kTitle || n < kLeadWords, n == 0);
    }
  }
}

}  // namespace

void VisitTerms(absl::string_view title, absl::string_view body, absl::FunctionRef<void(absl::string_view)> visit) {
  std::string previous;
  std::string term;
  ForEachWord</*kFolded=*/true>(ScannedText(title), ScannedText(body), body.size(),
                                [&](const Word& word, Field field, bool lead, bool first) {
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
  for (size_t i = 0; i < terms.size(); ++i) {
    if (terms[i].empty()) {
      return absl::InvalidArgumentError("vocabulary: an empty term");
    }
    const uint64_t hash = HashTerm(terms[i]);
    if (!vocabulary.index_.Insert(hash, {static_cast<int32_t>(i), idf[i]})) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary: \"", terms[i], "\" stands twice, or falls together with \"",
                       terms[static_cast<size_t>(vocabulary.index_.Find(hash)->term)], "\""));
    }
  }
  vocabulary.terms_ = std::move(terms);
  vocabulary.idf_ = std::move(idf);
  return vocabulary;
}

namespace {

// 1 + ln(count), as the sublinear weight of a count; most counts are small.
float Sublinear(float count) {
  static const auto* const kSmall = [] {
    auto* table = new std::array<float, 64>();
    for (size_t i = 1; i < table->size(); ++i) {
      (*table)[i] = 1.0F + std::log(static_cast<float>(i));
    }
    return table;
  }();
  return count < static_cast<float>(kSmall->size()) ? (*kSmall)[static_cast<size_t>(count)] : 1.0F + std::log(count);
}

// A term that stands in the text and that the vocabulary may know.
struct Probe {
  uint64_t hash = 0;
  TextSpan span;
  bool phrase = false;
  bool lead = false;
  Vocabulary::Entry entry = {};  // Once it is found.
};

// Memory that a thread keeps from one text to the next.
struct FeatureScratch {
  std::vector<Probe> probes;  // Of which each call uses as many as it needs.
  // Where each term of the vocabulary stands among the values, plus one; all zero between calls, because clearing a
  // vocabulary's worth of memory would take longer than reading an article.
  std::vector<int32_t> place;
  std::vector<const Probe*> first;  // Of each value.
};

// All terms of the text, in order of position; a term of the lead follows its twin. Which words have content, and so
// are terms, is anybody's guess, a processor's too: each is written down, and only counted if it is a term.
absl::Span<Probe> CollectProbes(const Vocabulary& vocabulary, const ScannedText& title, const ScannedText& body,
                                size_t body_bytes, std::vector<Probe>& probes) {
  constexpr size_t kPerWord = 4;  // A word and a phrase, each in the text and in the lead.
  size_t count = 0;
  Probe* next = nullptr;
  const auto add = [&](bool is_term, uint64_t hash, const TextSpan& span, bool phrase, bool lead) {
    vocabulary.index().Fetch(hash);
    next->hash = hash;
    next->span = span;
    next->phrase = phrase;
    next->lead = lead;
    next += is_term ? 1 : 0;
  };
  uint64_t previous_hash = 0;
  int32_t previous_start = 0;
  bool previous_content = false;
  ForEachWord</*kFolded=*/false>(title, body, body_bytes, [&](const Word& word, Field field, bool in_lead, bool first) {
    if (probes.size() < count + kPerWord) {
      probes.resize(2 * probes.size() + 1000);
    }
    next = probes.data() + count;
    const TextSpan span = {field, word.start, word.end};
    add(word.content, word.hash, span, /*phrase=*/false, /*lead=*/false);
    if (in_lead) {
      add(word.content, LeadHash(word.hash), span, /*phrase=*/false, /*lead=*/true);
    }
    const bool is_phrase = word.content & previous_content & word.adjacent & !first;
    const TextSpan both = {field, previous_start, word.end};
    const uint64_t hash = PhraseHash(previous_hash, word.hash);
    add(is_phrase, hash, both, /*phrase=*/true, /*lead=*/false);
    if (in_lead) {
      add(is_phrase, LeadHash(hash), both, /*phrase=*/true, /*lead=*/true);
    }
    count = static_cast<size_t>(next - probes.data());
    previous_hash = word.hash;
    previous_start = word.start;
    previous_content = word.content;
  });
  return absl::MakeSpan(probes.data(), count);
}

// Those of `probes` that the vocabulary knows, with what it knows of them. In two passes, so that the memory that one
// needs is on its way while others are looked at.
absl::Span<Probe> KeepKnown(const Vocabulary& vocabulary, absl::Span<Probe> probes, std::vector<int32_t>& place) {
  size_t likely = 0;
  for (const Probe& probe : probes) {
    probes[likely] = probe;
    likely += vocabulary.index().MayHave(probe.hash) ? 1 : 0;
  }
  size_t known = 0;
  for (const Probe& probe : probes.first(likely)) {
    if (const Vocabulary::Entry* entry = vocabulary.index().Find(probe.hash); entry != nullptr) {
      __builtin_prefetch(place.data() + entry->term);
      probes[known] = probe;
      probes[known].entry = *entry;
      ++known;
    }
  }
  return probes.first(known);
}

}  // namespace

TextFeatures ExtractFeatures(const Vocabulary& vocabulary, absl::string_view title, absl::string_view body) {
  return ExtractFeatures(vocabulary, ScannedText(title), ScannedText(body));
}

TextFeatures ExtractFeatures(const Vocabulary& vocabulary, const ScannedText& title, const ScannedText& body,
                             size_t body_bytes) {
  thread_local FeatureScratch scratch;
  std::vector<int32_t>& place = scratch.place;
  if (place.size() < vocabulary.size()) {
    place.resize(vocabulary.size(), 0);
  }
  const absl::Span<Probe> probes =
      KeepKnown(vocabulary, CollectProbes(vocabulary, title, body, body_bytes, scratch.probes), place);
  TextFeatures features;
  features.values.reserve(probes.size());
  scratch.first.clear();
  for (const Probe& probe : probes) {
    int32_t& at = place[static_cast<size_t>(probe.entry.term)];
    if (at == 0) {
      features.values.push_back({probe.entry.term, 0.0F, 0, probe.span, probe.phrase});
      scratch.first.push_back(&probe);
      at = static_cast<int32_t>(features.values.size());
    }
    TermValue& value = features.values[static_cast<size_t>(at - 1)];
    value.value += static_cast<float>(probe.span.field == Field::kTitle && !probe.lead ? kTitleCount : 1);
    ++value.count;
  }

  float whole = 0.0F;
  float lead = 0.0F;
  for (size_t i = 0; i < features.values.size(); ++i) {
    TermValue& value = features.values[i];
    const Probe& probe = *scratch.first[i];
    place[static_cast<size_t>(value.term)] = 0;
    value.value = Sublinear(value.value) * probe.entry.idf;
    (probe.lead ? lead : whole) += value.value * value.value;
  }
  const float whole_scale = whole > 0.0F ? 1.0F / std::sqrt(whole) : 0.0F;
  const float lead_scale = lead > 0.0F ? kLeadLength / std::sqrt(lead) : 0.0F;
  for (size_t i = 0; i < features.values.size(); ++i) {
    features.values[i].value *= scratch.first[i]->lead ? lead_scale : whole_scale;
  }
  return features;
}

}  // namespace dateline::classifier
