#include "classifier_service/country_tagger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "classifier_service/country_analysis.h"
#include "classifier_service/country_habits.h"
#include "common/country_prior.h"

namespace dateline::classifier {
namespace {

// For the order of evidence only: a mention in the title, in the lead.
constexpr double kTitleFactor = 3.0;
constexpr double kLeadFactor = 1.5;
// Of a group's prior, what counts for each member.
constexpr double kMemberShareOfPrior = 0.5;
// Words are shown as evidence up to so many, if each adds at least so much to the log-odds.
constexpr size_t kMaxWordEvidence = 5;
constexpr double kMinWordEvidence = 0.1;

double Round(double value) { return std::round(value * 1e4) / 1e4; }

double Sigmoid(double log_odds) { return 1.0 / (1.0 + std::exp(-log_odds)); }

// Groups have no training data of their own: how often, and whether in the title or the lead, judged so that one
// passing mention is never enough and a title nearly is.
double GroupLogOdds(const CountryTally& tally, double all) {
  return -3.6 + 1.0 * std::log1p(tally.weight) + 2.5 * tally.weight / all + (tally.title > 0.0 ? 2.2 : 0.0) +
         (tally.lead > 0.0 ? 0.7 : 0.0);
}
// The score from which on a group is tagged, by CountryProfile.
constexpr std::array<double, kCountryProfileCount> kGroupThresholds = {0.7, 0.5, 0.25};

// A part of the world stands for a bloc that is named beside it and takes up most of it: after "the GCC", "the Gulf" is
// the GCC's. At most so many of its members are none of the bloc's. (A past state is no part of today's world.)
constexpr size_t kMaxOutsiders = 3;

bool StandsFor(const GazetteerGroup& region, const GazetteerGroup& bloc) {
  if (&region == &bloc || bloc.members.empty() || region.members.size() > bloc.members.size() + kMaxOutsiders ||
      std::any_of(region.members.begin(), region.members.end(), [](const GazetteerMember& m) { return m.successor; })) {
    return false;
  }
  return std::all_of(bloc.members.begin(), bloc.members.end(), [&](const GazetteerMember& member) {
    return std::any_of(region.members.begin(), region.members.end(),
                       [&](const GazetteerMember& other) { return other.region == member.region; });
  });
}

// What the article says of a group, with what is said of regions that stand for it; those are added to `lenders`.
CountryTally WithLent(int16_t index, const std::vector<int16_t>& groups, const CountryAnalysis& analysis,
                      const Gazetteer& gazetteer, std::vector<int16_t>& lenders) {
  CountryTally tally = analysis.groups.at(index);
  if (tally.strong <= 0.0) {
    return tally;
  }
  for (const int16_t other : groups) {
    const CountryTally& lent = analysis.groups.at(other);
    if (lent.weight > 0.0 &&
        StandsFor(gazetteer.groups()[static_cast<size_t>(other)], gazetteer.groups()[static_cast<size_t>(index)])) {
      tally.weight += lent.weight;
      tally.title += lent.title;
      tally.lead += lent.lead;
      lenders.push_back(other);
    }
  }
  return tally;
}

// The evidence for one tag: the heaviest mentions, earlier ones first among equals, and a few that were set aside.
class EvidenceList {
 public:
  void Add(const FoundMention& found, double factor) {
    const double place = found.field == Field::kTitle ? kTitleFactor : found.in_lead ? kLeadFactor : 1.0;
    items_.push_back({Round(found.weight * place * factor), items_.size(), &found});
  }

  std::vector<Evidence> Take(const ArticleText& article) {
    const size_t kept = std::min<size_t>(items_.size(), kMaxEvidencePerTag);
    std::partial_sort(
        items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(kept), items_.end(),
        [](const Item& a, const Item& b) { return a.weight != b.weight ? a.weight > b.weight : a.order < b.order; });
    std::vector<Evidence> result;
    result.reserve(kMaxEvidencePerTag);
    for (size_t i = 0; i < kept; ++i) {
      const FoundMention& found = *items_[i].found;
      const absl::string_view text = found.field == Field::kTitle ? article.title : article.body;
      Evidence evidence;
      evidence.span = TextSpan{found.field, static_cast<int32_t>(found.start), static_cast<int32_t>(found.end)};
      evidence.text = std::string(text.substr(found.start, found.end - found.start));
      evidence.kind = std::string(GazetteerKindName(found.entry.kind));
      evidence.weight = items_[i].weight;
      evidence.set_aside = found.set_aside;
      result.push_back(std::move(evidence));
    }
    return result;
  }

