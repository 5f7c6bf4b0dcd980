#include "search_service/suggester.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "search_service/text_analysis.h"
#include "search_service/vocabulary.h"

namespace dateline::search {
namespace {

using WordId = Vocabulary::WordId;
using Slot = uint32_t;    // The place of an article.
using NameId = uint32_t;  // The place of a name or phrase.

// Titles looked at for one call. Fewer have the rarest word of nearly every search; where more do, a page of
// suggestions is full long before.
constexpr size_t kMaxLookedAt = 3'000;
constexpr size_t kMaxTitleWords = 40;
// What is typed beyond these is not looked at.
constexpr size_t kMaxTypedWords = 12;
// Words that one typed word may be mistyped for.
constexpr size_t kMaxCorrections = 8;
// What begins with a word so often is enough to take it for spelled as it was meant.
constexpr size_t kEnoughToTrust = 3;
// A word so short in so many titles is an article or a preposition, whatever its language: no phrase begins or ends
// there.
constexpr size_t kFunctionWordLetters = 3;
constexpr size_t kFunctionWordShare = 50;  // One title in so many.
constexpr size_t kMinTitlesForShare = 1'000;
// Languages whose names are kept folded.
constexpr size_t kMaxLanguages = 16;

// Two or three neighbouring words of a title; the last is kNoWord if there are two.
using Phrase = std::array<WordId, 3>;
constexpr WordId kNoWord = (1U << 31) - 1;

struct TitleWord {
  WordId id : 31;
  WordId joined : 1;  // Nothing but a space or a hyphen is between it and the next.
};

struct Entry {
  int64_t row = 0;
  std::string title;
  std::string id;
  std::vector<TitleWord> words;
  std::vector<NameId> names;  // Authors, the source, labels.
};

// An author, a source, a label's id, or a phrase.
struct Name {
  SuggestionKind kind = SuggestionKind::kArticle;
  std::string text;           // Empty for a phrase: it is read off a title.
  std::vector<WordId> words;  // None for labels, which are found by what the taxonomy calls them.
  Slot example = 0;           // Of a phrase: an article whose title has it.
};

// Where a word is.
struct Uses {
  std::vector<Slot> titles;     // The newest first.
  std::vector<Slot> openings;   // The titles that it begins; the newest first.
  std::vector<NameId> names;    // Authors and sources.
  std::vector<NameId> phrases;  // All that have it,
  std::vector<NameId> leading;  // and those that it begins.
};

// What a label is called where it is shown.
struct TaxonomyName {
  SuggestionKind kind = SuggestionKind::kCountry;
  std::string id;
  std::string text;
  std::vector<std::string> words;
};

// What else it goes by: its names in all languages, aliases, demonyms, and a country's code.
struct OtherName {
  std::vector<std::string> words;
  size_t label = 0;  // The place of what it stands for among the names that are shown.
  std::string language;
  bool demonym = false;
  // Counts only when typed to its end: a code, whose first letter says nothing, and what is said of a people in several
  // words ("Indian reservation" is no reason to offer the United States for "indi").
  bool whole = false;
};

// How a name fits what was typed, the best first.
enum class Fit {
  kIs,       // It is what was typed: the name shown, an alias, a code, a name in another language.
  kDemonym,  // So is what its people are called.
  kBegins,   // The name shown begins with what was typed,
  kHas,      // or has it further on, or another name in the same language or in English begins with it.
  kForeign,  // A name in a language that is not shown begins with it.
  kNone,
};

// A word that was typed, and the words of the vocabulary that it stands for.
struct Typed {
  std::string word;
  std::vector<std::string> corrections;
  std::vector<WordId> ids;
  std::vector<bool> among;  // By word: whether it is in `ids`.
  // Uses of `ids`.
  size_t title_count = 0;
  size_t name_count = 0;
  size_t phrase_count = 0;
  size_t leading_count = 0;

  bool Begins(absl::string_view folded) const {
    return absl::StartsWith(folded, word) ||
           std::find(corrections.begin(), corrections.end(), folded) != corrections.end();
  }
};

struct Found {
  std::vector<Suggestion> names;
  std::vector<Suggestion> phrases;
  std::vector<Suggestion> titles;
};

std::vector<std::string> FoldedWords(absl::string_view text, TextAnalyzer& analyzer, size_t limit) {
  std::vector<std::string> words;
  for (const Token& token : analyzer.Tokenize(text, "")) {
    if (token.pair) continue;
    if (words.size() == limit) break;
    words.push_back(token.word->folded);
  }
  return words;
}

// Every typed word begins a word of the text, in any order.
bool AllBegin(const std::vector<Typed>& typed, const std::vector<std::string>& words) {
  return std::all_of(typed.begin(), typed.end(), [&](const Typed& one) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return one.Begins(word); });
  });
}

// The text is what was typed, as it was typed.
bool Are(const std::vector<Typed>& typed, const std::vector<std::string>& words) {
  return std::equal(typed.begin(), typed.end(), words.begin(), words.end(),
                    [](const Typed& one, const std::string& word) { return one.word == word; });
}

// The typed words are the text's first ones. An alias is not shown, so that a word in the middle of it would puzzle.
bool BeginInOrder(const std::vector<Typed>& typed, const std::vector<std::string>& words) {
  if (typed.size() > words.size()) return false;
  for (size_t i = 0; i < typed.size(); ++i) {
    if (!typed[i].Begins(words[i])) return false;
  }
  return true;
}

