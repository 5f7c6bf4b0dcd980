#include "classifier_service/country_tagger.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "classifier_service/country_tagger_weights.h"

namespace dateline::classifier {
namespace {

constexpr std::array<absl::string_view, 22> kFeatureNames = {
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
};
static_assert(kFeatureNames.size() == ranker::kWeights.size());

// How much a mention says of the subject, by GazetteerKind. By judgement: a name says most; a company or a minister may
// stand for the country or be in the news for itself. The ranker's weights are fitted on top of these.
constexpr std::array<double, kGazetteerKindCount> kKindWeights = {1.0, 0.9, 0.8, 0.8, 0.6, 0.6,
                                                                  0.5, 0.7, 0.3, 0.6, 0.3};
constexpr double kWeakFactor = 0.3;
// A past state's affairs count for the state that archives file them under, a little less than its own name.
constexpr double kSuccessorFactor = 0.9;
// For the order of evidence only.
constexpr double kTitleFactor = 3.0;
constexpr double kLeadFactor = 1.5;
// The lead: where journalists say what it is about.
constexpr size_t kLeadBytes = 600;
// Years after leaving office in which a name still stands for the country.
constexpr int kLeaderGraceYears = 3;
// A dateline ("CAIRO, March 3 (Reuters) -") is no longer than this.
constexpr size_t kDatelineBytes = 90;

// One mention, resolved to one target.
struct Found {
  Field field = Field::kBody;
  size_t start = 0;
  size_t end = 0;
  GazetteerEntry entry;
  SetAside set_aside = SetAside::kNone;
  double weight = 0.0;                        // By kind; 0 if set aside.
  int16_t successor = GazetteerEntry::kNone;  // Counts for this region too.
  bool in_lead = false;
};

// What is known of one region, or one group.
struct Tally {
  double weight = 0.0;
  double title = 0.0;
  double lead = 0.0;
  double strong = 0.0;
  double people = 0.0;
  int mentions = 0;
  size_t first = 0;  // Byte offset of the first mention in the body.
  bool in_body = false;
  bool dateline = false;
  std::bitset<10> tenths;
};

struct Analysis {
  std::vector<Found> found;  // In order of position, the title's first.
  absl::flat_hash_map<int16_t, Tally> regions;
  absl::flat_hash_map<int16_t, Tally> groups;
};

bool IsStrong(GazetteerKind kind) {
  return kind == GazetteerKind::kName || kind == GazetteerKind::kDemonym || kind == GazetteerKind::kCapital ||
         kind == GazetteerKind::kMetonym;
}

bool IsPerson(GazetteerKind kind) { return kind == GazetteerKind::kLeader || kind == GazetteerKind::kPerson; }

// Names of places that are people's names as well. ("Michael Jordan"; but nobody is called "Michael Kremlin".)
bool CanBeSurname(GazetteerKind kind) {
  return kind == GazetteerKind::kName || kind == GazetteerKind::kDemonym || kind == GazetteerKind::kCapital ||
         kind == GazetteerKind::kCity || kind == GazetteerKind::kSubdivision;
}

double Round(double value) { return std::round(value * 1e4) / 1e4; }

// The end of the dateline at the beginning of `body`; 0 if there is none.
size_t DatelineEnd(absl::string_view body) {
  const absl::string_view head = body.substr(0, kDatelineBytes);
  const size_t line_end = std::min(head.find('\n'), head.size());
  size_t end = absl::string_view::npos;
  bool agency = false;
  for (const absl::string_view sign :
       {"(Reuters)", "(AP)", "(AFP)", "(UPI)", "(CNN)", "(Xinhua)", "(Thomson Reuters"}) {
    if (const size_t at = head.find(sign); at != absl::string_view::npos) {
      end = std::min(end, at);
      agency = true;
    }
  }
  for (const absl::string_view sign : {" - ", " -- ", "--", " \u2014 ", "\u2014", " \u2013 "}) {
    end = std::min(end, head.find(sign));
  }
  if (end == absl::string_view::npos || end == 0 || end > line_end) {
    return 0;
  }
  const absl::string_view place = head.substr(0, end);
  const absl::string_view word = place.substr(0, place.find_first_of(" ,/"));
  const bool upper = word.size() >= 3 && std::none_of(word.begin(), word.end(), [](char c) {
                       return absl::ascii_islower(static_cast<unsigned char>(c));
                     });
  return upper || agency ? end : 0;
}

// Ranges of the body that say who wrote it and where.
std::vector<std::pair<size_t, size_t>> Bylines(absl::string_view body) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (size_t start = 0; start < body.size();) {
    const size_t end = std::min(body.find('\n', start), body.size());
    const absl::string_view line = body.substr(start, end - start);
    for (const absl::string_view sign :
         {"(Reporting by", "Reporting by", "(Additional reporting", "Additional reporting", "(Writing by", "Writing by",
          "(Editing by", "Editing by"}) {
      if (absl::StartsWith(line, sign)) {
        ranges.emplace_back(start, end);
        break;
      }
    }
    if (absl::StartsWith(line, "By ") && line.size() < 100 && !absl::StrContains(line, ". ")) {
      ranges.emplace_back(start, end);
    }
    start = end + 1;
  }
  return ranges;
}

// "Iranian-American relations" is about two countries, "an Iranian-American scholar" about one.
bool IsRelation(absl::string_view rest) {
  for (const absl::string_view word :
       {"relation",      "talk",        "tie",         "deal",       "war",    "allianc", "trade",   "agreement",
        "summit",        "cooperation", "conflict",    "negotiat",   "treaty", "pact",    "tension", "rivalry",
        "border",        "dialogue",    "partnership", "friendship", "accord", "détente", "diploma", "confrontation",
        "rapprochement", "military",    "strategic",   "axis",       "dispute"}) {
    if (absl::StartsWith(rest, word)) {
      return true;
    }
  }
  return false;
}

// How much of the text behind a form IsWork looks at.
constexpr size_t kWorkBytes = 24;

// "Brazil, the film by Terry Gilliam": named after the country, not about it.
bool IsWork(absl::string_view after) {
  if (!absl::ConsumePrefix(&after, ", the ")) {
    return false;
  }
  for (const absl::string_view work :
       {"film", "movie", "band", "novel", "album", "song", "musical", "magazine", "racehorse", "rapper", "singer"}) {
    if (absl::StartsWith(after, work)) {
      return true;
    }
  }
  return false;
}

// Reads one article; made anew for each.
class Analyst {
 public:
  Analyst(const Gazetteer& gazetteer, const ArticleText& article) : gazetteer_(gazetteer), article_(article) {
    if (article.publish_time) {
      year_ = static_cast<int>(absl::ToCivilYear(*article.publish_time, absl::UTCTimeZone()).year());
    }
  }

