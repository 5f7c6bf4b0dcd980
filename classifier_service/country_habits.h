// A source's own habits: what its editors file articles under beyond what these name. A model that is trained for one
// source (`CountryModel::habits`) knows them from words, and from where reports were filed.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_HABITS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_HABITS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

#include "classifier_service/classification.h"
#include "classifier_service/country_analysis.h"
#include "classifier_service/country_model.h"

namespace dateline::classifier {

// `always` (sorted) and the regions that an article was filed from: some sources file it under these, too, though it
// says no more of them. Sorted.
std::vector<int16_t> WithDatelines(absl::Span<const int16_t> always, const CountryAnalysis& analysis);

// What a habit adds to a tag's log-odds, as evidence of the kind "HABIT" without a span. None if the model was not
// trained for one source, the country has no word model (`own` is -1), or it adds next to nothing either way.
std::optional<Evidence> HabitEvidence(const CountryModel& model, const CountryCandidate& candidate,
                                      const std::vector<double>& margins, int own);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_HABITS_H_