// Where the typed words begin words of `text`: ranges as long as what was typed, where that is a part of the original;
// whole words that they are mistyped for.
std::vector<TextRange> TypedRanges(absl::string_view text, const std::vector<Typed>& typed, TextAnalyzer& analyzer) {
  std::vector<TextRange> ranges;
  for (const Token& token : analyzer.Tokenize(text, "")) {
    if (token.pair) continue;
    for (const Typed& one : typed) {
      const std::string& folded = token.word->folded;
      if (!one.Begins(folded)) continue;
      // Folding may change lengths; the whole word is lit up then.
      const bool part = absl::StartsWith(folded, one.word) && folded.size() == token.end - token.start;
      const size_t end = part ? token.start + one.word.size() : token.end;
      ranges.push_back({static_cast<int32_t>(token.start), static_cast<int32_t>(end)});
      break;
    }
  }
  return ranges;
}

// Whether a name in `language` is one of those in `wanted`, a BCP 47 tag, or in English.
bool IsReadBy(absl::string_view language, absl::string_view wanted) {
  return language == "en" || language == wanted || language == wanted.substr(0, wanted.find('-'));
}

// A phrase goes on over this.
bool Joins(absl::string_view between) { return between == " " || between == "-"; }

// Whether phrases may begin or end with the word.
bool BearsPhrase(absl::string_view folded) { return folded.size() > 1 && !IsStopWord(folded); }

bool IsShort(absl::string_view word) {
  size_t letters = 0;
  for (const char c : word) letters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return letters <= kFunctionWordLetters;
}

}  // namespace

class Suggester::Impl {
 public:
  void Update(int64_t row, const Article& article);
  void Remove(int64_t row);
  std::vector<Suggestion> Suggest(const SuggestQuery& asked, const std::shared_ptr<const Taxonomy>& taxonomy);

 private:
  bool Newer(Slot a, Slot b) const { return ages_[a] > ages_[b]; }
  Slot NewSlot();
  WordId AddWord(absl::string_view word);
  NameId NewName(Name name, uint32_t count);
  void DropName(NameId id);
  NameId AddName(SuggestionKind kind, const std::string& text);
  void ReleaseName(NameId id);

  void AddTitle(Slot slot);
  void RemoveTitle(Slot slot);
  std::vector<Phrase> PhrasesOf(const Entry& entry) const;
  void AddPhrases(Slot slot);
  void RemovePhrases(Slot slot);
  Slot ExampleOf(const Phrase& phrase, Slot gone) const;

  void TakeTaxonomy(const std::shared_ptr<const Taxonomy>& taxonomy);
  const std::vector<TaxonomyName>& TaxonomyNames(const std::string& language);
  std::vector<Typed> Read(absl::string_view prefix);
  void TakeIds(std::vector<WordId> ids, Typed& typed) const;
  bool Correct(const std::vector<TaxonomyName>& known, std::vector<Typed>& typed) const;

  Found Find(const SuggestQuery& query, const std::vector<Typed>& typed, const std::vector<TaxonomyName>& known);
  std::vector<Fit> FitsOf(const std::string& language, const std::vector<Typed>& typed,
                          const std::vector<TaxonomyName>& known) const;
  void FindNames(const SuggestQuery& query, const std::vector<Typed>& typed, const std::vector<TaxonomyName>& known,
                 Found& found);
  std::vector<NameId> WithoutParts(std::vector<NameId> phrases) const;
  bool IsFunctionWord(WordId id) const;
  std::string PhraseText(const Name& phrase);
  std::vector<Slot> FindTitles(const std::vector<Typed>& typed, size_t limit) const;
  std::vector<Slot> WholeTitles(const std::vector<Typed>& typed) const;
  std::vector<OtherName>::const_iterator FirstOther(absl::string_view prefix) const;
  std::vector<Slot> Newest(const std::vector<WordId>& words, std::vector<Slot> Uses::*where, size_t limit,
                           const std::function<bool(Slot)>& accept) const;

  TextAnalyzer analyzer_;
  Vocabulary vocabulary_;
  std::vector<Uses> uses_;  // By word.
  std::vector<Entry> entries_;
  // By slot: when it was published, in seconds, and its row. Beside the entries, since sorting reads nothing else.
  std::vector<std::pair<int64_t, int64_t>> ages_;
  std::vector<Slot> free_slots_;
  absl::flat_hash_map<int64_t, Slot> slots_;  // By row.
  std::vector<Name> names_;
  std::vector<uint32_t> name_counts_;  // By name: the articles that carry it. Beside the names as the ages are.
  std::vector<NameId> free_names_;
  absl::flat_hash_map<std::pair<SuggestionKind, std::string>, NameId> name_ids_;
  // In how many titles each phrase is; and those of kMinPhraseTitles or more, which are names to suggest.
  absl::flat_hash_map<Phrase, uint32_t> phrase_counts_;
  absl::flat_hash_map<Phrase, NameId> phrase_ids_;
  // Titles that may be typed whole, by a hash of their words.
  absl::btree_set<std::pair<size_t, Slot>> whole_titles_;
  // What the taxonomy that was asked with last calls things, by language; and what else they go by, in the order of the
  // words.
  std::shared_ptr<const Taxonomy> taxonomy_;
  std::map<std::string, std::vector<TaxonomyName>> taxonomy_names_;
  std::vector<OtherName> other_names_;
};

