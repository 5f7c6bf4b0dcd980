#include "classifier_service/country_habits.h"

#include <algorithm>
#include <cmath>

namespace dateline::classifier {
namespace {

// What adds less says nothing.
constexpr double kMinHabit = 0.1;

}  // namespace

std::vector<int16_t> WithDatelines(absl::Span<const int16_t> always, const CountryAnalysis& analysis) {
  std::vector<int16_t> regions(always.begin(), always.end());
  for (const auto& [region, tally] : analysis.regions) {
    if (tally.dateline) {
      regions.push_back(region);
    }
  }
  std::sort(regions.begin(), regions.end());
  regions.erase(std::unique(regions.begin(), regions.end()), regions.end());
  return regions;
}

std::optional<Evidence> HabitEvidence(const CountryModel& model, const CountryCandidate& candidate,
                                      const std::vector<double>& margins, int own) {
  if (!model.habits || own < 0) {
    return std::nullopt;
  }
  const double habit = model.HabitLogOdds(candidate, margins, own);
  if (std::abs(habit) < kMinHabit) {
    return std::nullopt;
  }
  Evidence evidence;
  evidence.text = "what the source files such articles under";
  evidence.kind = "HABIT";
  evidence.weight = std::round(habit * 1e4) / 1e4;
  return evidence;
}

}  // namespace dateline::classifier
