#include "search_service/index_spelling.h"

#include <xapian.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "search_service/index_document.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

// A word of fewer articles may be a slip itself: it is a correction only where there is no other.
constexpr Xapian::doccount kSureFrequency = 2;
// What more articles have is no slip, and costs a look at its frequency.
constexpr Xapian::doccount kMaxSlipFrequency = 60;
// Of what so many documents have at most, those that were replaced or removed since are told apart, one by one.
constexpr Xapian::doccount kMaxCounted = 4 * kMaxSlipFrequency;
// How much more frequent than a word that articles have another one must be to have been meant: where the same articles
// have both; where nothing but the spelling speaks for it; and where it stands beside the neighbour so much more often.
constexpr Xapian::doccount kTimesTogether = 20;
constexpr Xapian::doccount kTimesAlone = 50;
constexpr Xapian::doccount kTimesBeside = 10;
// How much more often than by chance a slip is in one article with the right word.
constexpr double kTimesChance = 3.0;
// Letters of a word that may be a slip: swapped or left out letters happen more than others, and in long words few
// other words lie so near (docs/quality.md has what each costs).
constexpr size_t kMinLetters = 4;
constexpr size_t kLettersOfTwoErrors = 8;
constexpr size_t kLettersOfCommonSlip = 5;
constexpr size_t kLettersOfLongWord = 8;
// Two words that stand side by side in fewer articles than this are not what was meant by both as one.
// Where articles have it as one, there are so many times those.
constexpr Xapian::doccount kMinSideBySide = 3;
constexpr Xapian::doccount kTimesDivided = 20;
// One word that was meant by two has so many articles at least, and so many times those that have the two.
constexpr Xapian::doccount kMinJoined = 20;
constexpr Xapian::doccount kTimesJoined = 20;
// Bounds of what is looked at: the most frequent candidates, articles with both of two words, articles that are enough.
constexpr size_t kMaxCompared = 8;
constexpr uint32_t kMaxLookedAt = 300;
constexpr uint32_t kMaxLookedAtForOne = 2'000;
// Of a word that articles have, as most rare words are spelled right.
constexpr size_t kMaxComparedWithRare = 5;
constexpr uint32_t kMaxLookedAtForRare = 100;
constexpr Xapian::doccount kEnoughSideBySide = 200;
constexpr uint32_t kCheckEvery = 256;
// So many terms are passed one by one before the rest that begins alike is skipped, which costs more; not of those that
// have few letters in common, which are many.
constexpr uint32_t kMaxPassed = 4;
constexpr size_t kShortBeginning = 3;

struct Distance {
  size_t errors = 0;
  size_t hopeless = 0;  // Bytes of the candidate's beginning that no word within the limit has; 0: none such.
};