namespace {

// Where in the title the phrase begins; its end if it is not there.
size_t PlaceOf(const Phrase& phrase, const std::vector<TitleWord>& words) {
  const size_t count = phrase[2] == kNoWord ? 2 : 3;
  for (size_t i = 0; i + count <= words.size(); ++i) {
    bool there = true;
    for (size_t k = 0; k < count && there; ++k) {
      there = words[i + k].id == phrase[k] && (k + 1 == count || words[i + k].joined != 0);
    }
    if (there) return i;
  }
  return words.size();
}

size_t HashOf(const std::vector<TitleWord>& words) {
  std::vector<WordId> ids;
  ids.reserve(words.size());
  for (const TitleWord& word : words) ids.push_back(word.id);
  return absl::HashOf(ids);
}

bool Contains(const std::vector<WordId>& words, const std::vector<WordId>& part) {
  return std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

Phrase PhraseOf(const Name& name) {
  return {name.words[0], name.words[1], name.words.size() > 2 ? name.words[2] : kNoWord};
}

}  // namespace

Slot Suggester::Impl::NewSlot() {
  if (free_slots_.empty()) {
    entries_.emplace_back();
    ages_.emplace_back();
    return static_cast<Slot>(entries_.size() - 1);
  }
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

WordId Suggester::Impl::AddWord(absl::string_view word) {
  const WordId id = vocabulary_.Add(word);
  if (uses_.size() < vocabulary_.size()) uses_.resize(vocabulary_.size());
  return id;
}

NameId Suggester::Impl::NewName(Name name, uint32_t count) {
  NameId id = static_cast<NameId>(names_.size());
  if (free_names_.empty()) {
    names_.push_back(std::move(name));
    name_counts_.emplace_back();
  } else {
    id = free_names_.back();
    free_names_.pop_back();
    names_[id] = std::move(name);
  }
  name_counts_[id] = count;
  const bool phrase = names_[id].kind == SuggestionKind::kPhrase;
  for (const WordId word : names_[id].words) {
    std::vector<NameId>& names = phrase ? uses_[word].phrases : uses_[word].names;
    if (names.empty() || names.back() != id) names.push_back(id);
  }
  if (phrase) uses_[names_[id].words.front()].leading.push_back(id);
  return id;
}

void Suggester::Impl::DropName(NameId id) {
  const auto erase = [&](std::vector<NameId>& names) {
    names.erase(std::remove(names.begin(), names.end(), id), names.end());
    if (names.empty()) names = {};
  };
  for (const WordId word : names_[id].words) {
    for (std::vector<NameId> Uses::*where : {&Uses::names, &Uses::phrases, &Uses::leading}) erase(uses_[word].*where);
  }
  names_[id] = {};
  free_names_.push_back(id);
}

NameId Suggester::Impl::AddName(SuggestionKind kind, const std::string& text) {
  const auto known = name_ids_.find(std::pair(kind, text));
  if (known != name_ids_.end()) {
    ++name_counts_[known->second];
    return known->second;
  }
  Name name;
  name.kind = kind;
  name.text = text;
  if (kind == SuggestionKind::kAuthor || kind == SuggestionKind::kSource) {
    for (const std::string& word : FoldedWords(text, analyzer_, kMaxTitleWords)) name.words.push_back(AddWord(word));
  }
  const NameId id = NewName(std::move(name), 1);
  name_ids_.emplace(std::pair(kind, text), id);
  return id;
}

void Suggester::Impl::ReleaseName(NameId id) {
  Name& name = names_[id];
  if (--name_counts_[id] > 0) return;
  name_ids_.erase(std::pair(name.kind, name.text));
  const std::vector<WordId> words = name.words;
  DropName(id);
  for (const WordId word : words) vocabulary_.Release(word);
}

void Suggester::Impl::AddTitle(Slot slot) {
  const auto insert = [&](std::vector<Slot>& slots) {
    const auto place = std::lower_bound(slots.begin(), slots.end(), slot, [&](Slot a, Slot b) { return Newer(a, b); });
    if (place == slots.end() || *place != slot) slots.insert(place, slot);
  };
  Entry& entry = entries_[slot];
  size_t last_end = 0;
  for (const Token& token : analyzer_.Tokenize(entry.title, "")) {
    if (token.pair) continue;
    if (entry.words.size() == kMaxTitleWords) break;
    if (!entry.words.empty() && !token.single) {
      entry.words.back().joined =
          Joins(absl::string_view(entry.title).substr(last_end, token.start - last_end)) ? 1 : 0;
    }
    last_end = token.end;
    entry.words.push_back({AddWord(token.word->folded) & kNoWord, 0});
  }
  for (const TitleWord& word : entry.words) insert(uses_[word.id].titles);
  if (!entry.words.empty()) insert(uses_[entry.words.front().id].openings);
  if (entry.words.size() <= kMaxTypedWords) whole_titles_.emplace(HashOf(entry.words), slot);
}

void Suggester::Impl::RemoveTitle(Slot slot) {
  const auto erase = [&](std::vector<Slot>& slots) {
    const auto place = std::lower_bound(slots.begin(), slots.end(), slot, [&](Slot a, Slot b) { return Newer(a, b); });
    if (place != slots.end() && *place == slot) slots.erase(place);
    if (slots.empty()) slots = {};
  };
  const Entry& entry = entries_[slot];
  if (entry.words.size() <= kMaxTypedWords) whole_titles_.erase({HashOf(entry.words), slot});
  if (!entry.words.empty()) erase(uses_[entry.words.front().id].openings);
  for (const TitleWord& word : entry.words) erase(uses_[word.id].titles);
  for (const TitleWord& word : entry.words) vocabulary_.Release(word.id);
}

// Each once.
std::vector<Phrase> Suggester::Impl::PhrasesOf(const Entry& entry) const {
  std::vector<Phrase> phrases;
  const std::vector<TitleWord>& words = entry.words;
  const auto bears = [&](size_t i) { return BearsPhrase(vocabulary_.text(words[i].id)); };
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].joined == 0 || !bears(i)) continue;
    // "10 things", "5 reasons": a list, not a matter.
    if (absl::ascii_isdigit(static_cast<unsigned char>(vocabulary_.text(words[i].id).front()))) continue;
    if (bears(i + 1)) phrases.push_back({words[i].id, words[i + 1].id, kNoWord});
    if (i + 2 < words.size() && words[i + 1].joined != 0 && bears(i + 2)) {
      phrases.push_back({words[i].id, words[i + 1].id, words[i + 2].id});
    }
  }
  std::sort(phrases.begin(), phrases.end());
  phrases.erase(std::unique(phrases.begin(), phrases.end()), phrases.end());
  return phrases;
}

