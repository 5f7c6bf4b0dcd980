// The issue model file: what the trainer writes and the tagger reads. On disk: eight bytes that say what it is, then
// a zstd frame with checksum that holds storage.v1.IssueModelFile (model.proto). The same model gives the same bytes.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_MODEL_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "classifier_service/issue_tagger.h"
#include "classifier_service/text_features.h"
#include "classifier_service/text_sketch.h"

namespace dateline::classifier {

// The linear model of one issue: margin = bias + weight_step * sum(value * weight) + seed_weight * lift, where the lift
// is what the seed phrases of the loaded taxonomy say (SeedScorer::Result);
// score = 1 / (1 + exp(-(slope * margin + intercept))).
struct LinearIssue {
  float weight_step = 0.0F;
  float bias = 0.0F;
  float slope = 1.0F;
  float intercept = 0.0F;
  float seed_weight = 0.0F;  // 0: the seed phrases have no part in it.
  TextSketch example_texts;  // While it goes by seed phrases: its examples.
};

struct IssueModel {
  Vocabulary vocabulary;
  std::vector<int8_t> weights;  // Row by row: for each term one weight for each issue.
  std::vector<LinearIssue> issues;
  IssueModelReport report;  // `report.issues` stand in the order of `issues` and hold ids and thresholds.
  // For each issue the training labels that counted as it, in the order of `issues`; mostly its own id alone.
  std::vector<std::vector<std::string>> trained_from;
  std::string taxonomy_fingerprint;
  std::string training_notes;  // For people.
  TextSketch training_texts;   // What it was trained on; empty: not known.
};

// A larger file, or one that unpacks to more, is no issue model.
inline constexpr size_t kMaxModelFileBytes = 64'000'000;
inline constexpr size_t kMaxModelBytes = 512'000'000;

// The bytes of the file. Sets `model.report.model_version`: "issues-DATE-HASH", where the hash is that of the content.
std::string EncodeIssueModel(IssueModel& model);

// Checks everything that the tagger relies on: lengths, ranges, finite numbers. Returns FailedPrecondition if the bytes
// are no issue model or one of another version, DataLoss if they are truncated or corrupted. `source` is the path for
// messages.
absl::StatusOr<IssueModel> DecodeIssueModel(absl::string_view bytes, absl::string_view source);

// Writes a new file and renames it into place, so that no reader sees half of it.
absl::Status WriteIssueModel(const std::string& path, IssueModel& model);

// The same, and keeps the file that was there as PATH.previous. At no moment is there no file.
absl::Status PublishIssueModel(const std::string& path, IssueModel& model);

// Swaps PATH, whatever is there, and PATH.previous, which must be an issue model: rolling back twice changes nothing.
// Returns the version that is in place now. NotFound if there is none to bring back; otherwise as DecodeIssueModel().
absl::StatusOr<std::string> RollBackIssueModel(const std::string& path);

// NotFound if there is no such file; otherwise as DecodeIssueModel().
absl::StatusOr<IssueModel> ReadIssueModel(const std::string& path);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_MODEL_H_