  Analysis Run() {
    title_ = gazetteer_.Match(article_.title);
    body_ = gazetteer_.Match(article_.body);
    MeasureSupport();
    Resolve(Field::kTitle, article_.title, title_);
    const size_t title_count = analysis_.found.size();
    Resolve(Field::kBody, article_.body, body_);
    SetAsideHyphenated(0, title_count, article_.title);
    SetAsideHyphenated(title_count, analysis_.found.size(), article_.body);
    SetAsideDatelines(title_count);
    Count();
    return std::move(analysis_);
  }

 private:
  // What unambiguous mentions say for each region and group: by this, ambiguous ones are decided.
  void MeasureSupport() {
    for (const auto* matches : {&title_, &body_}) {
      for (const GazetteerMatch& match : *matches) {
        if (match.entries.size() != 1) {
          continue;
        }
        const GazetteerEntry& entry = match.entries.front();
        const double weight = WeightOf(entry);
        if (entry.region != GazetteerEntry::kNone) {
          support_[entry.region] += weight;
          if (entry.kind == GazetteerKind::kCity || entry.kind == GazetteerKind::kSubdivision) {
            local_support_[entry.region] += weight;
          }
        } else if (entry.group != GazetteerEntry::kNone) {
          group_support_[entry.group] += weight;
        }
      }
    }
  }

