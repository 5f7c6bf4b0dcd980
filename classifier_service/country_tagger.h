// Decides which countries and groups an article is about, which country is its focus, and says why.
//
// Every form the gazetteer finds is a mention. Mentions that say nothing of the subject (a person's name, a dateline
// where the text says of what country it is, a byline, a past state, a bloc) are set aside with the reason and stay in
// the answer (country_analysis.h). What is left gives each country a handful of features (how often, which share, in
// the title, in the lead, how spread, by which kinds of words); a model turns these, and the words of the title and
// lead, into the probability that an editor would file the article under the country (country_model.h). The article is
// given the countries whose probability reaches the thresholds of the profile asked for, and none where there is no
// such country.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "classifier_service/classification.h"
#include "classifier_service/country_model.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/word_scan.h"

namespace dateline::classifier {

// The countries and groups of one article.
struct CountryTags {
  std::vector<Tag> countries;  // Best first; the first is the primary one.
  std::vector<Tag> groups;     // Best first.
  Outcome outcome = Outcome::kAbstained;
  std::vector<Mention> mentions;  // In order of position, the title's first; only when asked for.
  // Only when asked for: of each country and group, countries first; those with a tag in its order, then others, best
  // first.
  std::vector<TagScore> scores;
  NoCountryScore no_country;
};

// The probability of one candidate country, whether or not it becomes a tag. For measuring.
struct CountryScore {
  std::string region_code;
  double score = 0.0;  // Rounded to 1e-4, as in tags.
};

// Immutable and safe to use from any number of threads.
class CountryTagger {
 public:
  struct Options {
    bool want_mentions = false;  // Fill `CountryTags::mentions`.
    bool want_scores = false;    // Fill `CountryTags::scores`.
    CountryProfile profile = CountryProfile::kDefault;
    // What the caller knows beforehand: an explicit term in the log-odds, which comes back as one Evidence of kind
    // "PRIOR", without a span, whose weight it is. A prior on a group counts for the group and, by half, for each of
    // its members at the time of the article. Each prior is clamped to +-common::kMaxPriorLogOdds, and so is the sum of
    // those that meet in one country or group. A country that nothing in the text speaks for (neither a mention nor a
    // word model) is no candidate, and no prior makes it one. Unknown ids have no effect.
    std::vector<CountryPrior> priors = {};
  };

  // At most this many mentions are returned, the first ones; all count for the tags.
  static constexpr size_t kMaxMentions = 2000;

  // `gazetteer` and `model` must outlive the tagger.
  CountryTagger(const Gazetteer& gazetteer, const CountryModel& model);

  // Tags one article. Never fails; takes time linear in the length of the text. The same article gives the same
  // answer on every machine.
  CountryTags Tag(const ArticleText& article, const Options& options) const;

  // The same for an article whose words are found already.
  CountryTags Tag(const ScannedArticle& scanned, const Options& options) const;

  // All candidates of an article with their probabilities, without priors, by region code.
  std::vector<CountryScore> Score(const ArticleText& article) const;

 private:
  const Gazetteer& gazetteer_;
  const CountryModel& model_;
  std::vector<int> own_words_;               // For each region the index of its word model, or -1.
  std::vector<int16_t> regions_with_words_;  // Sorted.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_H_