void Suggester::Impl::AddPhrases(Slot slot) {
  for (const Phrase& phrase : PhrasesOf(entries_[slot])) {
    const uint32_t count = ++phrase_counts_[phrase];
    if (count < kMinPhraseTitles) continue;
    const auto [known, is_new] = phrase_ids_.try_emplace(phrase, 0);
    if (is_new) {
      Name name;
      name.kind = SuggestionKind::kPhrase;
      name.words.assign(phrase.begin(), phrase.end() - (phrase[2] == kNoWord ? 1 : 0));
      known->second = NewName(std::move(name), count);
    }
    // The last that came is the last to go, mostly.
    names_[known->second].example = slot;
    name_counts_[known->second] = count;
  }
}

void Suggester::Impl::RemovePhrases(Slot slot) {
  for (const Phrase& phrase : PhrasesOf(entries_[slot])) {
    const auto counted = phrase_counts_.find(phrase);
    if (counted == phrase_counts_.end()) continue;
    const uint32_t count = --counted->second;
    if (count == 0) phrase_counts_.erase(counted);
    const auto known = phrase_ids_.find(phrase);
    if (known == phrase_ids_.end()) continue;
    if (count < kMinPhraseTitles) {
      DropName(known->second);
      phrase_ids_.erase(known);
      continue;
    }
    name_counts_[known->second] = count;
    Name& name = names_[known->second];
    if (name.example == slot) name.example = ExampleOf(phrase, slot);
  }
}

// The newest title with the phrase, but for the one that goes. There is one.
Slot Suggester::Impl::ExampleOf(const Phrase& phrase, Slot gone) const {
  const std::vector<Slot>* rarest = nullptr;
  for (const WordId word : phrase) {
    if (word != kNoWord && (rarest == nullptr || uses_[word].titles.size() < rarest->size())) {
      rarest = &uses_[word].titles;
    }
  }
  for (const Slot slot : *rarest) {
    const std::vector<TitleWord>& words = entries_[slot].words;
    if (slot != gone && PlaceOf(phrase, words) < words.size()) return slot;
  }
  return rarest->front();
}

void Suggester::Impl::Remove(int64_t row) {
  const auto found = slots_.find(row);
  if (found == slots_.end()) return;
  const Slot slot = found->second;
  Entry& entry = entries_[slot];
  RemovePhrases(slot);
  for (const NameId name : entry.names) ReleaseName(name);
  RemoveTitle(slot);
  entry = {};
  free_slots_.push_back(slot);
  slots_.erase(found);
}

void Suggester::Impl::Update(int64_t row, const Article& article) {
  Remove(row);
  // Under embargo nothing of it may show, not even that a word is known. Its end is a change, and brings it here.
  if (article.visible_from && *article.visible_from > absl::Now()) return;
  const Slot slot = NewSlot();
  slots_.emplace(row, slot);
  ages_[slot] = {article.publish_time ? absl::ToUnixSeconds(*article.publish_time) : INT64_MIN, row};
  Entry& entry = entries_[slot];
  entry.row = row;
  entry.title = article.title;
  entry.id = article.id;
  AddTitle(slot);
  AddPhrases(slot);
  absl::flat_hash_set<NameId> names;
  const auto add = [&](SuggestionKind kind, const std::string& text) {
    const auto known = name_ids_.find(std::pair(kind, text));
    if (known != name_ids_.end() && names.contains(known->second)) return;
    names.insert(entry.names.emplace_back(AddName(kind, text)));
  };
  for (const std::string& author : article.authors) add(SuggestionKind::kAuthor, author);
  if (!article.source.empty()) add(SuggestionKind::kSource, article.source);
  for (const Label& label : EffectiveLabels(article)) {
    add(label.dimension == Dimension::kCountry ? SuggestionKind::kCountry
        : label.dimension == Dimension::kGroup ? SuggestionKind::kGroup
                                               : SuggestionKind::kIssue,
        label.id);
  }
  entry.names.shrink_to_fit();
  entry.words.shrink_to_fit();
}

namespace {

// Labels that are in use, in the order of TaxonomyNames().
void EachLabel(const Taxonomy& taxonomy,
               const std::function<void(SuggestionKind, Dimension, const TaxonomyEntry&)>& take) {
  const auto each = [&](SuggestionKind kind, Dimension dimension, const std::vector<TaxonomyEntry>& entries) {
    for (const TaxonomyEntry& entry : entries) {
      if (entry.replaced_by.empty()) take(kind, dimension, entry);
    }
  };
  each(SuggestionKind::kCountry, Dimension::kCountry, taxonomy.data().regions);
  each(SuggestionKind::kGroup, Dimension::kGroup, taxonomy.data().groups);
  each(SuggestionKind::kIssue, Dimension::kIssue, taxonomy.data().issues);
}

}  // namespace

