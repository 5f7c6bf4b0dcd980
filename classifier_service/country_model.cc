#include "classifier_service/country_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "classifier_service/country_model.pb.h"
#include "classifier_service/model_file.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

constexpr int kFormatVersion = 1;
// At most so many word models; there are fewer countries.
constexpr int kMaxWordModels = 400;

constexpr ModelFileKind kKind = {
    .name = "country model",
    .magic = "DLCNTRY\n",
    .remedy =
        "; make it again with classifier_train countries, or restore classifier_service/data/model/countries.model",
    .compression_level = 19,
    .max_file_bytes = CountryModel::kMaxFileBytes,
    .max_message_bytes = 256'000'000,
};

// Labels are given from title and lead; what comes further down says less of the subject, and costs time.
constexpr size_t kWordTextBytes = 1500;
// Rows of weights lie all over a table larger than the cache: each is fetched so many terms before its turn.
constexpr size_t kRowsAhead = 8;
// Beyond this a word model is only more of what it has said already.
constexpr double kMaxMargin = 5.0;

std::vector<std::string> FeatureNames() {
  std::vector<std::string> names;
  for (const absl::string_view name : kCountryFeatureNames) {
    names.emplace_back(name);
  }
  for (const absl::string_view name : kCountryWordFeatureNames) {
    names.emplace_back(name);
  }
  return names;
}

// Log-odds beyond this are certainty.
constexpr double kMaxLogOdds = 6.0;

double Clip(double margin) { return std::clamp(margin, -kMaxMargin, kMaxMargin); }

bool IsThreshold(double value) { return std::isfinite(value) && value > 0.0 && value <= 1.0; }

}  // namespace

absl::string_view CountryWordText(absl::string_view body) {
  return body.size() <= kWordTextBytes ? body : body.substr(0, common::CodePointFloor(body, kWordTextBytes));
}

CountryWordFeatures WordFeaturesOf(const CountryCandidate& candidate, const std::vector<double>& margins, int own,
                                   const std::vector<CountryWords>& words) {
  if (margins.empty()) {
    return {};
  }
  const double none = NoneOf(margins, words);
  const double margin = own >= 0 ? margins[static_cast<size_t>(own)] : 0.0;
  return {{candidate.mentioned ? 0.0 : Clip(margin), none, candidate.mentioned ? 0.0 : none},
          own >= 0 ? Clip(margin - words[static_cast<size_t>(own)].center) : 0.0};
}

double NoneOf(const std::vector<double>& margins, const std::vector<CountryWords>& words) {
  return margins.empty() ? 0.0 : Clip(margins.front() - words.front().center);
}

std::array<double, kSilenceFeatureNames.size()> SilenceFeatures(const std::vector<CountryCandidate>& candidates,
                                                                const std::vector<double>& log_odds, double none) {
  double best = -kMaxLogOdds;
  double second = -kMaxLogOdds;
  double expected = 0.0;
  double total = 0.0;
  int mentioned = 0;
  const CountryCandidate* first = nullptr;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const double value = std::clamp(log_odds[i], -kMaxLogOdds, kMaxLogOdds);
    expected += 1.0 / (1.0 + std::exp(-value));
    mentioned += candidates[i].mentioned ? 1 : 0;
    total += candidates[i].mentioned ? std::expm1(candidates[i].features[0]) : 0.0;
    if (first == nullptr || value > best) {
      second = first == nullptr ? second : best;
      best = value;
      first = &candidates[i];
    } else {
      second = std::max(second, value);
    }
  }
  const auto of_best = [first](absl::string_view name) {
    const auto at = std::find(kCountryFeatureNames.begin(), kCountryFeatureNames.end(), name);
    return first == nullptr ? 0.0 : first->features[static_cast<size_t>(at - kCountryFeatureNames.begin())];
  };
  return {best,
          second,
          expected,
          none,
          std::log1p(total),
          std::log1p(static_cast<double>(mentioned)),
          of_best("groups"),
          of_best("title_silent"),
          of_best("title"),
          of_best("opening"),
          of_best("share"),
          of_best("absent"),
          of_best("united_states"),
          of_best("length")};
}

