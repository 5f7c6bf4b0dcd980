#include "search_service/vocabulary.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace dateline::search {
namespace {

struct Letter {
  UChar32 code = 0;
  size_t end = 0;  // In bytes.
};

void ReadLetters(absl::string_view word, std::vector<Letter>& letters) {
  letters.clear();
  const auto* bytes = reinterpret_cast<const uint8_t*>(word.data());
  const auto size = static_cast<int64_t>(word.size());
  for (int64_t pos = 0; pos < size;) {
    UChar32 code = 0;
    U8_NEXT(bytes, pos, size, code);
    letters.push_back({code, static_cast<size_t>(pos)});
  }
}

// The distances of one typed word to one word after another. Neighbours in the order of the vocabulary begin alike, so
// what was counted for the beginning of one serves the next.
class SpellingMeter {
 public:
  explicit SpellingMeter(absl::string_view typed) {
    ReadLetters(typed, typed_);
    // A number with another digit is another number.
    if (typed_.size() < 4 || absl::ascii_isdigit(static_cast<unsigned char>(typed.front()))) return;
    allowed_ = typed_.size() < 8 ? 1 : 2;
    rows_.emplace_back(typed_.size() + 1);
    for (size_t j = 0; j <= typed_.size(); ++j) rows_[0][j] = j;
    known_ = 1;
  }

  bool corrects() const { return allowed_ > 0; }
  size_t first_letter_bytes() const { return typed_.front().end; }

  // `hopeless` is set to the bytes of the word's beginning that no word may have, 0 if there is none such.
  std::optional<Spelling> Measure(absl::string_view word, size_t& hopeless) {
    hopeless = 0;
    ReadLetters(word, letters_);
    if (!corrects() || letters_.empty() || letters_.front().code != typed_.front().code) return std::nullopt;
    size_t common = 0;
    while (common < std::min(letters_.size(), last_.size()) && letters_[common].code == last_[common].code) ++common;
    known_ = std::min(known_, common + 1);
    std::swap(last_, letters_);

    size_t fewest = allowed_ + 1;
    for (size_t i = 1; i <= last_.size(); ++i) {
      if (i >= known_) AddRow(i);
      const std::vector<size_t>& row = rows_[i];
      fewest = std::min(fewest, row.back());
      // Longer beginnings have no fewer errors than the best of these.
      if (*std::min_element(row.begin(), row.end()) > allowed_) {
        if (fewest > allowed_) hopeless = last_[i - 1].end;
        break;
      }
    }
    if (fewest > allowed_) return std::nullopt;
    return Spelling{fewest, known_ > last_.size() && rows_[last_.size()].back() <= allowed_};
  }

 private:
  void AddRow(size_t i) {
    if (rows_.size() <= i) rows_.emplace_back(typed_.size() + 1);
    std::vector<size_t>& row = rows_[i];
    const std::vector<size_t>& above = rows_[i - 1];
    row[0] = i;
    for (size_t j = 1; j <= typed_.size(); ++j) {
      const bool same = last_[i - 1].code == typed_[j - 1].code;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && last_[i - 1].code == typed_[j - 2].code && last_[i - 2].code == typed_[j - 1].code) {
        row[j] = std::min(row[j], rows_[i - 2][j - 2] + 1);
      }
    }
    known_ = i + 1;
  }

  std::vector<Letter> typed_;
  size_t allowed_ = 0;
  std::vector<Letter> last_;  // The word measured last.
  std::vector<Letter> letters_;
  // Row i: how many errors lie between the first i letters of that word and each beginning of the typed one.
  std::vector<std::vector<size_t>> rows_;
  size_t known_ = 0;  // Rows that hold for the word measured last.
};

}  // namespace

std::optional<Spelling> Resemblance(absl::string_view typed, absl::string_view word) {
  SpellingMeter meter(typed);
  size_t hopeless = 0;
  return meter.Measure(word, hopeless);
}

Vocabulary::WordId Vocabulary::Add(absl::string_view word) {
  const auto found = by_text_.find(word);
  if (found != by_text_.end()) {
    ++words_[found->second].uses;
    return found->second;
  }
  WordId id = 0;
  if (free_.empty()) {
    id = static_cast<WordId>(words_.size());
    words_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  words_[id] = {std::string(word), 1};
  by_text_.emplace(words_[id].text, id);
  return id;
}

void Vocabulary::Release(WordId id) {
  Word& word = words_[id];
  if (--word.uses > 0) return;
  by_text_.erase(word.text);
  word.text = std::string();
  free_.push_back(id);
}

std::optional<Vocabulary::WordId> Vocabulary::Find(absl::string_view word) const {
  const auto found = by_text_.find(word);
  if (found == by_text_.end()) return std::nullopt;
  return found->second;
}

std::vector<Vocabulary::WordId> Vocabulary::WithPrefix(absl::string_view prefix) const {
  std::vector<WordId> ids;
  for (auto word = by_text_.lower_bound(prefix); word != by_text_.end() && absl::StartsWith(word->first, prefix);
       ++word) {
    ids.push_back(word->second);
  }
  return ids;
}

std::vector<Vocabulary::Near> Vocabulary::Nearest(absl::string_view typed) const {
  SpellingMeter meter(typed);
  std::vector<Near> nearest;
  if (!meter.corrects()) return nearest;
  const absl::string_view first_letter = typed.substr(0, meter.first_letter_bytes());
  for (auto word = by_text_.lower_bound(first_letter);
       word != by_text_.end() && absl::StartsWith(word->first, first_letter);) {
    size_t hopeless = 0;
    const std::optional<Spelling> spelling = meter.Measure(word->first, hopeless);
    if (spelling && spelling->typos > 0) {
      if (!nearest.empty() && spelling->typos < nearest.front().spelling.typos) nearest.clear();
      if (nearest.empty() || spelling->typos == nearest.front().spelling.typos) {
        nearest.push_back({word->second, *spelling, words_[word->second].uses});
      }
    }
    if (hopeless == 0) {
      ++word;
      continue;
    }
    // On to the first word that begins otherwise; no byte of UTF-8 is 0xFF.
    std::string next(word->first.substr(0, hopeless));
    ++next.back();
    word = by_text_.lower_bound(next);
  }
  return nearest;
}

}  // namespace dateline::search
