// What an editor decides about the labels of one article, and how it becomes the article's: the labels of source
// kEditor and the dimensions that are the editor's alone. EffectiveLabels (article.h) says what follows from them.
#ifndef DATELINE_SEARCH_SERVICE_LABEL_CORRECTION_H_
#define DATELINE_SEARCH_SERVICE_LABEL_CORRECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "search_service/article.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Of labels the target counts and, in `add`, whether it is primary; all else is ignored.
struct LabelCorrection {
  std::string etag;           // Precondition; empty for none.
  std::vector<Label> add;     // The article has them, whatever others say.
  std::vector<Label> remove;  // It doesn't have them, whatever others say.
  std::vector<Label> clear;   // The editor has nothing to say of them any more.
  // Dimensions that become the editor's alone: of what an editor decided in them before nothing stays.
  std::vector<Dimension> replace;
  // Dimensions that are not the editor's alone any more; labels that an editor gave in them stay.
  std::vector<Dimension> restore;
};

// The same with retired ids followed to what replaced them. InvalidArgument names the field (`add[2].issue_id`): an
// unknown id, a target that is in two of the lists, a second primary label or one that is no country, a dimension both
// replaced and restored, more than kMaxLabels in a list, nothing at all to do. Unavailable, reason
// TAXONOMY_UNAVAILABLE, where ids can't be checked for want of a taxonomy.
absl::StatusOr<LabelCorrection> CheckCorrection(const LabelCorrection& correction, const Taxonomy& taxonomy);

// Applies a checked correction. False if the article is as it was: everything is decided so already.
bool ApplyCorrection(const LabelCorrection& correction, const Taxonomy& taxonomy, absl::Time now, Article& article);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_LABEL_CORRECTION_H_