 private:
  struct Item {
    double weight;
    size_t order;
    const FoundMention* found;
  };
  std::vector<Item> items_;
};

void SortTags(std::vector<Tag>& tags) {
  std::sort(tags.begin(), tags.end(),
            [](const Tag& a, const Tag& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; });
}

// Tags in their order, then what is none, best first.
void SortScores(std::vector<TagScore>& scores) {
  std::sort(scores.begin(), scores.end(), [](const TagScore& a, const TagScore& b) {
    if (a.tagged != b.tagged) {
      return a.tagged;
    }
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
}

TagScore ScoreOf(TagScore::Dimension dimension, std::string id, double score, double threshold, bool tagged) {
  TagScore result;
  result.dimension = dimension;
  result.id = std::move(id);
  result.score = score;
  result.threshold = threshold;
  result.tagged = tagged;
  return result;
}

// Puts evidence in its place among the heavier and lighter; in a full list, the lightest makes room for it.
void Insert(Evidence evidence, std::vector<Evidence>& list) {
  if (list.size() >= static_cast<size_t>(kMaxEvidencePerTag)) {
    list.pop_back();
  }
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const Evidence& other) { return other.weight < evidence.weight; });
  list.insert(at, std::move(evidence));
}

// The words that speak most for one country.
std::vector<Evidence> WordEvidence(const CountryModel& model, int own, bool mentioned, const TextFeatures& features,
                                   const ArticleText& article) {
  static_assert(kCountryWordFeatureNames[0] == "words_absent");
  const auto index = static_cast<size_t>(own);
  const double scale = static_cast<double>(model.words[index].weight_step) *
                       (model.words[index].own_words + (mentioned ? 0.0 : model.weights[kCountryFeatureNames.size()]));
  struct Word {
    const TermValue* value = nullptr;
    double weight = 0.0;
  };
  // Which words speak for a country is as good as random: all are written down, those that don't are overwritten.
  std::vector<Word> words(features.values.size());
  size_t count = 0;
  for (const TermValue& value : features.values) {
    const double weight = model.word_weights[static_cast<size_t>(value.term) * model.words.size() + index];
    words[count].value = &value;
    words[count].weight = scale * weight * static_cast<double>(value.value);
    count += weight * scale > 0.0 ? 1 : 0;
  }
  words.resize(count);
  // A term of the lead follows its twin, which stands at the same place.
  count = 0;
  for (const Word& word : words) {
    if (count > 0 && words[count - 1].value->span == word.value->span) {
      words[count - 1].weight += word.weight;
    } else {
      words[count++] = word;
    }
  }
  words.resize(count);
  const size_t kept = std::min(words.size(), kMaxWordEvidence);
  std::partial_sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(kept), words.end(),
                    [](const Word& a, const Word& b) {  // `value` is in order of position.
                      return a.weight != b.weight ? a.weight > b.weight : a.value < b.value;
                    });
  std::vector<Evidence> evidence;
  evidence.reserve(kept);
  for (size_t i = 0; i < kept && words[i].weight >= kMinWordEvidence; ++i) {
    const TermValue& value = *words[i].value;
    const std::string& text = value.span.field == Field::kTitle ? article.title : article.body;
    Evidence word;
    word.span = value.span;
    word.text =
        text.substr(static_cast<size_t>(value.span.start), static_cast<size_t>(value.span.end - value.span.start));
    word.kind = value.phrase ? "PHRASE" : "WORD";
    word.weight = Round(words[i].weight);
    evidence.push_back(std::move(word));
  }
  return evidence;
}

// The log-odds that the caller's priors add to each region and group.
class Priors {
 public:
  Priors(const std::vector<CountryPrior>& priors, const Gazetteer& gazetteer, int year) {
    for (const CountryPrior& prior : priors) {
      const double log_odds = std::isfinite(prior.log_odds)
                                  ? std::clamp(prior.log_odds, -common::kMaxPriorLogOdds, common::kMaxPriorLogOdds)
                                  : 0.0;
      if (const GazetteerRegion* region = gazetteer.FindRegion(prior.id); region != nullptr) {
        regions_[IndexOf(region, gazetteer)] += log_odds;
      } else if (const GazetteerGroup* group = gazetteer.FindGroup(prior.id); group != nullptr) {
        groups_[static_cast<int16_t>(group - gazetteer.groups().data())] += log_odds;
        for (const GazetteerMember& member : group->members) {
          const bool then = year == 0 ? member.end_year == 0
                                      : year >= member.start_year && (member.end_year == 0 || year <= member.end_year);
          if (then) {
            regions_[member.region] += kMemberShareOfPrior * log_odds;
          }
        }
      }
    }
  }

