// Turns a text into the numbers that issue models are made of. The trainer and the service share this file, so what
// a model learned is what it sees.
//
// Terms are words and phrases of two words next to each other, folded (case, diacritics, plural s), without function
// words, months and bare numbers; signs that nobody sees (IsInvisible()) are no part of them and don't divide them.
// Each term counts twice over: in the whole text, and once more, as a term of its own, in the title and the lead.
// Values are sublinear in the count and weighted by rarity: (1 + ln tf) * idf; each of the two halves is scaled to a
// length of its own, so that a long body does not drown the title.
#ifndef DATELINE_CLASSIFIER_SERVICE_TEXT_FEATURES_H_
#define DATELINE_CLASSIFIER_SERVICE_TEXT_FEATURES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "classifier_service/classification.h"
#include "classifier_service/hash_index.h"
#include "classifier_service/word_scan.h"

namespace dateline::classifier {

// Raised with any change of what a text turns into; a model says which one it was trained with.
inline constexpr int kTextFeaturesVersion = 1;

// Words of the body beyond these are not looked at: an article has said what it is about by then, and the time for a
// text is bounded.
inline constexpr int kMaxBodyWords = 5000;

// The title and this many words of the body make the lead.
inline constexpr int kLeadWords = 60;

// Terms of the lead begin with this byte.
inline constexpr char kLeadMark = '^';

// Calls `visit` with each term of the text in its written form: "oil price", "^nuclear". A term occurring n times is
// visited n times. For building vocabularies; ExtractFeatures() is the fast way.
void VisitTerms(absl::string_view title, absl::string_view body, absl::FunctionRef<void(absl::string_view)> visit);

// The written form of the term that `phrase` (a word, or words of which the first two content words count) would
// become in a text; empty if nothing is left of it.
std::vector<std::string> TermsOfPhrase(absl::string_view phrase);

// The terms a model knows. Immutable; safe to read from any number of threads.
class Vocabulary {
 public:
  // `terms` are written forms, unique; `idf` belongs to them one by one. Returns InvalidArgument if the two differ in
  // length, a term is empty or double, or two terms fall on one 64-bit hash.
  static absl::StatusOr<Vocabulary> Create(std::vector<std::string> terms, std::vector<float> idf);

  Vocabulary() = default;

  // What is known of the term with this hash, and how to ask for many of them.
  struct Entry {
    int32_t term = 0;
    float idf = 0.0F;
  };
  const HashIndex<Entry>& index() const { return index_; }

  size_t size() const { return terms_.size(); }
  const std::string& term(int32_t index) const { return terms_[static_cast<size_t>(index)]; }
  float idf(int32_t index) const { return idf_[static_cast<size_t>(index)]; }
  bool is_lead(int32_t index) const { return term(index).front() == kLeadMark; }

 private:
  std::vector<std::string> terms_;
  std::vector<float> idf_;
  HashIndex<Entry> index_;
};

// One known term of a text, its weight there, and where it stands first.
struct TermValue {
  int32_t term = 0;
  float value = 0.0F;
  int32_t count = 0;  // How often it stands there.
  TextSpan span;
  bool phrase = false;
};

struct TextFeatures {
  std::vector<TermValue> values;  // Each term once, in order of first occurrence; a term of the lead follows its twin.
};

// Takes time linear in the text. Pure and thread-safe. Bytes that are not UTF-8 separate words.
TextFeatures ExtractFeatures(const Vocabulary& vocabulary, absl::string_view title, absl::string_view body);

// The same for a text whose words are found already, of whose body only the first `body_bytes` are read.
TextFeatures ExtractFeatures(const Vocabulary& vocabulary, const ScannedText& title, const ScannedText& body,
                             size_t body_bytes = SIZE_MAX);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_TEXT_FEATURES_H_
