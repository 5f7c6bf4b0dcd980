// The country model: how what an article mentions and the words it uses become the probability that an editor would
// file it under a country, and from which probability on a country is a tag. Made by the trainer (country_trainer.h),
// kept in one small file, so that it is retrained and loaded anew without a compile. On disk: eight bytes that say
// what it is, then a zstd frame with checksum that holds storage.v1.CountryModelFile (country_model.proto). The same
// model gives the same bytes.
//
// log-odds = constant + weights * features + the words' shares; the features are those of the candidate
// (country_analysis.h), then those of kCountryWordFeatureNames. Countries with enough examples in training have a word
// model (a linear one over the title and the first lines) and a deviation of their own from the common weights; they
// are candidates even where nothing mentions them ("The Fed cut rates": the United States). One more word model says
// whether no country is the subject at all.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_MODEL_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_MODEL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/classification.h"
#include "classifier_service/country_analysis.h"
#include "classifier_service/text_features.h"
#include "classifier_service/text_sketch.h"

namespace dateline::classifier {

inline constexpr std::array<absl::string_view, 3> kCountryWordFeatureNames = {
    "words_absent",  // What the words say for a country that nothing mentions.
    "none",          // What the words say for "no country is the subject".
    "none_absent",   // The same, if nothing mentions the country.
};
inline constexpr size_t kCountryRankerSize = kCountryFeatureNames.size() + kCountryWordFeatureNames.size();

// What an article as a whole says on whether a country is its subject at all.
inline constexpr std::array<absl::string_view, 14> kSilenceFeatureNames = {
    "best",          // Log-odds of the best candidate.
    "second",        // Log-odds of the second best.
    "expected",      // Sum of the probabilities of all.
    "none",          // What the words say for "no country is the subject".
    "total",         // Weight of all mentions.
    "candidates",    // How many are mentioned.
    "groups",        // Share of blocs and regions in all mentions.
    "title_silent",  // The title names no country.
    "best_title",    // The best is named in the title.
    "best_opening",  // The best is named in the first lines.
    "best_share",    // Its share of all weight.
    "best_absent",   // Nothing mentions it.
    "best_us",       // It is the United States.
    "length",        // Logarithm of the length of the text, in hundreds of words.
};

// Which candidates become tags.
struct CountryThresholds {
  double silent = 0.5;   // No tag at all where the probability that no country is the subject is so high.
  double first = 0.3;    // Least score of the best one.
  double other = 0.5;    // Least score of others.
  double crowded = 0.7;  // Least score of one that the title does not name while it names two heavier ones.
  double rare = 0.5;     // As `other`, of countries that have no word model.

  // The least score of this candidate, where `silence` is the probability that no country is the subject.
  double LeastOf(const CountryCandidate& candidate, bool is_best, bool has_words, double silence) const {
    double least = is_best ? first : has_words ? other : rare;
    if (candidate.features[kTitleRivalsFeature] >= 2.0) {
      least = std::max(least, crowded);
    }
    // What nothing names is a guess: it must be as likely as one that stands behind another, and likelier than none.
    return candidate.mentioned ? least : std::max({least, other, silence});
  }

  bool Admits(const CountryCandidate& candidate, double score, bool is_best, bool has_words, double silence) const {
    return silence < silent && score >= LeastOf(candidate, is_best, has_words, silence);
  }
};

inline constexpr size_t kCountryProfileCount = 3;

// The words of one country, or, with an empty code, of none.
struct CountryWords {
  std::string region_code;
  float weight_step = 0.0F;
  float bias = 0.0F;
  int example_count = 0;
  // What the words say on average where the country is mentioned (of none: anywhere): from there on they count for it
  // or against it.
  double center = 0.0;
  // The country's own deviation from the common weights: constant, of the words, of "log_weight".
  double own_constant = 0.0;
  double own_words = 0.0;
  double own_weight = 0.0;
  std::vector<double> own_features = {};  // Of each feature of the candidate; empty but in models with `habits`.

