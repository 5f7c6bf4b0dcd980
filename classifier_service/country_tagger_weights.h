// Written by scripts/fit_country_ranker.py --write: do not edit.
//
// Fitted on 274 articles of the `gold` set (two thirds, by hash of the id). The threshold is half of the
// best F1 on them, each article judged by a model that had not seen it.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_

#include <array>

namespace dateline::classifier::ranker {

inline constexpr double kThreshold = 0.46;
inline constexpr double kConstant = -3.8568;
inline constexpr std::array<double, 22> kWeights = {
    0.6179,   // log_weight
    0.3346,   // share
    0.0940,   // relative
    1.9612,   // title
    0.1868,   // title_share
    0.5574,   // lead
    0.9954,   // lead_share
    1.4774,   // early
    1.0309,   // spread
    0.7001,   // strong
    2.4120,   // density
    -0.4197,  // candidates
    0.2919,   // united_states
    0.8442,   // dateline
    0.3357,   // margin
    -0.0461,  // others_in_title
    -0.6539,  // groups
    0.3963,   // people
    0.4737,   // relative_title
    -0.5125,  // total
    -0.0867,  // once
    -1.2028,  // title_rivals
};

}  // namespace dateline::classifier::ranker

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
