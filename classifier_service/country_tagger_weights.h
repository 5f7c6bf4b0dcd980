#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
#include <array>
namespace dateline::classifier::ranker {
inline constexpr double kThreshold = 0.5;
inline constexpr double kConstant = -4.0;
inline constexpr std::array<double, 22> kWeights = {0.5, 1, 2, 1, 1};
}  // namespace dateline::classifier::ranker
#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
