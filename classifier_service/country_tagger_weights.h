// Written by scripts/fit_country_ranker.py --write: do not edit.
//
// Fitted on the 2760 articles of classifier_service/data/labels.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_

#include <array>

namespace dateline::classifier::ranker {

inline constexpr double kThreshold = 0.5;
inline constexpr double kCrowdedThreshold = 0.7;
inline constexpr double kConstant = -2.6182;
inline constexpr std::array<double, 22> kWeights = {
    1.6844,   // log_weight
    0.2055,   // share
    -0.6665,  // relative
    2.0525,   // title
    -0.7024,  // title_share
    0.7582,   // lead
    1.0836,   // lead_share
    1.4898,   // early
    1.0483,   // spread
    -0.0712,  // strong
    1.7794,   // density
    0.1547,   // candidates
    0.5173,   // united_states
    1.1538,   // dateline
    0.6788,   // margin
    -0.4551,  // others_in_title
    -1.0410,  // groups
    0.2783,   // people
    -0.6583,  // relative_title
    -1.4111,  // total
    -0.2420,  // once
    -0.2752,  // title_rivals
};

}  // namespace dateline::classifier::ranker

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
