// What the search service asks of a classifier, without saying how it is reached. The service's own implementation
// speaks gRPC; tests have one in memory.
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_LABELER_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_LABELER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "search_service/article.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// An article as a labeler sees it: normalised text.
struct LabelingInput {
  std::string id;
  std::string title;
  std::string body;
  std::string language_code;  // Empty: unknown.
  std::optional<absl::Time> publish_time;
};

// The tags of one article. Every label is kClassifier and kApplied, with versions and evidence filled in.
struct Labeling {
  std::vector<Label> labels;
  TagOutcome country_outcome = TagOutcome::kAbstained;
  TagOutcome issue_outcome = TagOutcome::kAbstained;
  std::string language_code;  // As detected; empty if unknown.
  // Of what the labels are taken from: other ones than those of the last FetchTaxonomy() say that it is out of date.
  // Empty: not told.
  std::string taxonomy_version;
  std::string gazetteer_version;
  // As ArticleLabeler::FetchVersion gives it; empty: not told.
  std::string version;
};

// What a labeler says is not trusted to be in form: labels with impossible ids are left out, scores and evidence kept
// within bounds, times filled in.
absl::StatusOr<Labeling> CheckedLabeling(absl::StatusOr<Labeling> labeling, absl::Time now);

LabelingInput LabelingInputOf(const Article& article);

// Thread-safe: several threads may call at once.
class ArticleLabeler {
 public:
  virtual ~ArticleLabeler() = default;

  // Tags a batch, which the caller keeps within kMaxLabelingBatch articles and kMaxLabelingBytes of text. Gives one
  // result per article, in order; an article's own error (InvalidArgument: it will never be tagged) spares the others.
  // The outer status says that the labeler as a whole could not answer: worth another try later.
  virtual absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> Label(const std::vector<LabelingInput>& articles,
                                                                      absl::Time deadline) = 0;

  // The taxonomy, or nullopt if it still is the one with this etag (empty: none is known).
  virtual absl::StatusOr<std::optional<TaxonomyData>> FetchTaxonomy(absl::string_view etag, absl::Time deadline) = 0;

  // Names all by which labels are given (model, taxonomy, gazetteer, settings): where it differs, other labels may
  // come. Empty: it doesn't say.
  virtual absl::StatusOr<std::string> FetchVersion(absl::Time deadline) = 0;

  // The caller is shutting down: calls that run, and those to come, end at once. A labeler that never makes anybody
  // wait has nothing to do.
  virtual void Cancel() {}
};

inline constexpr size_t kMaxLabelingBatch = 64;
inline constexpr size_t kMaxLabelingBytes = 4'000'000;

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_LABELER_H_