  double SupportFor(const GazetteerEntry& entry) const {
    const auto look = [](const auto& map, int16_t index) {
      const auto it = map.find(index);
      return it == map.end() ? 0.0 : it->second;
    };
    if (entry.group != GazetteerEntry::kNone) {
      return look(group_support_, entry.group);
    }
    if (entry.region == GazetteerEntry::kNone) {
      return 0.0;
    }
    if (entry.kind == GazetteerKind::kSubdivision || entry.kind == GazetteerKind::kCity) {
      // A state or town is meant among others of its country; that the country is named says little ("Georgia" in an
      // article on Washington's view of the Caucasus).
      return look(local_support_, entry.region) + 0.15 * look(support_, entry.region);
    }
    double support = 2.0 * look(support_, entry.region);
    // Neighbours speak for a country: members of the smaller groups that it is in.
    for (const GazetteerGroup& group : gazetteer_.groups()) {
      if (group.members.size() > kNeighbourhood) {
        continue;
      }
      const std::string& code = gazetteer_.regions()[static_cast<size_t>(entry.region)].region_code;
      const bool member = std::any_of(group.members.begin(), group.members.end(),
                                      [&](const GazetteerMember& m) { return m.region_code == code; });
      if (!member) {
        continue;
      }
      const auto index = static_cast<int16_t>(&group - gazetteer_.groups().data());
      support += look(group_support_, index);
      for (const GazetteerMember& m : group.members) {
        const GazetteerRegion* region = m.region_code == code ? nullptr : gazetteer_.FindRegion(m.region_code);
        if (region != nullptr) {
          support += 0.3 * look(support_, static_cast<int16_t>(region - gazetteer_.regions().data()));
        }
      }
    }
    return support;
  }

  static double WeightOf(const GazetteerEntry& entry) {
    return kKindWeights[static_cast<size_t>(entry.kind)] * (entry.has(GazetteerEntry::kWeak) ? kWeakFactor : 1.0);
  }

  const GazetteerEntry& Choose(absl::Span<const GazetteerEntry> entries) {
    if (entries.size() == 1) {
      return entries.front();
    }
    // The same form asks the same question each time: one answer for the article.
    const auto [it, fresh] = choices_.try_emplace(entries.data(), 0);
    if (fresh) {
      double best = SupportFor(entries.front());
      for (size_t i = 1; i < entries.size(); ++i) {
        if (const double support = SupportFor(entries[i]); support > best) {
          best = support;
          it->second = i;
        }
      }
    }
    return entries[std::min(it->second, entries.size() - 1)];
  }

  // `words` are the match, `after` is the text behind it.
  SetAside Judge(const GazetteerMatch& match, const GazetteerEntry& entry, absl::string_view words,
                 absl::string_view after) const {
    if (entry.has(GazetteerEntry::kPersonName) ||
        (match.given_name_before && CanBeSurname(entry.kind) && !absl::StrContains(words, ' ')) ||
        (match.surname_after && CanBeSurname(entry.kind) && entry.kind != GazetteerKind::kDemonym)) {
      return SetAside::kPersonName;
    }
    if (entry.has(GazetteerEntry::kAside) || IsWork(after)) {
      return SetAside::kPeripheral;
    }
    if (year_ != 0 && IsPerson(entry.kind) && entry.to_year != 0 && year_ > entry.to_year + kLeaderGraceYears) {
      return SetAside::kHistorical;
    }
    return SetAside::kNone;
  }

  // The region under which archives file a past state, if the article is of its time.
  int16_t SuccessorOf(const GazetteerEntry& entry) const {
    if (entry.group == GazetteerEntry::kNone || year_ == 0) {
      return GazetteerEntry::kNone;
    }
    for (const GazetteerMember& member : gazetteer_.groups()[static_cast<size_t>(entry.group)].members) {
      if (member.successor && year_ >= member.start_year && year_ <= member.end_year) {
        const GazetteerRegion* region = gazetteer_.FindRegion(member.region_code);
        return static_cast<int16_t>(region - gazetteer_.regions().data());
      }
    }
    return GazetteerEntry::kNone;
  }

  // "London, Ontario": the town's namesake in the division's country. The entry that the division stands for; null if
  // `town` and `next` are no such pair.
  const GazetteerEntry* DivisionOf(const GazetteerEntry& town, const GazetteerMatch& match, const GazetteerMatch& next,
                                   absl::string_view text) const {
    const bool is_town = town.kind == GazetteerKind::kCity || town.kind == GazetteerKind::kCapital;
    if (!is_town || next.start != match.end + 2 || text.substr(match.end, 2) != ", ") {
      return nullptr;
    }
    const GazetteerEntry* division = nullptr;
    for (const GazetteerEntry& entry : next.entries) {
      if (entry.region == town.region) {
        return nullptr;  // "Athens, Greece", "Tbilisi, Georgia".
      }
      if (division == nullptr && entry.kind == GazetteerKind::kSubdivision && !entry.has(GazetteerEntry::kWeak)) {
        division = &entry;
      }
    }
    return division;
  }

