// Says which issues of the taxonomy an article treats, how probably, and which of its words say so.
//
// One linear model per issue over the words and phrases of the text (text_features.h), calibrated to a probability
// and cut at a threshold of its own. The model file comes from `classifier_train issues`.
//
// The loaded taxonomy need not be the one that the model was trained for. An issue that gathers several of the model's
// (`trained_from`, and retired ids that it stands for) is given where one of them would be, with the score of the one
// that is farthest above its threshold. An issue that the model knows nothing of goes by its seed phrases
// (issue_seeds.h); one that was taught since, by those of the taxonomy and by what its examples taught, which counts
// for more the more there are.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_TAGGER_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_TAGGER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/classification.h"
#include "classifier_service/taxonomy.h"
#include "classifier_service/word_scan.h"

namespace dateline::classifier {

// How well tags agree with labels, on articles kept out of training.
struct Quality {
  double precision = 0.0;  // Micro-averaged where it is over several issues.
  double recall = 0.0;
  double f1 = 0.0;
  std::optional<double> macro_f1;  // Absent for a single issue.
  int article_count = 0;           // Articles it was measured on; for one issue: those whose label was known.
};

// A rule of thumb: with fewer labelled articles neither a threshold nor a calibration can be told from chance.
inline constexpr int kEnoughExamples = 30;

// What is known about the model of one issue.
struct IssueModelInfo {
  std::string issue_id;
  int example_count = 0;   // Training articles that had it.
  double threshold = 0.0;  // The score from which on the tag is given.
  // Calibration: score = 1 / (1 + exp(-(slope * raw + intercept))). Absent for an issue that gathers several.
  std::optional<double> slope;
  std::optional<double> intercept;
  Provenance provenance = Provenance::kModel;
  // How many more examples it takes for training to be worth while: up to kEnoughExamples.
  int examples_needed = 0;
  std::optional<Quality> quality;  // Absent: no held-out article had it.
};

// What is known about the model; written by the trainer into the model file.
struct IssueModelReport {
  std::string model_version;
  absl::Time train_time;
  int training_article_count = 0;
  std::string taxonomy_version;  // Of the taxonomy it was trained with.
  std::optional<Quality> quality;
  std::vector<IssueModelInfo> issues;       // In the order of the taxonomy.
  std::vector<std::string> language_codes;  // Languages whose texts it can judge.
};

struct IssueResult {
  std::vector<Tag> tags;                  // Best first; each at or over the threshold of its issue.
  Outcome outcome = Outcome::kAbstained;  // kTagged if and only if `tags` is not empty.
};

struct IssueScore {
  std::string issue_id;
  double score = 0.0;         // 0 to 1, rounded to 1e-4.
  bool tagged = false;        // At or over the threshold.
  double threshold = 0.0;     // Of this issue.
  std::optional<double> raw;  // Before calibration, rounded to 1e-4; absent for an issue that gathers several.
};

// Immutable and safe to use from any number of threads. The same text gets the same answer on every machine.
class IssueTagger {
 public:
  // Reads a model. Returns NotFound if there is no such file, DataLoss if it is truncated or corrupted,
  // FailedPrecondition if it is no issue model, is of another format version, knows none of the issues of `taxonomy`,
  // or if an issue that it doesn't know has no seed phrases either; each message names the remedy. Keeps no reference
  // to `taxonomy`.
  static absl::StatusOr<std::unique_ptr<IssueTagger>> Load(const std::string& model_path, const Taxonomy& taxonomy);

  ~IssueTagger();

  // Tags a text. `article.language_code` decides whether the model can judge it: kUnsupportedLanguage with no tags if
  // it names another language than SupportsLanguage() takes; empty and "und" are tried.
  // Only the first 5,000 words of the body are looked at.
  IssueResult Tag(const ArticleText& article) const;

  // The same for an article whose words are found already.
  IssueResult Tag(const ScannedArticle& scanned) const;

  // The scores of all issues, best first, whatever the language and the thresholds.
  std::vector<IssueScore> Score(const ArticleText& article) const;

  // Whether the model was trained on this text or most of it (text_sketch.h); absent if it doesn't know.
  std::optional<bool> InTraining(const ArticleText& article) const;

  // Whether the base language of the BCP 47 tag is one the model was trained on.
  bool SupportsLanguage(absl::string_view language_code) const;

  // Of the file, but for `issues`: those are the live ones of the taxonomy. If these are others than it was trained
  // for, there is no `quality` over all of them.
  const IssueModelReport& info() const;

 private:
  struct Model;
  explicit IssueTagger(std::unique_ptr<const Model> model);

  std::unique_ptr<const Model> model_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_TAGGER_H_
