#include "classifier_service/issue_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "classifier_service/model.pb.h"
#include "classifier_service/model_file.h"
#include "common/hash.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

constexpr int kFormatVersion = 1;
constexpr int kFormatVersionWithSeeds = 2;  // Some issue goes by its seed phrases, too; written only then.

constexpr ModelFileKind kKind = {
    .name = "issue model",
    .magic = "DLISSUE\n",
    .remedy = "; train it again with classifier_train issues, or restore classifier_service/data/model/issues.model",
    .compression_level = 12,
    .max_file_bytes = kMaxModelFileBytes,
    .max_message_bytes = kMaxModelBytes,
};

storage::v1::QualityReport ToFile(const Quality& quality) {
  storage::v1::QualityReport report;
  report.set_precision(quality.precision);
  report.set_recall(quality.recall);
  report.set_f1(quality.f1);
  if (quality.macro_f1.has_value()) {
    report.set_macro_f1(*quality.macro_f1);
  }
  report.set_article_count(quality.article_count);
  return report;
}

Quality FromFile(const storage::v1::QualityReport& report) {
  Quality quality;
  quality.precision = report.precision();
  quality.recall = report.recall();
  quality.f1 = report.f1();
  if (report.has_macro_f1()) {
    quality.macro_f1 = report.macro_f1();
  }
  quality.article_count = report.article_count();
  return quality;
}

void EncodeVocabulary(const Vocabulary& vocabulary, storage::v1::IssueModelFile& file) {
  float largest_idf = 1.0F;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    largest_idf = std::max(largest_idf, vocabulary.idf(static_cast<int32_t>(i)));
  }
  file.set_idf_step(largest_idf / 255.0F);
  absl::string_view before;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const absl::string_view term = vocabulary.term(static_cast<int32_t>(i));
    size_t shared = 0;
    while (shared < term.size() && shared < before.size() && shared < 255 && term[shared] == before[shared]) {
      ++shared;
    }
    file.mutable_term_shared_lengths()->push_back(static_cast<char>(shared));
    file.mutable_term_suffix_lengths()->push_back(static_cast<char>(term.size() - shared));
    file.mutable_term_suffixes()->append(term.data() + shared, term.size() - shared);
    const long step = std::lround(vocabulary.idf(static_cast<int32_t>(i)) / file.idf_step());
    file.mutable_idf()->push_back(static_cast<char>(std::clamp(step, 1L, 255L)));
    before = term;
  }
}

// Returns nothing if the parts do not fit together.
std::optional<Vocabulary> DecodeVocabulary(const storage::v1::IssueModelFile& file) {
  const size_t count = file.term_shared_lengths().size();
  if (file.term_suffix_lengths().size() != count || file.idf().size() != count || !std::isfinite(file.idf_step())) {
    return std::nullopt;
  }
  std::vector<std::string> terms;
  std::vector<float> idf;
  terms.reserve(count);
  idf.reserve(count);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto shared = static_cast<uint8_t>(file.term_shared_lengths()[i]);
    const auto rest = static_cast<uint8_t>(file.term_suffix_lengths()[i]);
    if (at + rest > file.term_suffixes().size() || (shared > 0 && (i == 0 || shared > terms.back().size()))) {
      return std::nullopt;
    }
    std::string term = shared > 0 ? terms.back().substr(0, shared) : std::string();
    term.append(file.term_suffixes(), at, rest);
    at += rest;
    terms.push_back(std::move(term));
    idf.push_back(static_cast<float>(static_cast<uint8_t>(file.idf()[i])) * file.idf_step());
  }
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Create(std::move(terms), std::move(idf));
  if (!vocabulary.ok()) {
    return std::nullopt;
  }
  return *std::move(vocabulary);
}

bool IsFinite(const storage::v1::IssueModel& issue) {
  return std::isfinite(issue.weight_step()) && std::isfinite(issue.bias()) && std::isfinite(issue.slope()) &&
         std::isfinite(issue.intercept()) && std::isfinite(issue.threshold()) && issue.seed_weight() >= 0.0F &&
         issue.seed_weight() <= 1.0F;
}

}  // namespace

std::string EncodeIssueModel(IssueModel& model) {
  storage::v1::IssueModelFile file;
  const bool with_seeds = std::any_of(model.issues.begin(), model.issues.end(),
                                      [](const LinearIssue& issue) { return issue.seed_weight != 0.0F; });
  file.set_format_version(with_seeds ? kFormatVersionWithSeeds : kFormatVersion);
  file.set_taxonomy_fingerprint(model.taxonomy_fingerprint);
  file.set_taxonomy_version(model.report.taxonomy_version);
  file.set_train_time_seconds(absl::ToUnixSeconds(model.report.train_time));
  file.set_training_article_count(model.report.training_article_count);
  for (const std::string& language : model.report.language_codes) {
    file.add_language_codes(language);
  }
  file.set_features_version(kTextFeaturesVersion);
  EncodeVocabulary(model.vocabulary, file);
  file.set_weights(std::string(model.weights.begin(), model.weights.end()));
  for (size_t i = 0; i < model.issues.size(); ++i) {
    const LinearIssue& linear = model.issues[i];
    const IssueModelInfo& info = model.report.issues[i];
    storage::v1::IssueModel* issue = file.add_issues();
    issue->set_issue_id(info.issue_id);
    issue->set_weight_step(linear.weight_step);
    issue->set_bias(linear.bias);
    issue->set_slope(linear.slope);
    issue->set_intercept(linear.intercept);
    issue->set_threshold(static_cast<float>(info.threshold));
    issue->set_example_count(info.example_count);
    issue->set_seed_weight(linear.seed_weight);
    issue->set_example_texts(linear.example_texts.bytes());
    if (i < model.trained_from.size() && model.trained_from[i] != std::vector<std::string>{info.issue_id}) {
      for (const std::string& label : model.trained_from[i]) {
        issue->add_trained_from(label);
      }
    }
    if (info.quality.has_value()) {
      *issue->mutable_quality() = ToFile(*info.quality);
    }
  }
  if (model.report.quality.has_value()) {
    *file.mutable_quality() = ToFile(*model.report.quality);
  }
  file.set_training_notes(model.training_notes);
  file.set_training_texts(model.training_texts.bytes());
  const std::string day = absl::FormatTime("%Y%m%d", model.report.train_time, absl::UTCTimeZone());
  model.report.model_version =
      absl::StrCat("issues-", day, "-", common::Sha256Hex(file.SerializeAsString()).substr(0, 8));
  file.set_model_version(model.report.model_version);

  return PackModel(kKind, file.SerializeAsString());
}