  void Resolve(Field field, absl::string_view text, const std::vector<GazetteerMatch>& matches) {
    const GazetteerEntry* next_entry = nullptr;  // What the match before made of this one.
    for (size_t i = 0; i < matches.size(); ++i) {
      const GazetteerMatch& match = matches[i];
      GazetteerEntry entry = next_entry != nullptr ? *next_entry : Choose(match.entries);
      next_entry = nullptr;
      if (i + 1 < matches.size()) {
        next_entry = DivisionOf(entry, match, matches[i + 1], text);
        if (next_entry != nullptr) {
          entry.region = next_entry->region;
          entry.kind = GazetteerKind::kCity;
        }
      }
      if (entry.region == GazetteerEntry::kNone && entry.group == GazetteerEntry::kNone) {
        continue;
      }
      Found found;
      found.field = field;
      found.start = match.start;
      found.end = match.end;
      found.entry = entry;
      found.set_aside =
          Judge(match, entry, text.substr(match.start, match.end - match.start), text.substr(match.end, kWorkBytes));
      found.weight = found.set_aside == SetAside::kNone ? WeightOf(entry) : 0.0;
      found.successor = SuccessorOf(entry);
      found.in_lead = field == Field::kBody && match.start < kLeadBytes;
      analysis_.found.push_back(found);
    }
  }

  void SetAsideHyphenated(size_t begin, size_t end, absl::string_view text) {
    for (size_t i = begin; i + 1 < end; ++i) {
      Found& first = analysis_.found[i];
      Found& second = analysis_.found[i + 1];
      if (first.entry.kind != GazetteerKind::kDemonym || second.entry.kind != GazetteerKind::kDemonym ||
          first.entry.has(GazetteerEntry::kHyphen) || second.start != first.end + 1 || text[first.end] != '-' ||
          !absl::StartsWith(text.substr(second.start), "American")) {
        continue;
      }
      if (!IsRelation(absl::StripLeadingAsciiWhitespace(text.substr(second.end, 40)))) {
        first.set_aside = SetAside::kPeripheral;
        first.weight = 0.0;
        second.set_aside = SetAside::kPeripheral;  // Says who somebody is.
        second.weight = 0.0;
      }
    }
  }

  void SetAsideDatelines(size_t begin) {
    const size_t dateline = DatelineEnd(article_.body);
    const auto bylines = Bylines(article_.body);
    size_t byline = 0;
    for (size_t i = begin; i < analysis_.found.size(); ++i) {
      Found& found = analysis_.found[i];
      while (byline < bylines.size() && bylines[byline].second <= found.start) {
        ++byline;
      }
      if (found.set_aside != SetAside::kNone) {
        continue;
      }
      if (found.end <= dateline) {
        found.set_aside = SetAside::kDateline;
      } else if (byline < bylines.size() && found.start >= bylines[byline].first) {
        found.set_aside = SetAside::kByline;
      } else {
        continue;
      }
      found.weight = 0.0;
    }
  }

  void Count() {
    const size_t size = std::max<size_t>(article_.body.size(), 1);
    const auto count = [&](const Found& found, double weight, Tally& tally) {
      if (found.set_aside == SetAside::kDateline) {
        tally.dateline = true;
      }
      if (weight <= 0.0) {
        return;
      }
      tally.weight += weight;
      ++tally.mentions;
      if (found.field == Field::kTitle) {
        tally.title += weight;
      } else {
        if (!tally.in_body) {
          tally.first = found.start;
          tally.in_body = true;
        }
        tally.lead += found.in_lead ? weight : 0.0;
        tally.tenths.set(std::min<size_t>(found.start * 10 / size, 9));
      }
      tally.strong += IsStrong(found.entry.kind) ? weight : 0.0;
      tally.people += IsPerson(found.entry.kind) ? weight : 0.0;
    };
    for (const Found& found : analysis_.found) {
      if (found.entry.region != GazetteerEntry::kNone) {
        count(found, found.weight, analysis_.regions[found.entry.region]);
      } else {
        count(found, found.weight, analysis_.groups[found.entry.group]);
        if (found.successor != GazetteerEntry::kNone) {
          count(found, found.weight * kSuccessorFactor, analysis_.regions[found.successor]);
        }
      }
    }
  }

  // Groups of more members are no neighbourhood.
  static constexpr size_t kNeighbourhood = 16;