void Suggester::Impl::TakeTaxonomy(const std::shared_ptr<const Taxonomy>& taxonomy) {
  if (taxonomy_ == taxonomy) return;
  taxonomy_ = taxonomy;
  taxonomy_names_.clear();
  other_names_.clear();
  size_t label = 0;
  EachLabel(*taxonomy, [&](SuggestionKind kind, Dimension /*dimension*/, const TaxonomyEntry& entry) {
    const auto add = [&](const std::string& text, const std::string& language, bool demonym, bool whole) {
      OtherName name;
      name.words = FoldedWords(text, analyzer_, kMaxTitleWords);
      if (name.words.empty()) return;
      name.label = label;
      name.language = language;
      name.demonym = demonym;
      name.whole = whole || (demonym && name.words.size() > 1);
      other_names_.push_back(std::move(name));
    };
    if (kind == SuggestionKind::kCountry) add(entry.id, "en", false, true);
    for (const LocalizedNames& names : entry.names) {
      add(names.display_name, names.language_code, false, false);
      for (const std::string& alias : names.aliases) add(alias, names.language_code, false, false);
      for (const std::string& demonym : names.demonyms) add(demonym, names.language_code, true, false);
    }
    ++label;
  });
  std::sort(other_names_.begin(), other_names_.end(),
            [](const OtherName& a, const OtherName& b) { return a.words < b.words; });
}

const std::vector<TaxonomyName>& Suggester::Impl::TaxonomyNames(const std::string& language) {
  if (taxonomy_names_.size() > kMaxLanguages) taxonomy_names_.clear();
  const auto made = taxonomy_names_.try_emplace(language);
  std::vector<TaxonomyName>& known = made.first->second;
  if (!made.second) return known;
  EachLabel(*taxonomy_, [&](SuggestionKind kind, Dimension dimension, const TaxonomyEntry& entry) {
    TaxonomyName& name = known.emplace_back();
    name.kind = kind;
    name.id = entry.id;
    name.text = taxonomy_->DisplayName(dimension, entry.id, language);
    name.words = FoldedWords(name.text, analyzer_, kMaxTitleWords);
  });
  return known;
}

// The first whose words begin so, or would come behind these.
std::vector<OtherName>::const_iterator Suggester::Impl::FirstOther(absl::string_view prefix) const {
  return std::lower_bound(other_names_.begin(), other_names_.end(), prefix,
                          [](const OtherName& name, absl::string_view word) { return name.words.front() < word; });
}

void Suggester::Impl::TakeIds(std::vector<WordId> ids, Typed& typed) const {
  typed.ids = std::move(ids);
  typed.among.assign(vocabulary_.size(), false);
  typed.title_count = typed.name_count = typed.phrase_count = typed.leading_count = 0;
  for (const WordId id : typed.ids) {
    typed.among[id] = true;
    typed.title_count += uses_[id].titles.size();
    typed.name_count += uses_[id].names.size();
    typed.phrase_count += uses_[id].phrases.size();
    typed.leading_count += uses_[id].leading.size();
  }
}

std::vector<Typed> Suggester::Impl::Read(absl::string_view prefix) {
  std::vector<Typed> typed;
  for (std::string& word : FoldedWords(prefix, analyzer_, kMaxTypedWords)) {
    Typed& one = typed.emplace_back();
    TakeIds(vocabulary_.WithPrefix(word), one);
    one.word = std::move(word);
  }
  return typed;
}

// Gives words that look mistyped what they may be mistyped for. False if there is none such.
bool Suggester::Impl::Correct(const std::vector<TaxonomyName>& known, std::vector<Typed>& typed) const {
  bool corrected = false;
  for (Typed& one : typed) {
    if (vocabulary_.Find(one.word) || one.title_count + one.name_count >= kEnoughToTrust) continue;
    const auto other = FirstOther(one.word);
    if (other != other_names_.end() && absl::StartsWith(other->words.front(), one.word)) continue;
    struct Candidate {
      Spelling spelling;
      uint32_t uses = 0;
      std::string word;
    };
    std::vector<Candidate> candidates;
    for (const Vocabulary::Near& near : vocabulary_.Nearest(one.word)) {
      candidates.push_back({near.spelling, near.uses, vocabulary_.text(near.id)});
    }
    bool begins_name = false;
    for (const TaxonomyName& name : known) {
      for (const std::string& word : name.words) {
        const std::optional<Spelling> spelling = Resemblance(one.word, word);
        if (!spelling) continue;
        begins_name = begins_name || spelling->typos == 0;
        candidates.push_back({*spelling, 1, word});
      }
    }
    if (begins_name) continue;
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
      return std::tuple(a.spelling.typos, !a.spelling.whole, b.uses, absl::string_view(a.word)) <
             std::tuple(b.spelling.typos, !b.spelling.whole, a.uses, absl::string_view(b.word));
    });
    std::vector<WordId> ids = one.ids;
    for (const Candidate& candidate : candidates) {
      if (one.corrections.size() == kMaxCorrections || candidate.spelling.typos > candidates[0].spelling.typos) break;
      if (std::find(one.corrections.begin(), one.corrections.end(), candidate.word) != one.corrections.end()) continue;
      one.corrections.push_back(candidate.word);
      const std::optional<WordId> id = vocabulary_.Find(candidate.word);
      if (id) ids.push_back(*id);
    }
    TakeIds(std::move(ids), one);
    corrected = corrected || !one.corrections.empty();
  }
  return corrected;
}