absl::StatusOr<IssueModel> DecodeIssueModel(absl::string_view bytes, absl::string_view source) {
  const auto corrupt = [source](absl::string_view what) { return CorruptModel(kKind, source, what); };
  ASSIGN_OR_RETURN(const std::string message, UnpackModel(kKind, bytes, source));
  storage::v1::IssueModelFile file;
  if (!file.ParseFromString(message)) {
    return corrupt("corrupted");
  }
  if ((file.format_version() != kFormatVersion && file.format_version() != kFormatVersionWithSeeds) ||
      file.features_version() != kTextFeaturesVersion) {
    return ForeignModel(
        kKind, source,
        absl::StrFormat("written as format %d with features %d, this binary reads formats %d and %d with features %d",
                        file.format_version(), file.features_version(), kFormatVersion, kFormatVersionWithSeeds,
                        kTextFeaturesVersion));
  }

  IssueModel model;
  std::optional<Vocabulary> vocabulary = DecodeVocabulary(file);
  if (!vocabulary.has_value()) {
    return corrupt("its vocabulary does not fit together");
  }
  model.vocabulary = *std::move(vocabulary);
  const auto issue_count = static_cast<size_t>(file.issues_size());
  if (issue_count == 0 || issue_count > Taxonomy::kMaxIssues ||
      file.weights().size() != model.vocabulary.size() * issue_count) {
    return corrupt("weights and vocabulary do not fit together");
  }
  model.weights.assign(file.weights().begin(), file.weights().end());
  for (const storage::v1::IssueModel& issue : file.issues()) {
    if (!IsFinite(issue)) {
      return corrupt(absl::StrCat("the numbers of issue ", issue.issue_id(), " are none"));
    }
    model.issues.push_back({issue.weight_step(), issue.bias(), issue.slope(), issue.intercept(), issue.seed_weight(),
                            TextSketch::FromBytes(issue.example_texts())});
    IssueModelInfo info;
    info.issue_id = issue.issue_id();
    info.example_count = issue.example_count();
    if (issue.seed_weight() > 0.0F && issue.example_count() < kEnoughExamples) {
      info.provenance = Provenance::kSeed;
    }
    info.threshold = std::round(static_cast<double>(issue.threshold()) * 1e4) / 1e4;
    info.slope = std::round(static_cast<double>(issue.slope()) * 1e4) / 1e4;
    info.intercept = std::round(static_cast<double>(issue.intercept()) * 1e4) / 1e4;
    if (issue.has_quality()) {
      info.quality = FromFile(issue.quality());
    }
    model.trained_from.emplace_back(issue.trained_from().begin(), issue.trained_from().end());
    if (model.trained_from.back().empty()) {
      model.trained_from.back().push_back(info.issue_id);
    }
    model.report.issues.push_back(std::move(info));
  }
  model.report.model_version = file.model_version();
  model.report.train_time = absl::FromUnixSeconds(file.train_time_seconds());
  model.report.training_article_count = file.training_article_count();
  model.report.taxonomy_version = file.taxonomy_version();
  model.report.language_codes.assign(file.language_codes().begin(), file.language_codes().end());
  if (file.has_quality()) {
    model.report.quality = FromFile(file.quality());
  }
  model.taxonomy_fingerprint = file.taxonomy_fingerprint();
  model.training_notes = file.training_notes();
  model.training_texts = TextSketch::FromBytes(file.training_texts());
  return model;
}

absl::Status WriteIssueModel(const std::string& path, IssueModel& model) {
  return WriteModelFile(kKind, path, EncodeIssueModel(model));
}

absl::Status PublishIssueModel(const std::string& path, IssueModel& model) {
  RETURN_IF_ERROR(KeepPreviousModel(kKind, path));
  return WriteIssueModel(path, model);
}

absl::StatusOr<std::string> RollBackIssueModel(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string previous, PreviousModelPath(path));
  ASSIGN_OR_RETURN(const IssueModel before, ReadIssueModel(previous));
  RETURN_IF_ERROR(SwapWithPreviousModel(kKind, path));
  return before.report.model_version;
}

absl::StatusOr<IssueModel> ReadIssueModel(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadModelFile(kKind, path));
  return DecodeIssueModel(bytes, path);
}

}  // namespace dateline::classifier
