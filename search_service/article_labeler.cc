#include "search_service/article_labeler.h"

#include <algorithm>

namespace dateline::search {

absl::StatusOr<Labeling> CheckedLabeling(absl::StatusOr<Labeling> labeling, absl::Time now) {
  if (!labeling.ok()) return labeling;
  std::erase_if(labeling->labels,
                [](const Label& label) { return label.id.empty() || label.id.size() > kMaxAttributeNameBytes; });
  for (Label& label : labeling->labels) {
    label.source = LabelSource::kClassifier;
    label.verdict = LabelVerdict::kApplied;
    label.score = label.score >= 0.0 ? std::min(label.score, 1.0) : 0.0;
    if (!label.label_time) label.label_time = absl::FromUnixMicros(absl::ToUnixMicros(now));
    if (label.evidence.size() > kMaxEvidencePerLabel) label.evidence.resize(kMaxEvidencePerLabel);
  }
  return labeling;
}

LabelingInput LabelingInputOf(const Article& article) {
  return {article.id, article.title, article.body, article.language_detected ? std::string() : article.language_code,
          article.publish_time};
}

}  // namespace dateline::search