  double OfRegion(int16_t region) const { return Find(regions_, region); }
  double OfGroup(int16_t group) const { return Find(groups_, group); }

 private:
  using Map = absl::flat_hash_map<int16_t, double>;

  static int16_t IndexOf(const GazetteerRegion* region, const Gazetteer& gazetteer) {
    return static_cast<int16_t>(region - gazetteer.regions().data());
  }
  static double Find(const Map& map, int16_t index) {
    const auto it = map.find(index);
    return it == map.end() ? 0.0 : std::clamp(it->second, -common::kMaxPriorLogOdds, common::kMaxPriorLogOdds);
  }

  Map regions_;
  Map groups_;
};

Evidence PriorEvidence(double log_odds) {
  Evidence evidence;
  evidence.text = "expected by the caller";
  evidence.kind = "PRIOR";
  evidence.weight = Round(log_odds);
  return evidence;
}

int YearOf(const ArticleText& article) {
  return article.publish_time ? static_cast<int>(absl::ToCivilYear(*article.publish_time, absl::UTCTimeZone()).year())
                              : 0;
}

// What an article says before anything is decided.
struct Scores {
  TextFeatures words;
  std::vector<double> margins;  // Of the word models.
  std::vector<CountryCandidate> candidates;
  std::vector<double> log_odds;  // Of the candidates.
};

Scores ScoreAll(const Gazetteer& gazetteer, const CountryModel& model, const std::vector<int>& own_words,
                const std::vector<int16_t>& regions_with_words, const CountryAnalysis& analysis,
                const ScannedArticle& scanned) {
  const ArticleText& article = scanned.article;
  Scores scores;
  if (!model.words.empty()) {
    scores.words = ExtractFeatures(model.vocabulary, scanned.title, scanned.body, CountryWordText(article.body).size());
    scores.margins = model.Margins(scores.words);
  }
  const absl::Span<const int16_t> always =
      !scores.margins.empty() ? absl::MakeConstSpan(regions_with_words) : absl::Span<const int16_t>();
  scores.candidates = model.habits ? CandidatesOf(analysis, gazetteer, article, WithDatelines(always, analysis))
                                   : CandidatesOf(analysis, gazetteer, article, always);
  scores.log_odds.reserve(scores.candidates.size());
  for (const CountryCandidate& candidate : scores.candidates) {
    const int own = own_words[static_cast<size_t>(candidate.region)];
    scores.log_odds.push_back(model.LogOdds(candidate, scores.margins, own));
  }
  return scores;
}

}  // namespace

CountryTagger::CountryTagger(const Gazetteer& gazetteer, const CountryModel& model)
    : gazetteer_(gazetteer), model_(model), own_words_(gazetteer.regions().size(), -1) {
  for (size_t i = 0; i < model.words.size(); ++i) {
    const GazetteerRegion* region = gazetteer.FindRegion(model.words[i].region_code);
    if (region != nullptr) {
      const auto index = static_cast<int16_t>(region - gazetteer.regions().data());
      own_words_[static_cast<size_t>(index)] = static_cast<int>(i);
      regions_with_words_.push_back(index);
    }
  }
  std::sort(regions_with_words_.begin(), regions_with_words_.end());
}