double CountryModel::Silence(const std::vector<CountryCandidate>& candidates, const std::vector<double>& log_odds,
                             const std::vector<double>& margins) const {
  if (candidates.empty()) {
    return 1.0;
  }
  double sum = silence_constant;
  const auto features = SilenceFeatures(candidates, log_odds, NoneOf(margins, words));
  for (size_t i = 0; i < features.size(); ++i) {
    sum += silence_weights[i] * features[i];
  }
  return std::round(1e4 / (1.0 + std::exp(-sum))) / 1e4;
}

std::optional<bool> CountryModel::InTraining(const ArticleText& article) const {
  if (training_texts.empty()) {
    return std::nullopt;
  }
  return training_texts.Contains(article.title, article.body);
}

std::vector<double> CountryModel::Margins(const TextFeatures& features) const {
  if (words.empty() || features.values.size() < static_cast<size_t>(min_terms)) {
    return {};
  }
  std::vector<double> margins(words.size(), 0.0);
  const auto row_of = [this](const TermValue& value) {
    return word_weights.data() + static_cast<size_t>(value.term) * words.size();
  };
  for (size_t i = 0; i < features.values.size(); ++i) {
    const TermValue& value = features.values[i];
    const int8_t* row = row_of(value);
    if (i + kRowsAhead < features.values.size()) {
      __builtin_prefetch(row_of(features.values[i + kRowsAhead]));
    }
    for (size_t k = 0; k < words.size(); ++k) {
      margins[k] += row[k] * static_cast<double>(value.value);
    }
  }
  for (size_t k = 0; k < words.size(); ++k) {
    margins[k] = static_cast<double>(words[k].bias) + static_cast<double>(words[k].weight_step) * margins[k];
  }
  return margins;
}

double CountryWords::Deviation(const CountryCandidate& candidate, double said) const {
  double sum = own_constant + own_words * said + own_weight * candidate.features[0];
  for (size_t i = 0; i < own_features.size(); ++i) {
    sum += own_features[i] * candidate.features[i];
  }
  return sum;
}

double CountryModel::LogOdds(const CountryCandidate& candidate, const std::vector<double>& margins, int own) const {
  double sum = constant;
  for (size_t i = 0; i < candidate.features.size(); ++i) {
    sum += weights[i] * candidate.features[i];
  }
  const CountryWordFeatures word_features = WordFeaturesOf(candidate, margins, own, words);
  for (size_t i = 0; i < word_features.common.size(); ++i) {
    sum += weights[candidate.features.size() + i] * word_features.common[i];
  }
  if (own >= 0) {
    sum += words[static_cast<size_t>(own)].Deviation(candidate, word_features.own);
  }
  return sum;
}

double CountryModel::HabitLogOdds(const CountryCandidate& candidate, const std::vector<double>& margins,
                                  int own) const {
  static_assert(kCountryWordFeatureNames[0] == "words_absent");
  const CountryWordFeatures word_features = WordFeaturesOf(candidate, margins, own, words);
  return weights[candidate.features.size()] * word_features.common[0] +
         words[static_cast<size_t>(own)].Deviation(candidate, word_features.own);
}