bool Suggester::Impl::IsFunctionWord(WordId id) const {
  return slots_.size() >= kMinTitlesForShare && uses_[id].titles.size() * kFunctionWordShare > slots_.size() &&
         IsShort(vocabulary_.text(id));
}

// "united arab" goes where "united arab emirates" is nearly as frequent.
std::vector<NameId> Suggester::Impl::WithoutParts(std::vector<NameId> phrases) const {
  std::vector<NameId> kept;
  for (const NameId id : phrases) {
    const std::vector<WordId>& words = names_[id].words;
    const bool part = std::any_of(phrases.begin(), phrases.end(), [&](NameId other) {
      const std::vector<WordId>& longer = names_[other].words;
      return longer.size() > words.size() && name_counts_[other] * 5 >= name_counts_[id] * 4 && Contains(longer, words);
    });
    if (!part) kept.push_back(id);
  }
  return kept;
}

std::string Suggester::Impl::PhraseText(const Name& phrase) {
  const Entry& entry = entries_[phrase.example];
  const size_t first = PlaceOf(PhraseOf(phrase), entry.words);
  const size_t last = first + phrase.words.size() - 1;
  size_t place = 0;
  size_t start = 0;
  for (const Token& token : analyzer_.Tokenize(entry.title, "")) {
    if (token.pair) continue;
    if (place == first) start = token.start;
    if (place == last) return entry.title.substr(start, token.end - start);
    ++place;
  }
  return "";
}

// How each of the known names fits.
std::vector<Fit> Suggester::Impl::FitsOf(const std::string& language, const std::vector<Typed>& typed,
                                         const std::vector<TaxonomyName>& known) const {
  std::vector<Fit> fits(known.size(), Fit::kNone);
  for (size_t i = 0; i < known.size(); ++i) {
    const std::vector<std::string>& words = known[i].words;
    if (words.empty() || !AllBegin(typed, words)) continue;
    fits[i] = Are(typed, words) ? Fit::kIs : typed[0].Begins(words[0]) ? Fit::kBegins : Fit::kHas;
  }
  const auto take = [&](const OtherName& name) {
    Fit fit = Fit::kNone;
    if (Are(typed, name.words)) {
      fit = name.demonym ? Fit::kDemonym : Fit::kIs;
    } else if (!name.whole && BeginInOrder(typed, name.words)) {
      fit = IsReadBy(name.language, language) ? Fit::kHas : Fit::kForeign;
    }
    fits[name.label] = std::min(fits[name.label], fit);
  };
  const std::string& first = typed[0].word;
  for (auto name = FirstOther(first); name != other_names_.end() && absl::StartsWith(name->words[0], first); ++name) {
    take(*name);
  }
  for (const std::string& word : typed[0].corrections) {
    for (auto name = FirstOther(word); name != other_names_.end() && name->words[0] == word; ++name) take(*name);
  }
  return fits;
}

