// Decides which countries and groups an article is about, which country is its focus, and says why.
//
// Every form the gazetteer finds is a mention. Mentions that say nothing of the subject (a person's name, a dateline,
// a byline, a past state, a bloc) are set aside with the reason and stay in the answer. What is left gives each
// country a handful of features (how often, which share, in the title, in the lead, how spread, by which kinds of
// words); a logistic model turns them into the probability that an editor would file the article under the country.
// The article is given every country at or above the threshold, and none where there is no such country.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "classifier_service/classification.h"
#include "classifier_service/gazetteer.h"

namespace dateline::classifier {

// The countries and groups of one article.
struct CountryTags {
  std::vector<Tag> countries;  // Best first; the first is the primary one.
  std::vector<Tag> groups;     // Best first.
  Outcome outcome = Outcome::kAbstained;
  std::vector<Mention> mentions;  // In order of position, the title's first; only when asked for.
};

// What the ranker sees of one candidate country. Made public for the program that fits the weights, so that training
// and serving share one computation.
struct CountryCandidate {
  std::string region_code;
  std::vector<double> features;  // In the order of CountryTagger::FeatureNames(), without the constant.
};

// Immutable and safe to use from any number of threads.
class CountryTagger {
 public:
  struct Options {
    bool want_mentions = false;  // Fill `CountryTags::mentions`.
    CountryProfile profile = CountryProfile::kDefault;
    // Of what the text names; a prior alone makes no tag. Each that counts for a tag stands in its evidence.
    std::vector<CountryPrior> priors = {};
  };

  // At most this many mentions are returned, the first ones; all count for the tags.
  static constexpr size_t kMaxMentions = 2000;

  // `gazetteer` must outlive the tagger.
  explicit CountryTagger(const Gazetteer& gazetteer);

  // Tags one article. Never fails; takes time linear in the length of the text. The same article gives the same
  // answer on every machine.
  CountryTags Tag(const ArticleText& article, const Options& options) const;

  // The candidates of an article and their features, by region code.
  std::vector<CountryCandidate> Candidates(const ArticleText& article) const;

  // The names of the features, for the program that fits the weights.
  static absl::Span<const absl::string_view> FeatureNames();

 private:
  const Gazetteer& gazetteer_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_