  const Gazetteer& gazetteer_;
  const ArticleText& article_;
  int year_ = 0;  // Of publication; 0: unknown.
  std::vector<GazetteerMatch> title_;
  std::vector<GazetteerMatch> body_;
  absl::flat_hash_map<int16_t, double> support_;
  absl::flat_hash_map<int16_t, double> local_support_;  // Of towns and divisions alone.
  absl::flat_hash_map<int16_t, double> group_support_;
  absl::flat_hash_map<const GazetteerEntry*, size_t> choices_;
  Analysis analysis_;
};

struct Candidate {
  int16_t region = 0;
  std::array<double, kFeatureNames.size()> features{};
};

// The candidates by region code, so that sums are formed in one order everywhere.
std::vector<Candidate> CandidatesOf(const Analysis& analysis, const ArticleText& article) {
  std::vector<std::pair<int16_t, const Tally*>> counted;
  double total = 0.0;
  double title_total = 0.0;
  double lead_total = 0.0;
  double best = 0.0;
  double second = 0.0;
  for (const auto& [region, tally] : analysis.regions) {
    if (tally.weight > 0.0) {
      counted.emplace_back(region, &tally);
    }
  }
  std::sort(counted.begin(), counted.end());
  for (const auto& [region, tally] : counted) {
    total += tally->weight;
    title_total += tally->title;
    lead_total += tally->lead;
    if (tally->weight > best) {
      second = std::exchange(best, tally->weight);
    } else {
      second = std::max(second, tally->weight);
    }
  }
  std::vector<std::pair<int16_t, double>> groups;
  groups.reserve(analysis.groups.size());
  for (const auto& [group, tally] : analysis.groups) {
    groups.emplace_back(group, tally.weight);
  }
  std::sort(groups.begin(), groups.end());
  double group_total = 0.0;
  for (const auto& [group, weight] : groups) {
    group_total += weight;
  }
  const double words = static_cast<double>(article.title.size() + article.body.size()) / 6.0 + 1.0;
  std::vector<Candidate> candidates;
  std::vector<std::pair<double, double>> heavier;  // Weight, and weight in the title.
  heavier.reserve(counted.size());
  for (const auto& [region, tally] : counted) {
    heavier.emplace_back(tally->weight, tally->title);
  }
  std::sort(heavier.begin(), heavier.end(), std::greater<>());
  for (const auto& [region, tally] : counted) {
    int rivals = 0;
    for (size_t i = 0; i < heavier.size() && heavier[i].first > tally->weight; ++i) {
      rivals += heavier[i].second > 0.0 ? 1 : 0;
    }
    const double weight = tally->weight;
    const double relative = weight / best;
    const bool in_title = tally->title > 0.0;
    Candidate candidate;
    candidate.region = region;
    candidate.features = {
        std::log1p(weight),
        weight / total,
        relative,
        in_title ? 1.0 : 0.0,
        title_total > 0.0 ? tally->title / title_total : 0.0,
        tally->lead > 0.0 ? 1.0 : 0.0,
        lead_total > 0.0 ? tally->lead / lead_total : 0.0,
        tally->in_body ? 1.0 - static_cast<double>(tally->first) / static_cast<double>(article.body.size()) : 0.5,
        static_cast<double>(tally->tenths.count()) / 10.0,
        tally->strong / weight,
        std::log1p(100.0 * weight / words),
        std::log(static_cast<double>(counted.size())),
        0.0,
        tally->dateline ? 1.0 : 0.0,
        (weight - (weight >= best ? second : best)) / total,
        title_total > 0.0 && !in_title ? 1.0 : 0.0,
        group_total / (group_total + total),
        tally->people / weight,
        in_title ? relative : 0.0,
        std::log1p(total),
        tally->mentions == 1 ? 1.0 : 0.0,
        in_title ? 0.0 : std::min(rivals, 3),
    };
    candidates.push_back(candidate);
  }
  return candidates;
}

constexpr size_t kUnitedStatesFeature = 12;
static_assert(kFeatureNames[kUnitedStatesFeature] == "united_states");
constexpr size_t kTitleRivalsFeature = 21;
static_assert(kFeatureNames[kTitleRivalsFeature] == "title_rivals");

// The score from which on a tag is given, by CountryProfile.
constexpr std::array<double, 3> kProfileThresholds = {0.7, ranker::kThreshold, 0.25};

double ThresholdOf(CountryProfile profile) { return kProfileThresholds[static_cast<size_t>(profile)]; }

// Where the title names two countries that the text names more often, a third needs more.
double ThresholdFor(const Candidate& candidate, CountryProfile profile) {
  const bool crowded = profile == CountryProfile::kDefault && candidate.features[kTitleRivalsFeature] >= 2.0;
  return crowded ? ranker::kCrowdedThreshold : ThresholdOf(profile);
}

constexpr double kMaxPriorLogOdds = 2.0;

// What the priors come to, by the ids of regions and groups; a group's count half for who was a member in `year`, or is
// one where no year is known (0).
absl::flat_hash_map<std::string, double> PriorsById(const Gazetteer& gazetteer, const std::vector<CountryPrior>& priors,
                                                    int year) {
  absl::flat_hash_map<std::string, double> by_id;
  for (const CountryPrior& prior : priors) {
    by_id[prior.id] += prior.log_odds;
    const GazetteerGroup* group = gazetteer.FindGroup(prior.id);
    if (group == nullptr) {
      continue;
    }
    for (const GazetteerMember& member : group->members) {
      const bool then = year == 0 ? member.end_year == 0
                                  : year >= member.start_year && (member.end_year == 0 || year <= member.end_year);
      if (then) {
        by_id[member.region_code] += prior.log_odds / 2.0;
      }
    }
  }
  for (auto& [id, log_odds] : by_id) {
    log_odds = std::clamp(log_odds, -kMaxPriorLogOdds, kMaxPriorLogOdds);
  }
  return by_id;
}

// A prior always stays among the reasons, however many mentions there are.
void AddPrior(double log_odds, std::vector<Evidence>& evidence) {
  evidence.resize(std::min<size_t>(evidence.size(), kMaxEvidencePerTag - 1));
  Evidence prior;
  prior.text = "expected by the caller";
  prior.kind = "PRIOR";
  prior.weight = Round(log_odds);
  const auto place = std::find_if(evidence.begin(), evidence.end(),
                                  [&](const Evidence& other) { return other.weight < prior.weight; });
  evidence.insert(place, std::move(prior));
}

double Probability(const Candidate& candidate, double prior) {
  double sum = ranker::kConstant + prior;
  for (size_t i = 0; i < candidate.features.size(); ++i) {
    sum += ranker::kWeights[i] * candidate.features[i];
  }
  return 1.0 / (1.0 + std::exp(-sum));
}

// Groups have no training data of their own: how often, and whether in the title or the lead, judged so that one
// passing mention is never enough and a title nearly is.
double GroupProbability(const Tally& tally, double all, double prior) {
  const double sum = prior - 3.6 + 1.0 * std::log1p(tally.weight) + 2.5 * tally.weight / all +
                     (tally.title > 0.0 ? 2.2 : 0.0) + (tally.lead > 0.0 ? 0.7 : 0.0);
  return 1.0 / (1.0 + std::exp(-sum));
}

// The evidence for one tag: the heaviest mentions, earlier ones first among equals, and a few that were set aside.
class EvidenceList {
 public:
  void Add(const Found& found, double factor) {
    const double place = found.field == Field::kTitle ? kTitleFactor : found.in_lead ? kLeadFactor : 1.0;
    items_.push_back({Round(found.weight * place * factor), items_.size(), &found});
  }