// Damerau-Levenshtein distance in code units, given up beyond `limit`.
Distance DistanceOf(absl::string_view candidate, absl::string_view word, size_t limit) {
  constexpr size_t kMax = kMaxWordBytes + 1;
  if (candidate.size() >= kMax || word.size() >= kMax) return {limit + 1, 0};
  std::array<std::array<size_t, kMax>, 3> rows{};
  for (size_t j = 0; j <= word.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= candidate.size(); ++i) {
    auto& current = rows[i % 3];
    const auto& last = rows[(i - 1) % 3];
    const auto& before_last = rows[(i + 1) % 3];
    current[0] = i;
    size_t best = current[0];
    for (size_t j = 1; j <= word.size(); ++j) {
      const size_t substitution = last[j - 1] + (candidate[i - 1] == word[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && candidate[i - 1] == word[j - 2] && candidate[i - 2] == word[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
      best = std::min(best, current[j]);
    }
    if (best > limit) return {limit + 1, i};
  }
  return {rows[candidate.size() % 3][word.size()], 0};
}

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Whether two words differ in their last letters only, as forms of one do.
bool DifferAtTheEnd(absl::string_view a, absl::string_view b) {
  const auto common = std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin()).first - a.begin();
  return std::max(a.size(), b.size()) - static_cast<size_t>(common) <= 2;
}

bool HasSameLetters(std::string a, std::string b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

class Speller {
 public:
  Speller(const IndexReader& reader, absl::Time deadline)
      : reader_(reader), database_(*reader.all), deadline_(deadline) {}

  Corrections Correct(const SearchedWord& searched, const Neighbours& neighbours, size_t max_words) {
    const std::string& word = searched.word.folded;
    if (word.size() < 3 || absl::ascii_isdigit(static_cast<unsigned char>(word.front()))) return {};
    const Xapian::doccount frequency =
        std::max(FrequencyOf(word), FrequencyOf(absl::StrCat(kStemPrefix, searched.word.stem)));
    if (frequency > kMaxSlipFrequency) return {};
    // A word that is being typed is no slip while others begin so.
    if (searched.prefix && (frequency > 0 || HasWordFrom(word))) return {};
    Corrections corrections;
    corrections.occurs = frequency > 0;
    std::vector<Candidate> candidates = CandidatesFor(word, frequency, neighbours);
    if (corrections.occurs) {
      if (std::optional<Candidate> meant = MeantBy(word, frequency, std::move(candidates), neighbours)) {
        candidates = {*std::move(meant)};
      } else {
        candidates.clear();
      }
    } else {
      KeepNearest(candidates, neighbours);
    }
    const Xapian::doccount best = candidates.empty() ? 0 : candidates.front().frequency;
    corrections.parts = PartsOf(word, std::max({best + 1, kMinSideBySide, frequency * kTimesDivided}));
    for (Candidate& candidate : candidates) {
      if (corrections.words.size() == max_words || !corrections.parts.empty()) break;
      corrections.words.push_back(std::move(candidate.word));
    }
    corrections.complete = !late_ || corrections.occurs;
    return corrections;
  }

  bool IsOneWord(const std::string& first, const std::string& second) {
    const Xapian::doccount frequency = FrequencyOf(first + second);
    if (frequency < kMinJoined) return false;
    const Xapian::doccount most = frequency / kTimesJoined;
    return CountSideBySide(first, second, most + 1, kMaxLookedAtForOne) <= most && !late_;
  }

 private:
  struct Candidate {
    size_t distance = 0;
    Xapian::doccount frequency = 0;
    std::string word;
    Xapian::doccount beside = 0;  // Articles that have it beside a neighbour.
  };

  bool IsLate() {
    late_ = late_ || absl::Now() > deadline_;
    return late_;
  }

  // Articles that have it: what was replaced since, or removed, still counts for Xapian. Of a frequent word those too.
  Xapian::doccount FrequencyOf(const std::string& term) const {
    const Xapian::doccount with_hidden = database_.get_termfreq(term);
    if (with_hidden > kMaxCounted) return with_hidden;
    Xapian::doccount frequency = 0;
    const Xapian::PostingIterator end = database_.postlist_end(term);
    for (Xapian::PostingIterator document = database_.postlist_begin(term); document != end; ++document) {
      if (!reader_.IsHidden(*document)) ++frequency;
    }
    return frequency;
  }

  bool HasWordFrom(const std::string& beginning) const {
    return database_.allterms_begin(beginning) != database_.allterms_end(beginning);
  }

  // Words that are spelled nearly as `word`, and frequent enough to be meant by it.
  std::vector<Candidate> CandidatesFor(const std::string& word, Xapian::doccount frequency,
                                       const Neighbours& neighbours) {
    std::vector<Candidate> candidates;
    if (word.size() < kMinLetters) return candidates;
    // Two errors are too many to tell a slip by its spelling alone.
    const bool may_have_two = frequency == 0 || !neighbours.before.empty() || !neighbours.after.empty();
    const size_t limit = word.size() >= kLettersOfTwoErrors && may_have_two ? 2 : 1;
    const std::string first(1, word.front());
    uint32_t looked = 0;
    uint32_t passed = 0;
    const Xapian::TermIterator end = database_.allterms_end(first);
    for (Xapian::TermIterator term = database_.allterms_begin(first); term != end;) {
      if (++looked % kCheckEvery == 0 && IsLate()) break;
      std::string candidate = *term;
      const Distance distance = DistanceOf(candidate, word, limit);
      if (distance.errors <= limit && distance.errors > 0) {
        const Xapian::doccount found = term.get_termfreq();
        if (found >= frequency * kTimesBeside) candidates.push_back({distance.errors, found, candidate, 0});
      }
      passed = distance.hopeless > 0 ? passed + 1 : 0;
      if (distance.hopeless == 0 || (distance.hopeless > kShortBeginning && passed < kMaxPassed)) {
        ++term;
        continue;
      }
      // On to the first word that begins otherwise; no byte of UTF-8 is 0xFF.
      passed = 0;
      candidate.resize(distance.hopeless);
      candidate.back() = static_cast<char>(static_cast<unsigned char>(candidate.back()) + 1);
      term.skip_to(candidate);
    }
    return candidates;
  }

  // In how many articles the words stand side by side in this order, of those with both that are looked at; not more
  // than `enough`.
  Xapian::doccount CountSideBySide(const std::string& first, const std::string& second, Xapian::doccount enough,
                                   uint32_t most_looked_at = kMaxLookedAt) {
    if (first.empty() || second.empty()) return 0;
    const bool first_is_rarer = database_.get_termfreq(first) <= database_.get_termfreq(second);
    Xapian::PostingIterator other = database_.postlist_begin(first_is_rarer ? second : first);
    const Xapian::PostingIterator other_end = database_.postlist_end(first_is_rarer ? second : first);
    const std::string& rarer = first_is_rarer ? first : second;
    Xapian::doccount count = 0;
    uint32_t looked = 0;
    uint32_t steps = 0;
    const Xapian::PostingIterator end = database_.postlist_end(rarer);
    for (Xapian::PostingIterator document = database_.postlist_begin(rarer); document != end && count < enough;) {
      if (++steps % kCheckEvery == 0 && IsLate()) break;
      other.skip_to(*document);
      if (other == other_end) break;
      if (*other != *document) {
        document.skip_to(*other);
        continue;
      }
      if (++looked > most_looked_at || IsLate()) break;
      if (!reader_.IsHidden(*document) && AreSideBySide(*document, first, second)) ++count;
      ++document;
    }
    return count;
  }

  bool AreSideBySide(Xapian::docid document, const std::string& first, const std::string& second) const {
    Xapian::PositionIterator after = database_.positionlist_begin(document, second);
    const Xapian::PositionIterator after_end = database_.positionlist_end(document, second);
    const Xapian::PositionIterator end = database_.positionlist_end(document, first);
    for (Xapian::PositionIterator place = database_.positionlist_begin(document, first); place != end; ++place) {
      after.skip_to(*place + 1);
      if (after == after_end) return false;
      if (*after == *place + 1) return true;
    }
    return false;
  }

  Xapian::doccount CountBeside(const std::string& word, const Neighbours& neighbours) {
    return std::max(CountSideBySide(neighbours.before, word, kEnoughSideBySide),
                    CountSideBySide(word, neighbours.after, kEnoughSideBySide));
  }

  // Of the candidates for a word that no article has: the nearest, and of these first what stands beside its
  // neighbours, then what is frequent.
  void KeepNearest(std::vector<Candidate>& candidates, const Neighbours& neighbours) {
    const auto is_sure = [](const Candidate& candidate) { return candidate.frequency >= kSureFrequency; };
    if (std::any_of(candidates.begin(), candidates.end(), is_sure)) {
      std::erase_if(candidates, [&](const Candidate& candidate) { return !is_sure(candidate); });
    }
    size_t nearest = kMaxWordBytes;
    for (const Candidate& candidate : candidates) nearest = std::min(nearest, candidate.distance);
    std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.distance > nearest; });
    std::sort(candidates.begin(), candidates.end(), IsMoreFrequent);
    if (candidates.size() > kMaxCompared) candidates.resize(kMaxCompared);
    if (candidates.size() < 2) return;
    for (Candidate& candidate : candidates) candidate.beside = CountBeside(candidate.word, neighbours);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.beside > b.beside; });
  }

  // What is meant by a word that few articles have, if that is a slip by all signs. A rare name lies near a frequent
  // word as often as slips do: so either the neighbours say it, or the articles with the slip, which have the right
  // word as well, or the kind of the error in a long word.
  std::optional<Candidate> MeantBy(const std::string& word, Xapian::doccount frequency,
                                   std::vector<Candidate> candidates, const Neighbours& neighbours) {
    std::sort(candidates.begin(), candidates.end(), IsMoreFrequent);
    if (candidates.size() > kMaxComparedWithRare) candidates.resize(kMaxComparedWithRare);
    if (candidates.empty()) return std::nullopt;
    // What stands beside its neighbour in many articles would have to be outdone in more than are looked at.
    const Xapian::doccount before = CountSideBySide(neighbours.before, word, kEnoughSideBySide);
    const Xapian::doccount after = CountSideBySide(word, neighbours.after, kEnoughSideBySide);
    const Xapian::doccount enough_before = kTimesBeside * (before + 1);
    const Xapian::doccount enough_after = kTimesBeside * (after + 1);
    std::optional<Candidate> meant;
    for (Candidate& candidate : candidates) {
      const Xapian::doccount with_before =
          CountSideBySide(neighbours.before, candidate.word, enough_before, kMaxLookedAtForRare);
      const Xapian::doccount with_after =
          CountSideBySide(candidate.word, neighbours.after, enough_after, kMaxLookedAtForRare);
      candidate.beside = with_before + with_after;
      const bool goes_with_them = with_before == enough_before || with_after == enough_after;
      if (goes_with_them && (!meant || candidate.beside > meant->beside)) meant = candidate;
    }
    if (late_) return std::nullopt;
    if (meant) return meant;
    for (Candidate& candidate : candidates) {
      // It stands beside its neighbour as it was typed, and not otherwise.
      if (candidate.beside == 0 && before + after > 0) continue;
      if (IsSlipFor(word, frequency, candidate)) return std::move(candidate);
    }
    return std::nullopt;
  }

  bool IsSlipFor(const std::string& word, Xapian::doccount frequency, const Candidate& candidate) const {
    if (candidate.distance > 1) return false;
    const bool same_letters = HasSameLetters(word, candidate.word);
    if (!same_letters && DifferAtTheEnd(word, candidate.word)) return false;
    const bool is_common = same_letters || candidate.word.size() == word.size() + 1;
    if (is_common && word.size() >= kLettersOfLongWord && candidate.frequency >= frequency * kTimesAlone) return true;
    if (word.size() < (is_common ? kLettersOfCommonSlip : kLettersOfLongWord)) return false;
    if (candidate.frequency < frequency * kTimesTogether) return false;
    Xapian::doccount with_word = 0;
    Xapian::doccount with_both = 0;
    Xapian::PostingIterator other = database_.postlist_begin(candidate.word);
    const Xapian::PostingIterator other_end = database_.postlist_end(candidate.word);
    const Xapian::PostingIterator end = database_.postlist_end(word);
    for (Xapian::PostingIterator document = database_.postlist_begin(word); document != end; ++document) {
      if (reader_.IsHidden(*document)) continue;
      ++with_word;
      if (other != other_end) other.skip_to(*document);
      if (other != other_end && *other == *document) ++with_both;
    }
    // Four of five articles, or one of two.
    const bool is_most = with_both * 5 >= with_word * 4 || (with_word == 2 && with_both == 1);
    const double by_chance = static_cast<double>(with_word) * candidate.frequency / database_.get_doccount();
    return with_both > 0 && is_most && with_both >= kTimesChance * by_chance;
  }

  // The two words that were written as one, if they stand side by side in so many articles; else none.
  std::vector<std::string> PartsOf(const std::string& word, Xapian::doccount least) {
    std::vector<std::string> parts;
    if (least > kEnoughSideBySide) return parts;
    for (size_t i = 1; i < word.size(); ++i) {
      if (IsContinuation(word[i])) continue;
      const std::string first = word.substr(0, i);
      const std::string second = word.substr(i);
      if (IsFunctionWord(first) || IsFunctionWord(second)) continue;
      if (!database_.term_exists(first) || !database_.term_exists(second)) continue;
      const Xapian::doccount count = CountSideBySide(first, second, kEnoughSideBySide);
      if (late_) return {};
      if (count < least) continue;
      parts = {first, second};
      least = count + 1;
    }
    return parts;
  }

  static bool IsMoreFrequent(const Candidate& a, const Candidate& b) {
    return a.frequency != b.frequency ? a.frequency > b.frequency : a.word < b.word;
  }

  const IndexReader& reader_;
  const Xapian::Database& database_;
  const absl::Time deadline_;
  bool late_ = false;
};

}  // namespace

absl::StatusOr<Corrections> CorrectWord(IndexReader& reader, const SearchedWord& searched, const Neighbours& neighbours,
                                        size_t max_words, absl::Time deadline) {
  try {
    return Speller(reader, deadline).Correct(searched, neighbours, max_words);
  } catch (...) {
    return CaughtIndexError();
  }
}

absl::StatusOr<bool> IsOneWord(IndexReader& reader, const std::string& first, const std::string& second,
                               absl::Time deadline) {
  try {
    return Speller(reader, deadline).IsOneWord(first, second);
  } catch (...) {
    return CaughtIndexError();
  }
}

}  // namespace dateline::search