std::vector<CountryScore> CountryTagger::Score(const ArticleText& article) const {
  const ScannedArticle scanned(article);
  const CountryAnalysis analysis = AnalyseCountries(gazetteer_, scanned);
  const Scores scores = ScoreAll(gazetteer_, model_, own_words_, regions_with_words_, analysis, scanned);
  std::vector<CountryScore> result;
  for (size_t i = 0; i < scores.candidates.size(); ++i) {
    result.push_back({gazetteer_.regions()[static_cast<size_t>(scores.candidates[i].region)].region_code,
                      Round(Sigmoid(scores.log_odds[i]))});
  }
  return result;
}

CountryTags CountryTagger::Tag(const ArticleText& article, const Options& options) const {
  return Tag(ScannedArticle(article), options);
}

CountryTags CountryTagger::Tag(const ScannedArticle& scanned, const Options& options) const {
  const ArticleText& article = scanned.article;
  const CountryAnalysis analysis = AnalyseCountries(gazetteer_, scanned);
  Scores scores = ScoreAll(gazetteer_, model_, own_words_, regions_with_words_, analysis, scanned);
  const Priors priors(options.priors, gazetteer_, YearOf(article));
  const CountryThresholds& thresholds = model_.thresholds[static_cast<size_t>(options.profile)];
  CountryTags tags;

  // The tag of each region and group that gets one, and then in one pass the evidence for them.
  double best = 0.0;
  for (size_t i = 0; i < scores.candidates.size(); ++i) {
    scores.log_odds[i] += priors.OfRegion(scores.candidates[i].region);
    best = std::max(best, Round(Sigmoid(scores.log_odds[i])));
  }
  const double silence = model_.Silence(scores.candidates, scores.log_odds, scores.margins);
  tags.no_country = {silence, thresholds.silent};
  absl::flat_hash_map<int16_t, size_t> region_tag;
  std::vector<const CountryCandidate*> tagged;  // The candidates that became `tags.countries`.
  absl::flat_hash_map<int16_t, size_t> group_tag;
  double all = 0.0;
  for (size_t i = 0; i < scores.candidates.size(); ++i) {
    const CountryCandidate& candidate = scores.candidates[i];
    const double score = Round(Sigmoid(scores.log_odds[i]));
    const bool has_words = own_words_[static_cast<size_t>(candidate.region)] >= 0;
    const GazetteerRegion& region = gazetteer_.regions()[static_cast<size_t>(candidate.region)];
    const bool admitted = thresholds.Admits(candidate, score, score == best, has_words, silence);
    if (options.want_scores) {
      tags.scores.push_back(ScoreOf(TagScore::Dimension::kCountry, region.region_code, score,
                                    thresholds.LeastOf(candidate, score == best, has_words, silence), admitted));
    }
    if (!admitted) {
      continue;
    }
    region_tag[candidate.region] = tags.countries.size();
    tagged.push_back(&candidate);
    dateline::classifier::Tag tag;
    tag.id = region.region_code;
    tag.display_name = region.names.front().display_name;
    tag.score = score;
    tags.countries.push_back(std::move(tag));
  }
  std::vector<int16_t> regions;
  for (const auto& [region, tally] : analysis.regions) {
    regions.push_back(region);
  }
  std::sort(regions.begin(), regions.end());
  for (const int16_t region : regions) {
    all += analysis.regions.at(region).weight;
  }
  std::vector<int16_t> groups;
  groups.reserve(analysis.groups.size());
  for (const auto& [group, tally] : analysis.groups) {
    groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  for (const int16_t group : groups) {
    all += analysis.groups.at(group).weight;
  }
  std::vector<TagScore> group_scores;
  std::vector<std::pair<int16_t, size_t>> lent_to;  // Regions, and the tags of blocs that they stand for.
  for (const int16_t index : groups) {
    std::vector<int16_t> lenders;
    const CountryTally tally = WithLent(index, groups, analysis, gazetteer_, lenders);
    const double score = tally.weight > 0.0 ? Round(Sigmoid(GroupLogOdds(tally, all) + priors.OfGroup(index))) : 0.0;
    const double least = kGroupThresholds[static_cast<size_t>(options.profile)];
    const GazetteerGroup& group = gazetteer_.groups()[static_cast<size_t>(index)];
    if (options.want_scores) {
      group_scores.push_back(ScoreOf(TagScore::Dimension::kGroup, group.group_id, score, least, score >= least));
    }
    if (score >= least) {
      group_tag[index] = tags.groups.size();
      for (const int16_t lender : lenders) {
        lent_to.emplace_back(lender, tags.groups.size());
      }
      dateline::classifier::Tag tag;
      tag.id = group.group_id;
      tag.display_name = group.names.front().display_name;
      tag.score = score;
      tags.groups.push_back(std::move(tag));
    }
  }

  std::vector<EvidenceList> region_evidence(tags.countries.size());
  std::vector<EvidenceList> group_evidence(tags.groups.size());
  for (const FoundMention& found : analysis.found) {
    const absl::string_view text = found.field == Field::kTitle ? article.title : article.body;
    if (found.entry.region != GazetteerEntry::kNone) {
      if (const auto it = region_tag.find(found.entry.region); it != region_tag.end()) {
        region_evidence[it->second].Add(found, /*factor=*/1.0);
      }
    } else {
      if (const auto it = group_tag.find(found.entry.group); it != group_tag.end()) {
        group_evidence[it->second].Add(found, /*factor=*/1.0);
      }
      for (const auto& [lender, tag] : lent_to) {
        if (lender == found.entry.group) {
          group_evidence[tag].Add(found, /*factor=*/1.0);
        }
      }
      if (const auto it = region_tag.find(found.successor); it != region_tag.end()) {
        region_evidence[it->second].Add(found, kSuccessorFactor);
      }
    }
    if (options.want_mentions && tags.mentions.size() < kMaxMentions) {
      Mention mention;
      mention.span = TextSpan{found.field, static_cast<int32_t>(found.start), static_cast<int32_t>(found.end)};
      mention.text = std::string(text.substr(found.start, found.end - found.start));
      mention.kind = std::string(GazetteerKindName(found.entry.kind));
      mention.set_aside = found.set_aside;
      if (found.entry.region != GazetteerEntry::kNone) {
        mention.region_code = gazetteer_.regions()[static_cast<size_t>(found.entry.region)].region_code;
      } else {
        mention.group_id = gazetteer_.groups()[static_cast<size_t>(found.entry.group)].group_id;
        // A bloc, or a past state, is never silently a country: where it led to no tag, its mention says why no country
        // has it.
        if (mention.set_aside == SetAside::kNone && !group_tag.contains(found.entry.group) &&
            found.successor == GazetteerEntry::kNone) {
          mention.set_aside = found.past ? SetAside::kHistorical : SetAside::kBloc;
        }
      }
      tags.mentions.push_back(std::move(mention));
    }
  }
  for (const auto& [region, index] : region_tag) {
    std::vector<Evidence>& evidence = tags.countries[index].evidence;
    evidence = region_evidence[index].Take(article);
    const int own = own_words_[static_cast<size_t>(region)];
    if (own >= 0 && !scores.margins.empty()) {
      const auto tally = analysis.regions.find(region);
      const bool mentioned = tally != analysis.regions.end() && tally->second.weight > 0.0;
      for (Evidence& word : WordEvidence(model_, own, mentioned, scores.words, article)) {
        Insert(std::move(word), evidence);
      }
    }
    if (std::optional<Evidence> habit = HabitEvidence(model_, *tagged[index], scores.margins, own)) {
      Insert(*std::move(habit), evidence);
    }
    if (const double prior = priors.OfRegion(region); prior != 0.0) {
      Insert(PriorEvidence(prior), evidence);
    }
  }
  for (const auto& [group, index] : group_tag) {
    tags.groups[index].evidence = group_evidence[index].Take(article);
    if (const double prior = priors.OfGroup(group); prior != 0.0) {
      Insert(PriorEvidence(prior), tags.groups[index].evidence);
    }
  }
  SortTags(tags.countries);
  SortTags(tags.groups);
  SortScores(tags.scores);
  SortScores(group_scores);
  std::move(group_scores.begin(), group_scores.end(), std::back_inserter(tags.scores));
  if (!tags.countries.empty()) {
    tags.countries.front().primary = true;
    tags.outcome = Outcome::kTagged;
  }
  return tags;
}

}  // namespace dateline::classifier