  std::vector<Evidence> Take(const ArticleText& article) {
    const size_t kept = std::min<size_t>(items_.size(), kMaxEvidencePerTag);
    std::partial_sort(
        items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(kept), items_.end(),
        [](const Item& a, const Item& b) { return a.weight != b.weight ? a.weight > b.weight : a.order < b.order; });
    std::vector<Evidence> result;
    for (size_t i = 0; i < kept; ++i) {
      const Found& found = *items_[i].found;
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
    const Found* found;
  };
  std::vector<Item> items_;
};

void SortTags(std::vector<Tag>& tags) {
  std::sort(tags.begin(), tags.end(),
            [](const Tag& a, const Tag& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; });
}

}  // namespace

CountryTagger::CountryTagger(const Gazetteer& gazetteer) : gazetteer_(gazetteer) {}

absl::Span<const absl::string_view> CountryTagger::FeatureNames() { return kFeatureNames; }

std::vector<CountryCandidate> CountryTagger::Candidates(const ArticleText& article) const {
  const Analysis analysis = Analyst(gazetteer_, article).Run();
  std::vector<CountryCandidate> result;
  for (Candidate& candidate : CandidatesOf(analysis, article)) {
    const std::string& code = gazetteer_.regions()[static_cast<size_t>(candidate.region)].region_code;
    candidate.features[kUnitedStatesFeature] = code == "US" ? 1.0 : 0.0;
    result.push_back({code, {candidate.features.begin(), candidate.features.end()}});
  }
  return result;
}

CountryTags CountryTagger::Tag(const ArticleText& article, const Options& options) const {
  const Analysis analysis = Analyst(gazetteer_, article).Run();
  CountryTags tags;
  const int year = article.publish_time.has_value()
                       ? static_cast<int>(absl::ToCivilYear(*article.publish_time, absl::UTCTimeZone()).year())
                       : 0;
  const absl::flat_hash_map<std::string, double> priors = PriorsById(gazetteer_, options.priors, year);
  const auto prior_of = [&priors](const std::string& id) {
    const auto it = priors.find(id);
    return it == priors.end() ? 0.0 : it->second;
  };

  // The tag of each region and group that gets one, and then in one pass the evidence for them.
  absl::flat_hash_map<int16_t, size_t> region_tag;
  absl::flat_hash_map<int16_t, size_t> group_tag;
  double all = 0.0;
  for (Candidate& candidate : CandidatesOf(analysis, article)) {
    const GazetteerRegion& region = gazetteer_.regions()[static_cast<size_t>(candidate.region)];
    candidate.features[kUnitedStatesFeature] = region.region_code == "US" ? 1.0 : 0.0;
    all += analysis.regions.at(candidate.region).weight;
    const double score = Round(Probability(candidate, prior_of(region.region_code)));
    if (score >= ThresholdFor(candidate, options.profile)) {
      region_tag[candidate.region] = tags.countries.size();
      dateline::classifier::Tag tag;
      tag.id = region.region_code;
      tag.display_name = region.names.front().display_name;
      tag.score = score;
      tags.countries.push_back(std::move(tag));
    }
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
  for (const int16_t index : groups) {
    const Tally& tally = analysis.groups.at(index);
    const GazetteerGroup& group = gazetteer_.groups()[static_cast<size_t>(index)];
    const double score = tally.weight > 0.0 ? Round(GroupProbability(tally, all, prior_of(group.group_id))) : 0.0;
    if (score >= ThresholdOf(options.profile)) {
      group_tag[index] = tags.groups.size();
      dateline::classifier::Tag tag;
      tag.id = group.group_id;
      tag.display_name = group.names.front().display_name;
      tag.score = score;
      tags.groups.push_back(std::move(tag));
    }
  }

  std::vector<EvidenceList> region_evidence(tags.countries.size());
  std::vector<EvidenceList> group_evidence(tags.groups.size());
  for (const Found& found : analysis.found) {
    const absl::string_view text = found.field == Field::kTitle ? article.title : article.body;
    if (found.entry.region != GazetteerEntry::kNone) {
      if (const auto it = region_tag.find(found.entry.region); it != region_tag.end()) {
        region_evidence[it->second].Add(found, /*factor=*/1.0);
      }
    } else {
      if (const auto it = group_tag.find(found.entry.group); it != group_tag.end()) {
        group_evidence[it->second].Add(found, /*factor=*/1.0);
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
        // A bloc is never silently a country: where it led to no tag, its mention says why no country has it.
        if (mention.set_aside == SetAside::kNone && !group_tag.contains(found.entry.group) &&
            found.successor == GazetteerEntry::kNone) {
          mention.set_aside = SetAside::kBloc;
        }
      }
      tags.mentions.push_back(std::move(mention));
    }
  }
  for (size_t i = 0; i < tags.countries.size(); ++i) {
    tags.countries[i].evidence = region_evidence[i].Take(article);
  }
  for (size_t i = 0; i < tags.groups.size(); ++i) {
    tags.groups[i].evidence = group_evidence[i].Take(article);
  }
  for (std::vector<dateline::classifier::Tag>* list : {&tags.countries, &tags.groups}) {
    for (dateline::classifier::Tag& tag : *list) {
      if (const double prior = prior_of(tag.id); prior != 0.0) {
        AddPrior(prior, tag.evidence);
      }
    }
  }
  SortTags(tags.countries);
  SortTags(tags.groups);
  if (!tags.countries.empty()) {
    tags.countries.front().primary = true;
    tags.outcome = Outcome::kTagged;
  }
  return tags;
}

}  // namespace dateline::classifier