  // What the deviation adds to the log-odds; `said` is what the words say, CountryWordFeatures::own.
  double Deviation(const CountryCandidate& candidate, double said) const;
};

struct CountryModel {
  // Reads a model file. Returns NotFound if there is none, FailedPrecondition if it is no country model or one of
  // another version, DataLoss if it is truncated or corrupted; with the remedy.
  static absl::StatusOr<std::unique_ptr<CountryModel>> Load(const std::string& path);

  // Whether the file at `path` says that it is a country model, whole or damaged.
  static bool IsAt(const std::string& path);

  // The same for bytes in memory; `source` stands for the path in messages.
  static absl::StatusOr<std::unique_ptr<CountryModel>> Decode(absl::string_view bytes, absl::string_view source);

  // The bytes of the file. Sets `version`: "countries-DATE-HASH", where the hash is that of the content.
  std::string Encode();

  // Writes a new file and renames it into place, so that no reader sees half of it.
  absl::Status Write(const std::string& path);

  // The same, and keeps what was there as PATH.previous.
  absl::Status Publish(const std::string& path);

  // Swaps what is at `path` and PATH.previous, and returns the version that is at `path` then. An error, and nothing
  // changed, if the latter is no country model.
  static absl::StatusOr<std::string> RollBack(const std::string& path);

  // Whether it was trained on this text or most of it; absent if that isn't known.
  std::optional<bool> InTraining(const ArticleText& article) const;

  // What the words of an article say for each word model, from its terms (of its title and CountryWordText()). Empty
  // where these are fewer than `min_terms`.
  std::vector<double> Margins(const TextFeatures& features) const;

  // Log-odds of one candidate. `margins` has one entry a word model; `own` is the index of the country's, or -1.
  double LogOdds(const CountryCandidate& candidate, const std::vector<double>& margins, int own) const;

  // What of the log-odds comes from the country's word model and its deviation from the common weights.
  double HabitLogOdds(const CountryCandidate& candidate, const std::vector<double>& margins, int own) const;

  // The probability that no country is the subject, rounded to 1e-4. `log_odds` belong to `candidates`.
  double Silence(const std::vector<CountryCandidate>& candidates, const std::vector<double>& log_odds,
                 const std::vector<double>& margins) const;

  std::string version;
  absl::Time train_time;
  int training_article_count = 0;
  std::string training_notes;
  TextSketch training_texts;  // What it was trained on; empty: not known.
  // Made for one source that will go on as it is (country_habits.h).
  bool habits = false;

  std::array<double, kCountryRankerSize> weights{};
  double constant = 0.0;
  std::array<double, kSilenceFeatureNames.size()> silence_weights{};
  double silence_constant = 0.0;
  Vocabulary vocabulary;
  // Words count only where the model knows so many terms of the text: a few words, or a text in another language, say
  // nothing.
  int min_terms = 30;
  std::vector<int8_t> word_weights;  // Row by row: for each term one weight for each of `words`.
  std::vector<CountryWords> words;   // First that of no country, then by region code.
  std::array<CountryThresholds, kCountryProfileCount> thresholds;  // By CountryProfile.

  static constexpr size_t kMaxFileBytes = 64'000'000;
};

// The part of the body that word models look at: the lead, where the subject is. A prefix, cut between code points.
absl::string_view CountryWordText(absl::string_view body);

// The features of a candidate that words give.
struct CountryWordFeatures {
  std::array<double, kCountryWordFeatureNames.size()> common;  // In the order of kCountryWordFeatureNames.
  double own = 0.0;  // What the words say for the country beyond `center`; 0 if it has no word model.
};
// `margins` is empty where the text has too few words to say anything; `own` is the index of the country's word model
// among `words`, or -1.
CountryWordFeatures WordFeaturesOf(const CountryCandidate& candidate, const std::vector<double>& margins, int own,
                                   const std::vector<CountryWords>& words);

// What the words say for "no country is the subject" beyond what they say on average.
double NoneOf(const std::vector<double>& margins, const std::vector<CountryWords>& words);

// The features of an article in the order of kSilenceFeatureNames; `none` is NoneOf() it.
std::array<double, kSilenceFeatureNames.size()> SilenceFeatures(const std::vector<CountryCandidate>& candidates,
                                                                const std::vector<double>& log_odds, double none);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_MODEL_H_