std::string CountryModel::Encode() {
  storage::v1::CountryModelFile file;
  file.set_format_version(kFormatVersion);
  file.set_train_time_seconds(absl::ToUnixSeconds(train_time));
  file.set_training_article_count(training_article_count);
  file.set_training_notes(training_notes);
  file.set_habits(habits);
  file.set_training_texts(training_texts.bytes());
  file.set_text_features_version(kTextFeaturesVersion);
  file.set_country_features_version(kCountryFeaturesVersion);
  for (const std::string& name : FeatureNames()) {
    file.add_feature_names(name);
  }
  for (const double weight : weights) {
    file.add_feature_weights(weight);
  }
  file.set_constant(constant);
  file.set_min_terms(min_terms);
  for (const absl::string_view name : kSilenceFeatureNames) {
    file.add_silence_feature_names(std::string(name));
  }
  for (const double weight : silence_weights) {
    file.add_silence_weights(weight);
  }
  file.set_silence_constant(silence_constant);
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    file.add_terms(vocabulary.term(static_cast<int32_t>(i)));
    file.add_idf(vocabulary.idf(static_cast<int32_t>(i)));
  }
  file.set_word_weights(std::string(word_weights.begin(), word_weights.end()));
  for (const CountryWords& one : words) {
    storage::v1::CountryWordModel* out = file.add_word_models();
    out->set_region_code(one.region_code);
    out->set_weight_step(one.weight_step);
    out->set_bias(one.bias);
    out->set_example_count(one.example_count);
    out->set_center(one.center);
    out->set_own_constant(one.own_constant);
    out->set_own_words(one.own_words);
    out->set_own_weight(one.own_weight);
    out->mutable_own_features()->Add(one.own_features.begin(), one.own_features.end());
  }
  for (const CountryThresholds& one : thresholds) {
    storage::v1::CountryThresholds* out = file.add_thresholds();
    out->set_silent(one.silent);
    out->set_first(one.first);
    out->set_other(one.other);
    out->set_crowded(one.crowded);
    if (one.rare != one.other) {
      out->set_rare(one.rare);
    }
  }
  version = absl::StrCat("countries-", absl::FormatTime("%Y%m%d", train_time, absl::UTCTimeZone()), "-",
                         common::Sha256Hex(file.SerializeAsString()).substr(0, 8));
  file.set_model_version(version);

  return PackModel(kKind, file.SerializeAsString());
}