void Suggester::Impl::FindNames(const SuggestQuery& query, const std::vector<Typed>& typed,
                                const std::vector<TaxonomyName>& known, Found& found) {
  const auto limit = static_cast<size_t>(query.limit);
  const auto wanted = [&](SuggestionKind kind) {
    return query.kinds.empty() || std::find(query.kinds.begin(), query.kinds.end(), kind) != query.kinds.end();
  };
  // How the name fits; then how many carry it.
  using Rank = std::tuple<Fit, int64_t, std::string>;
  std::vector<std::pair<Rank, Suggestion>> names;
  const auto add = [&](Fit fit, Suggestion suggestion) {
    Rank rank(fit, -suggestion.article_count, suggestion.text);
    names.emplace_back(std::move(rank), std::move(suggestion));
  };
  const std::vector<Fit> fits = FitsOf(query.display_language, typed, known);
  for (size_t i = 0; i < known.size(); ++i) {
    const TaxonomyName& name = known[i];
    if (!wanted(name.kind) || fits[i] == Fit::kNone) continue;
    const auto carried = name_ids_.find(std::pair(name.kind, name.id));
    Suggestion suggestion;
    suggestion.kind = name.kind;
    suggestion.text = name.text;
    suggestion.id = name.id;
    suggestion.article_count = carried == name_ids_.end() ? 0 : name_counts_[carried->second];
    add(fits[i], std::move(suggestion));
  }

  std::vector<bool> seen(names_.size());
  const auto each = [&](const Typed& rarest, std::vector<NameId> Uses::*where, const auto& take) {
    for (const WordId word : rarest.ids) {
      for (const NameId id : uses_[word].*where) {
        if (seen[id]) continue;
        seen[id] = true;
        const bool all = typed.size() == 1 || std::all_of(typed.begin(), typed.end(), [&](const Typed& one) {
                           return std::any_of(names_[id].words.begin(), names_[id].words.end(),
                                              [&](WordId own) { return bool{one.among[own]}; });
                         });
        if (all) take(id);
      }
    }
  };
  const auto begins = [&](NameId id) { return bool{typed[0].among[names_[id].words[0]]}; };
  const auto is = [&](NameId id) {
    const std::vector<WordId>& words = names_[id].words;
    return std::equal(typed.begin(), typed.end(), words.begin(), words.end(),
                      [&](const Typed& one, WordId word) { return one.word == vocabulary_.text(word); });
  };
  each(*std::min_element(typed.begin(), typed.end(),
                         [](const auto& a, const auto& b) { return a.name_count < b.name_count; }),
       &Uses::names, [&](NameId id) {
         const Name& name = names_[id];
         if (!wanted(name.kind)) return;
         Suggestion suggestion;
         suggestion.kind = name.kind;
         suggestion.text = name.text;
         suggestion.article_count = name_counts_[id];
         add(is(id) ? Fit::kIs : begins(id) ? Fit::kBegins : Fit::kHas, std::move(suggestion));
       });
  // Some more than are shown, since some go below.
  const size_t enough_phrases = 2 * limit + 16;
  std::vector<std::pair<std::tuple<bool, int64_t>, NameId>> phrases;
  if (wanted(SuggestionKind::kPhrase)) {
    // A letter or two are in so many that those count alone which begin with them; they would come first anyway.
    if (typed.size() == 1 && typed[0].leading_count >= enough_phrases) {
      each(typed[0], &Uses::leading, [&](NameId id) { phrases.push_back({{false, -int64_t{name_counts_[id]}}, id}); });
    } else {
      each(*std::min_element(typed.begin(), typed.end(),
                             [](const auto& a, const auto& b) { return a.phrase_count < b.phrase_count; }),
           &Uses::phrases, [&](NameId id) {
             phrases.push_back({{!begins(id), -int64_t{name_counts_[id]}}, id});
           });
    }
  }
  const auto best_first = [](auto& ranked, size_t count, const auto& before) {
    count = std::min(count, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count), ranked.end(), before);
    ranked.resize(count);
  };
  best_first(names, limit, [](const auto& a, const auto& b) { return a.first < b.first; });
  absl::flat_hash_set<std::string> taken;
  for (auto& [rank, suggestion] : names) {
    taken.insert(absl::StrJoin(FoldedWords(suggestion.text, analyzer_, kMaxTitleWords), " "));
    suggestion.ranges = TypedRanges(suggestion.text, typed, analyzer_);
    found.names.push_back(std::move(suggestion));
  }

  const auto words_of = [&](NameId id) {
    return absl::StrJoin(names_[id].words, " ",
                         [&](std::string* out, WordId word) { absl::StrAppend(out, vocabulary_.text(word)); });
  };
  best_first(phrases, enough_phrases, [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return std::lexicographical_compare(
        names_[a.second].words.begin(), names_[a.second].words.end(), names_[b.second].words.begin(),
        names_[b.second].words.end(),
        [&](WordId left, WordId right) { return vocabulary_.text(left) < vocabulary_.text(right); });
  });
  std::vector<NameId> ids;
  for (const auto& [rank, id] : phrases) ids.push_back(id);
  for (const NameId id : WithoutParts(std::move(ids))) {
    const Name& phrase = names_[id];
    if (found.phrases.size() == limit) break;
    if (IsFunctionWord(phrase.words.front()) || IsFunctionWord(phrase.words.back())) continue;
    if (taken.contains(words_of(id))) continue;
    Suggestion& suggestion = found.phrases.emplace_back();
    suggestion.kind = SuggestionKind::kPhrase;
    suggestion.text = PhraseText(phrase);
    suggestion.article_count = name_counts_[id];
    suggestion.ranges = TypedRanges(suggestion.text, typed, analyzer_);
  }
}

// The newest titles with one of the words at `where` that are accepted.
std::vector<Slot> Suggester::Impl::Newest(const std::vector<WordId>& words, std::vector<Slot> Uses::*where,
                                          size_t limit, const std::function<bool(Slot)>& accept) const {
  struct Cursor {
    const std::vector<Slot>* slots;
    size_t at;
  };
  std::vector<Cursor> heap;
  for (const WordId word : words) {
    const std::vector<Slot>& slots = uses_[word].*where;
    if (!slots.empty()) heap.push_back({&slots, 0});
  }
  const auto older = [&](const Cursor& a, const Cursor& b) { return Newer((*b.slots)[b.at], (*a.slots)[a.at]); };
  std::make_heap(heap.begin(), heap.end(), older);
  std::vector<Slot> newest;
  Slot last = static_cast<Slot>(entries_.size());  // One title may have several of the words: then it comes twice.
  for (size_t looked_at = 0; !heap.empty() && looked_at < kMaxLookedAt && newest.size() < limit;) {
    std::pop_heap(heap.begin(), heap.end(), older);
    Cursor& top = heap.back();
    const Slot slot = (*top.slots)[top.at];
    if (++top.at == top.slots->size()) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), older);
    }
    if (slot == last) continue;
    last = slot;
    ++looked_at;
    if (accept(slot)) newest.push_back(slot);
  }
  return newest;
}

// Titles that are what was typed, the newest first.
std::vector<Slot> Suggester::Impl::WholeTitles(const std::vector<Typed>& typed) const {
  std::vector<WordId> words;
  for (const Typed& one : typed) {
    const std::optional<WordId> id = vocabulary_.Find(one.word);
    if (!id) return {};
    words.push_back(*id);
  }
  const size_t hash = absl::HashOf(words);
  std::vector<Slot> whole;
  for (auto place = whole_titles_.lower_bound({hash, 0});
       place != whole_titles_.end() && place->first == hash && whole.size() < kMaxLookedAt; ++place) {
    const std::vector<TitleWord>& own = entries_[place->second].words;
    if (std::equal(words.begin(), words.end(), own.begin(), own.end(),
                   [](WordId id, const TitleWord& word) { return id == word.id; })) {
      whole.push_back(place->second);
    }
  }
  std::sort(whole.begin(), whole.end(), [&](Slot a, Slot b) { return Newer(a, b); });
  return whole;
}

