// Reads one article for countries: every form the gazetteer finds becomes a mention, mentions that say nothing of the
// subject are set aside with the reason, and what is left gives each country the features that a model judges by
// (country_model.h). The trainer and the tagger share this file, so what a model learned is what it sees.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_ANALYSIS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_ANALYSIS_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "classifier_service/classification.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/word_scan.h"

namespace dateline::classifier {

// Raised with any change of what an article turns into that is not seen in the names of the features.
inline constexpr int kCountryFeaturesVersion = 4;

// A past state's affairs count for the state that archives file them under, a little less than its own name.
inline constexpr double kSuccessorFactor = 0.9;

// One mention, resolved to one target.
struct FoundMention {
  Field field = Field::kBody;
  size_t start = 0;  // Bytes, half open.
  size_t end = 0;
  GazetteerEntry entry;
  SetAside set_aside = SetAside::kNone;
  bool may_be_doubtful = false;               // Whether DoubtOf() has anything to say of it.
  double weight = 0.0;                        // By kind; 0 if set aside.
  int16_t successor = GazetteerEntry::kNone;  // Counts for this region too.
  bool past = false;                          // Of a state or bloc that was no more when the article was written.
  bool in_lead = false;
  bool in_dateline = false;
  int side_by_side = 1;  // Mentions of different countries in a list without words between, this one included.
};

// What is known of one region, or one group.
struct CountryTally {
  double weight = 0.0;
  double title = 0.0;
  double lead = 0.0;
  double opening = 0.0;
  double strong = 0.0;
  double people = 0.0;
  double places = 0.0;
  double paired = 0.0;
  double listed = 0.0;
  bool paired_title = false;
  int mentions = 0;
  size_t first = 0;  // Byte offset of the first mention in the body.
  bool in_body = false;
  bool dateline = false;
  std::bitset<10> tenths;
};

struct CountryAnalysis {
  std::vector<FoundMention> found;  // In order of position, the title's first.
  absl::flat_hash_map<int16_t, CountryTally> regions;
  absl::flat_hash_map<int16_t, CountryTally> groups;
};

// Takes time linear in the length of the text. Pure and thread-safe.
CountryAnalysis AnalyseCountries(const Gazetteer& gazetteer, const ScannedArticle& article);
CountryAnalysis AnalyseCountries(const Gazetteer& gazetteer, const ArticleText& article);

// What mentions say of one candidate.
inline constexpr std::array<absl::string_view, 35> kCountryFeatureNames = {
    "log_weight",       // Of its mentions, weighted by kind.
    "share",            // Of the weight of all countries.
    "relative",         // To the country with the greatest weight.
    "title",            // Named in the title.
    "title_share",      // Of the title's weight.
    "lead",             // Named in the lead.
    "lead_share",       // Of the lead's weight.
    "early",            // 1 at the beginning of the body, 0 at its end.
    "spread",           // Tenths of the body that name it.
    "strong",           // Share of its own weight that comes from names, demonyms and capitals.
    "density",          // Weight per hundred words.
    "candidates",       // How many countries there are.
    "united_states",    // Named everywhere, by everybody.
    "dateline",         // Where the report was filed.
    "margin",           // Its share less that of the best other.
    "others_in_title",  // Others are in the title, it is not.
    "groups",           // Share of blocs and regions in all mentions.
    "people",           // Share of its own weight that comes from persons.
    "relative_title",   // `relative` if it is in the title.
    "total",            // Weight of all countries.
    "once",             // Mentioned once only.
    "title_rivals",     // Not in the title, while so many heavier ones are; at most 3.
    "absent",           // Not mentioned: a candidate for the words alone.
    "absent_total",     // `total` if it is absent.
    "opening",          // Named in the first lines.
    "opening_share",    // Of the first lines' weight.
    "first",            // Named before any other country in the body.
    "places",           // Share of its own weight that comes from towns, divisions and other places.
    "title_silent",     // The title names no country.
    "behind",           // Logarithm of its weight over the greatest; 0 for the greatest.
    "behind_title",     // The same, if the title names others and not it.
    "length",           // Logarithm of the length of the text, in hundreds of words.
    "paired",           // Share of its own weight beside one other country: "US-China", "Iran and Iraq".
    "paired_title",     // It stands so in the title.
    "listed",           // Share of its own weight in lists of three countries and more.
};
inline constexpr size_t kUnitedStatesFeature = 12;
static_assert(kCountryFeatureNames[kUnitedStatesFeature] == "united_states");
inline constexpr size_t kTitleRivalsFeature = 21;
static_assert(kCountryFeatureNames[kTitleRivalsFeature] == "title_rivals");

struct CountryCandidate {
  int16_t region = 0;  // Index into Gazetteer::regions().
  bool mentioned = true;
  std::array<double, kCountryFeatureNames.size()> features{};  // In the order of kCountryFeatureNames.
};

// The candidates: the regions with a mention that counts, and those of `always` (sorted). By region, so that sums are
// formed in one order everywhere.
std::vector<CountryCandidate> CandidatesOf(const CountryAnalysis& analysis, const Gazetteer& gazetteer,
                                           const ArticleText& article, absl::Span<const int16_t> always);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_ANALYSIS_H_