absl::StatusOr<std::unique_ptr<CountryModel>> CountryModel::Decode(absl::string_view bytes, absl::string_view source) {
  const auto corrupt = [source](absl::string_view what) { return CorruptModel(kKind, source, what); };
  ASSIGN_OR_RETURN(const std::string message, UnpackModel(kKind, bytes, source));
  storage::v1::CountryModelFile file;
  if (!file.ParseFromString(message)) {
    return corrupt("corrupted");
  }
  if (file.format_version() != kFormatVersion || file.text_features_version() != kTextFeaturesVersion ||
      file.country_features_version() != kCountryFeaturesVersion ||
      std::vector<std::string>(file.feature_names().begin(), file.feature_names().end()) != FeatureNames() ||
      !std::equal(file.silence_feature_names().begin(), file.silence_feature_names().end(),
                  kSilenceFeatureNames.begin(), kSilenceFeatureNames.end())) {
    return ForeignModel(
        kKind, source,
        absl::StrCat("written as format ", file.format_version(), " with other features than this binary's"));
  }

  auto model = std::make_unique<CountryModel>();
  if (file.feature_weights_size() != static_cast<int>(kCountryRankerSize) ||
      file.silence_weights_size() != static_cast<int>(kSilenceFeatureNames.size()) ||
      file.thresholds_size() != static_cast<int>(kCountryProfileCount)) {
    return corrupt("its weights and thresholds are not complete");
  }
  bool finite = std::isfinite(file.constant());
  model->constant = file.constant();
  model->min_terms = std::max(1, file.min_terms());
  for (int i = 0; i < file.feature_weights_size(); ++i) {
    finite = finite && std::isfinite(file.feature_weights(i));
    model->weights[static_cast<size_t>(i)] = file.feature_weights(i);
  }
  finite = finite && std::isfinite(file.silence_constant());
  model->silence_constant = file.silence_constant();
  for (int i = 0; i < file.silence_weights_size(); ++i) {
    finite = finite && std::isfinite(file.silence_weights(i));
    model->silence_weights[static_cast<size_t>(i)] = file.silence_weights(i);
  }
  const int word_models = file.word_models_size();
  if (word_models > kMaxWordModels || file.terms_size() != file.idf_size() ||
      file.word_weights().size() != static_cast<size_t>(file.terms_size()) * static_cast<size_t>(word_models)) {
    return corrupt("terms and weights do not fit together");
  }
  for (const storage::v1::CountryWordModel& one : file.word_models()) {
    finite = finite && std::isfinite(one.weight_step()) && std::isfinite(one.bias()) && std::isfinite(one.center()) &&
             std::isfinite(one.own_constant()) && std::isfinite(one.own_words()) && std::isfinite(one.own_weight()) &&
             std::all_of(one.own_features().begin(), one.own_features().end(),
                         [](double weight) { return std::isfinite(weight); });
    if (one.own_features_size() != 0 && one.own_features_size() != static_cast<int>(kCountryFeatureNames.size())) {
      return corrupt("its weights and thresholds are not complete");
    }
    if (one.region_code().empty() != model->words.empty() ||
        (!model->words.empty() && model->words.back().region_code >= one.region_code())) {
      return corrupt("its word models are not in order");
    }
    model->words.push_back({.region_code = one.region_code(),
                            .weight_step = one.weight_step(),
                            .bias = one.bias(),
                            .example_count = one.example_count(),
                            .center = one.center(),
                            .own_constant = one.own_constant(),
                            .own_words = one.own_words(),
                            .own_weight = one.own_weight(),
                            .own_features = {one.own_features().begin(), one.own_features().end()}});
  }
  for (int i = 0; i < file.thresholds_size(); ++i) {
    const storage::v1::CountryThresholds& one = file.thresholds(i);
    const double rare = one.rare() != 0.0 ? one.rare() : one.other();
    if (!IsThreshold(one.silent()) || !IsThreshold(one.first()) || !IsThreshold(one.other()) ||
        !IsThreshold(one.crowded()) || !IsThreshold(rare)) {
      return corrupt("a threshold is not between 0 and 1");
    }
    model->thresholds[static_cast<size_t>(i)] = {one.silent(), one.first(), one.other(), one.crowded(), rare};
  }
  if (!finite || !std::all_of(file.idf().begin(), file.idf().end(), [](float idf) { return std::isfinite(idf); })) {
    return corrupt("a number in it is none");
  }
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::Create({file.terms().begin(), file.terms().end()}, {file.idf().begin(), file.idf().end()});
  if (!vocabulary.ok()) {
    return corrupt(absl::StrCat("its vocabulary does not fit together (", vocabulary.status().message(), ")"));
  }
  model->vocabulary = *std::move(vocabulary);
  model->word_weights.assign(file.word_weights().begin(), file.word_weights().end());
  model->version = file.model_version();
  model->train_time = absl::FromUnixSeconds(file.train_time_seconds());
  model->training_article_count = file.training_article_count();
  model->training_notes = file.training_notes();
  model->habits = file.habits();
  model->training_texts = TextSketch::FromBytes(file.training_texts());
  return model;
}

absl::StatusOr<std::unique_ptr<CountryModel>> CountryModel::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadModelFile(kKind, path));
  return Decode(bytes, path);
}

bool CountryModel::IsAt(const std::string& path) { return SaysItIs(kKind, path); }

absl::Status CountryModel::Write(const std::string& path) { return WriteModelFile(kKind, path, Encode()); }

absl::Status CountryModel::Publish(const std::string& path) {
  RETURN_IF_ERROR(KeepPreviousModel(kKind, path));
  return Write(path);
}

absl::StatusOr<std::string> CountryModel::RollBack(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string previous, PreviousModelPath(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<CountryModel> before, Load(previous));
  RETURN_IF_ERROR(SwapWithPreviousModel(kKind, path));
  return before->version;
}

}  // namespace dateline::classifier