std::vector<Slot> Suggester::Impl::FindTitles(const std::vector<Typed>& typed, size_t limit) const {
  const auto matches = [&](Slot slot) {
    const Entry& entry = entries_[slot];
    return typed.size() == 1 || std::all_of(typed.begin(), typed.end(), [&](const Typed& one) {
             return std::any_of(entry.words.begin(), entry.words.end(),
                                [&](const TitleWord& word) { return bool{one.among[word.id]}; });
           });
  };
  const auto begins = [&](Slot slot) { return bool{typed[0].among[entries_[slot].words[0].id]}; };
  const Typed& rarest = *std::min_element(typed.begin(), typed.end(),
                                          [](const Typed& a, const Typed& b) { return a.title_count < b.title_count; });
  // A title that was typed to its end would never be seen among the longer ones, were it not sought by itself.
  std::vector<Slot> found = WholeTitles(typed);
  const absl::flat_hash_set<Slot> whole(found.begin(), found.end());
  const auto add = [&](const std::vector<Slot>& slots) {
    std::copy_if(slots.begin(), slots.end(), std::back_inserter(found),
                 [&](Slot slot) { return !whole.contains(slot); });
  };
  if (rarest.title_count <= kMaxLookedAt) {
    std::vector<Slot> all = Newest(rarest.ids, &Uses::titles, kMaxLookedAt, matches);
    std::stable_partition(all.begin(), all.end(), begins);
    all.resize(std::min(all.size(), limit + found.size()));
    add(all);
  } else {
    add(Newest(typed[0].ids, &Uses::openings, limit, matches));
    add(Newest(rarest.ids, &Uses::titles, limit, [&](Slot one) { return !begins(one) && matches(one); }));
  }
  return found;
}

Found Suggester::Impl::Find(const SuggestQuery& query, const std::vector<Typed>& typed,
                            const std::vector<TaxonomyName>& known) {
  Found found;
  FindNames(query, typed, known, found);
  if (!query.kinds.empty() &&
      std::find(query.kinds.begin(), query.kinds.end(), SuggestionKind::kArticle) == query.kinds.end()) {
    return found;
  }
  const auto limit = static_cast<size_t>(query.limit);
  absl::flat_hash_set<absl::string_view> shown;
  // Twice as many, since copies of one text have one title.
  for (const Slot slot : FindTitles(typed, 2 * limit)) {
    const Entry& entry = entries_[slot];
    if (found.titles.size() == limit || !shown.insert(entry.title).second) continue;
    Suggestion& suggestion = found.titles.emplace_back();
    suggestion.kind = SuggestionKind::kArticle;
    suggestion.id = entry.id;
    suggestion.text = entry.title;
    suggestion.article_count = 1;
    suggestion.ranges = TypedRanges(entry.title, typed, analyzer_);
  }
  return found;
}

namespace {

// Names, phrases and titles all get room; what one leaves free the next ones get.
void Append(Found found, size_t limit, std::vector<Suggestion>& suggestions) {
  const size_t room = limit - suggestions.size();
  size_t names = std::min(found.names.size(), (room * 3 + 7) / 8);
  size_t phrases = std::min(found.phrases.size(), (room + 3) / 4);
  const size_t titles = std::min(found.titles.size(), room - std::min(room, names + phrases));
  phrases = std::min(phrases, room - names);
  names = std::min(found.names.size(), room - phrases - titles);
  phrases = std::min(found.phrases.size(), room - names - titles);
  const auto move = [&](std::vector<Suggestion>& from, size_t count) {
    std::move(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(suggestions));
  };
  move(found.names, names);
  move(found.phrases, phrases);
  move(found.titles, titles);
}

}  // namespace

std::vector<Suggestion> Suggester::Impl::Suggest(const SuggestQuery& asked,
                                                 const std::shared_ptr<const Taxonomy>& taxonomy) {
  SuggestQuery query = asked;
  query.limit = std::clamp(query.limit, 1, 50);
  std::vector<Typed> typed = Read(query.prefix);
  if (typed.empty()) return {};
  TakeTaxonomy(taxonomy);
  const std::vector<TaxonomyName>& known = TaxonomyNames(query.display_language);
  const auto limit = static_cast<size_t>(query.limit);
  std::vector<Suggestion> suggestions;
  Append(Find(query, typed, known), limit, suggestions);
  if (suggestions.size() == limit || !Correct(known, typed)) return suggestions;

  Found found = Find(query, typed, known);
  const auto forget_shown = [&](std::vector<Suggestion>& all) {
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Suggestion& one) {
                               return std::any_of(suggestions.begin(), suggestions.end(), [&](const Suggestion& shown) {
                                 return shown.kind == one.kind && shown.id == one.id && shown.text == one.text;
                               });
                             }),
              all.end());
  };
  forget_shown(found.names);
  forget_shown(found.phrases);
  forget_shown(found.titles);
  Append(std::move(found), limit, suggestions);
  return suggestions;
}

Suggester::Suggester() : impl_(std::make_unique<Impl>()) {}
Suggester::~Suggester() = default;

void Suggester::Update(int64_t row, const Article& article) {
  const common::MutexLock lock(mutex_);
  impl_->Update(row, article);
}

void Suggester::Remove(int64_t row) {
  const common::MutexLock lock(mutex_);
  impl_->Remove(row);
}

std::vector<Suggestion> Suggester::Suggest(const SuggestQuery& query,
                                           const std::shared_ptr<const Taxonomy>& taxonomy) const {
  const common::MutexLock lock(mutex_);
  return impl_->Suggest(query, taxonomy);
}

}  // namespace dateline::search
