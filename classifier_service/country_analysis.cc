#include "classifier_service/country_analysis.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "classifier_service/mention_context.h"

namespace dateline::classifier {
namespace {

// How much a mention says of the subject, by GazetteerKind. By judgement: a name says most; a company or a minister may
// stand for the country or be in the news for itself. The ranker's weights are fitted on top of these.
constexpr std::array<double, kGazetteerKindCount> kKindWeights = {1.0, 0.9, 0.8, 0.8, 0.6, 0.6,
                                                                  0.5, 0.7, 0.3, 0.6, 0.8};
constexpr double kWeakFactor = 0.3;
// The lead: where journalists say what it is about.
constexpr size_t kLeadBytes = 600;
// The first lines: a sentence or two.
constexpr size_t kOpeningBytes = 220;
// Years after leaving office in which a name still stands for the country.
constexpr int kLeaderGraceYears = 3;
// A disputed place counts for those of its claimants that the text says at least so much of, compared with the best.
constexpr double kClaim = 0.5;
// In how much of the text English is looked for.
constexpr size_t kEnglishBytes = 400;
// A dateline ("CAIRO, March 3 (Reuters) -") is no longer than this.
constexpr size_t kDatelineBytes = 90;

bool IsStrong(GazetteerKind kind) {
  return kind == GazetteerKind::kName || kind == GazetteerKind::kDemonym || kind == GazetteerKind::kCapital ||
         kind == GazetteerKind::kMetonym;
}

bool IsPlace(GazetteerKind kind) {
  return kind == GazetteerKind::kCity || kind == GazetteerKind::kSubdivision || kind == GazetteerKind::kPlace;
}

bool IsPerson(GazetteerKind kind) { return kind == GazetteerKind::kLeader || kind == GazetteerKind::kPerson; }

// Names of places that are people's names as well. ("Michael Jordan"; but nobody is called "Michael Kremlin".)
bool CanBeSurname(GazetteerKind kind) {
  return kind == GazetteerKind::kName || kind == GazetteerKind::kDemonym || kind == GazetteerKind::kCapital ||
         kind == GazetteerKind::kCity || kind == GazetteerKind::kSubdivision;
}

bool IsMonth(absl::string_view word) {
  for (const absl::string_view month :
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}) {
    if (absl::StartsWithIgnoreCase(word, month)) {
      return true;
    }
  }
  return false;
}

// "New York, March 2", "Paris, 7 October 2020".
bool EndsWithDate(absl::string_view text) {
  std::array<absl::string_view, 3> last;  // The last words, the very last first.
  for (absl::string_view& word : last) {
    text = text.substr(0, text.find_last_not_of(" ,.") + 1);
    word = text.substr(text.find_last_of(" ,.") + 1);
    text.remove_suffix(word.size());
  }
  const auto is_number = [](absl::string_view word, size_t least, size_t most) {
    return word.size() >= least && word.size() <= most && std::all_of(word.begin(), word.end(), [](char c) {
             return absl::ascii_isdigit(static_cast<unsigned char>(c));
           });
  };
  const size_t day = is_number(last[0], 4, 4) ? 1 : 0;
  return !(day == 0 ? last[2] : text).empty() && ((is_number(last[day], 1, 2) && IsMonth(last[day + 1])) ||
                                                  (IsMonth(last[day]) && is_number(last[day + 1], 1, 2)));
}

// The end of the dateline at the beginning of `body`; 0 if there is none.
size_t DatelineEnd(absl::string_view body) {
  constexpr std::array<absl::string_view, 7> kAgencies = {"(Reuters)", "(AP)",     "(AFP)",           "(UPI)",
                                                          "(CNN)",     "(Xinhua)", "(Thomson Reuters"};
  constexpr std::array<absl::string_view, 6> kDashes = {" - ", " -- ", "--", " \u2014 ", "\u2014", " \u2013 "};
  const absl::string_view head = body.substr(0, kDatelineBytes);
  const size_t line_end = std::min(head.find('\n'), head.size());
  size_t end = absl::string_view::npos;
  if (absl::StrContains(head, '(')) {
    for (const absl::string_view sign : kAgencies) {
      end = std::min(end, head.find(sign));
    }
  }
  const bool agency = end != absl::string_view::npos;
  for (const absl::string_view sign : kDashes) {
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
  return upper || agency || EndsWithDate(place) ? end : 0;
}

// Whether a line says who wrote the article.
bool IsByline(absl::string_view line) {
  constexpr std::array<absl::string_view, 4> kCredits = {"Reporting by", "Additional reporting", "Writing by",
                                                         "Editing by"};
  if (absl::StartsWith(line, "By ")) {
    return line.size() < 100 && !absl::StrContains(line, ". ");
  }
  const absl::string_view credit = absl::StripPrefix(line, "(");
  return std::any_of(kCredits.begin(), kCredits.end(),
                     [&](absl::string_view sign) { return absl::StartsWith(credit, sign); });
}

// Ranges of the body that say who wrote it and where.
std::vector<std::pair<size_t, size_t>> Bylines(absl::string_view body) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (size_t start = 0; start < body.size();) {
    const size_t end = std::min(body.find('\n', start), body.size());
    if (IsByline(body.substr(start, end - start))) {
      ranges.emplace_back(start, end);
    }
    start = end + 1;
  }
  return ranges;
}

// Reads one article; made anew for each.
class Analyst {
 public:
  Analyst(const Gazetteer& gazetteer, const ScannedArticle& scanned)
      : gazetteer_(gazetteer),
        scanned_(scanned),
        article_(scanned.article),
        support_(gazetteer.regions().size(), 0.0),
        local_support_(gazetteer.regions().size(), 0.0),
        group_support_(gazetteer.groups().size(), 0.0) {
    if (article_.publish_time) {
      year_ = static_cast<int>(absl::ToCivilYear(*article_.publish_time, absl::UTCTimeZone()).year());
    }
  }

  CountryAnalysis Run() {
    // By words that every text of a few sentences has, and texts in other languages have not.
    for (const absl::string_view word : {" the ", " of ", " and "}) {
      is_english_ = is_english_ || absl::StrContains(absl::string_view(article_.body).substr(0, kEnglishBytes), word);
    }
    title_ = gazetteer_.Match(scanned_.title);
    body_ = gazetteer_.Match(scanned_.body);
    analysis_.found.reserve(title_.size() + body_.size());
    MeasureSupport();
    Resolve(Field::kTitle, article_.title, title_);
    const size_t title_count = analysis_.found.size();
    Resolve(Field::kBody, article_.body, body_);
    SetAsideHyphenated(0, title_count, article_.title);
    SetAsideHyphenated(title_count, analysis_.found.size(), article_.body);
    SetAsideNamesakes();
    SetAsideDatelines(title_count);
    SetAsideDoubtful();
    CountDateline();
    MeasureLists(0, title_count, article_.title);
    MeasureLists(title_count, analysis_.found.size(), article_.body);
    Count();
    return std::move(analysis_);
  }

 private:
  // What unambiguous mentions say for each region and group: by this, ambiguous ones are decided.
  void MeasureSupport() {
    for (const auto* matches : {&title_, &body_}) {
      for (const GazetteerMatch& match : *matches) {
        if (match.entries.size() == 1 || match.entries.front().has(GazetteerEntry::kEach)) {
          for (const GazetteerEntry& entry : AtOnce(match.entries)) {
            AddSupport(entry);
          }
        }
      }
    }
  }

  void AddSupport(const GazetteerEntry& entry) {
    const double weight = WeightOf(entry);
    if (entry.region != GazetteerEntry::kNone) {
      At(support_, entry.region) += weight;
      if (entry.kind == GazetteerKind::kCity || entry.kind == GazetteerKind::kSubdivision) {
        At(local_support_, entry.region) += weight;
      }
    } else if (entry.group != GazetteerEntry::kNone) {
      At(group_support_, entry.group) += weight;
    }
  }

  // As many targets as a form may have at once.
  static absl::Span<const GazetteerEntry> AtOnce(absl::Span<const GazetteerEntry> entries) {
    return entries.subspan(0, GazetteerEntry::kMaxAtOnce);
  }

  // Whether a form has several targets at once: all of them ("the two Koreas"), or those among its claimants that the
  // text speaks of ("Kashmir").
  static bool HasSeveral(absl::Span<const GazetteerEntry> entries) {
    return entries.size() > 1 &&
           (entries.front().has(GazetteerEntry::kEach) || entries.front().has(GazetteerEntry::kDisputed));
  }

  // Support of the claimant that the text says most of.
  double BestClaim(absl::Span<const GazetteerEntry> entries) const {
    double best = 0.0;
    for (const GazetteerEntry& entry : entries) {
      best = std::max(best, entry.region == GazetteerEntry::kNone ? 0.0 : At(support_, entry.region));
    }
    return best;
  }

  double SupportFor(const GazetteerEntry& entry) const {
    if (entry.group != GazetteerEntry::kNone) {
      return At(group_support_, entry.group);
    }
    if (entry.region == GazetteerEntry::kNone) {
      return 0.0;
    }
    if (entry.kind == GazetteerKind::kSubdivision || entry.kind == GazetteerKind::kCity) {
      // A state or town is meant among others of its country; that the country is named says little ("Georgia" in an
      // article on Washington's view of the Caucasus).
      return At(local_support_, entry.region) + 0.15 * At(support_, entry.region);
    }
    double support = 2.0 * At(support_, entry.region);
    // Neighbours speak for a country: members of the smaller groups that it is in.
    for (const int16_t group : gazetteer_.regions()[static_cast<size_t>(entry.region)].groups) {
      const std::vector<GazetteerMember>& members = gazetteer_.groups()[static_cast<size_t>(group)].members;
      double neighbours = 0.0;
      size_t countries = 0;
      for (size_t i = 0; i < members.size() && countries <= kNeighbourhood; ++i) {
        if (i > 0 && members[i].region == members[i - 1].region) {
          continue;  // It was a member twice.
        }
        ++countries;
        neighbours += members[i].region == entry.region ? 0.0 : 0.3 * At(support_, members[i].region);
      }
      if (countries <= kNeighbourhood) {
        support += At(group_support_, group) + neighbours;
      }
    }
    return support;
  }

  static double& At(std::vector<double>& values, int16_t index) { return values[static_cast<size_t>(index)]; }
  static double At(const std::vector<double>& values, int16_t index) { return values[static_cast<size_t>(index)]; }

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

  SetAside Judge(Field field, absl::string_view text, const GazetteerMatch& match, const GazetteerEntry& entry) const {
    const MentionContext context = ContextOf(text, match.start, match.end);
    if (entry.has(GazetteerEntry::kPersonName) ||
        (match.given_name_before && CanBeSurname(entry.kind) && !absl::StrContains(context.words, ' ')) ||
        (match.surname_after && CanBeSurname(entry.kind) && entry.kind != GazetteerKind::kDemonym)) {
      return SetAside::kPersonName;
    }
    if (entry.has(GazetteerEntry::kAside) || IsWork(context.after) ||
        (entry.kind == GazetteerKind::kCity && NameGoesOn(context))) {
      return SetAside::kPeripheral;
    }
    // Where it isn't the title, or what stands for one, a currency only says what something costs.
    const bool is_heading = field == Field::kTitle || (article_.title.empty() && match.start < kOpeningBytes);
    const auto is_currency = [&] {
      return entry.kind == GazetteerKind::kCurrency ||
             ((entry.kind == GazetteerKind::kName || entry.kind == GazetteerKind::kDemonym) && IsCurrency(context));
    };
    if (!is_heading && is_currency()) {
      return SetAside::kPeripheral;
    }
    if (entry.has(GazetteerEntry::kWeak) && IsTown(entry.kind) && !StandsAsTown(context)) {
      return SetAside::kPeripheral;
    }
    return IsOfAnotherTime(entry) ? SetAside::kHistorical : SetAside::kNone;
  }

  // Whether a form had another meaning, or none, in the year of the article. People are known before they are in
  // office, and for a while after it.
  bool IsOfAnotherTime(const GazetteerEntry& entry) const {
    if (year_ == 0) {
      // Most articles without a date are new: a name that nobody has any more is out of use.
      return entry.to_year != 0 && (entry.kind == GazetteerKind::kName || entry.kind == GazetteerKind::kDemonym);
    }
    if (IsPerson(entry.kind)) {
      return entry.to_year != 0 && year_ > entry.to_year + kLeaderGraceYears;
    }
    return year_ < entry.from_year || (entry.to_year != 0 && year_ > entry.to_year);
  }

  // The region under which archives file a past state, if the article is of its time.
  int16_t SuccessorOf(const GazetteerEntry& entry) const {
    if (entry.group == GazetteerEntry::kNone || year_ == 0) {
      return GazetteerEntry::kNone;
    }
    for (const GazetteerMember& member : gazetteer_.groups()[static_cast<size_t>(entry.group)].members) {
      if (member.successor && year_ >= member.start_year && year_ <= member.end_year) {
        return member.region;
      }
    }
    return GazetteerEntry::kNone;
  }

  // Whether the article was written after the end of a past state or bloc, or, as most without a date, now.
  bool IsPast(const GazetteerEntry& entry) const {
    if (entry.group == GazetteerEntry::kNone) {
      return false;
    }
    const std::vector<GazetteerMember>& members = gazetteer_.groups()[static_cast<size_t>(entry.group)].members;
    return !members.empty() && std::all_of(members.begin(), members.end(), [this](const GazetteerMember& member) {
      return member.end_year != 0 && (year_ == 0 || year_ > member.end_year);
    });
  }

  // "London, Ontario", "Lebanon, Pennsylvania", "in Tripoli, Lebanon": a namesake elsewhere. The entry that says where;
  // null if `name` and `next` are no such pair.
  const GazetteerEntry* PlaceOf(const GazetteerEntry& name, const GazetteerMatch& match, const GazetteerMatch& next,
                                absl::string_view text) const {
    const bool can_be_country = name.kind == GazetteerKind::kName && name.region != GazetteerEntry::kNone;
    if ((!IsTown(name.kind) && !can_be_country) || next.start != match.end + 2 || text.substr(match.end, 2) != ", ") {
      return nullptr;
    }
    const GazetteerEntry* division = nullptr;
    const GazetteerEntry* country = nullptr;
    for (const GazetteerEntry& entry : next.entries) {
      if (entry.region == name.region) {
        return nullptr;  // "Athens, Greece", "Tbilisi, Georgia".
      }
      if (can_be_country && entry.kind == GazetteerKind::kName) {
        return nullptr;  // "Ukraine, Georgia and Moldova": countries in a list.
      }
      if (entry.region == GazetteerEntry::kNone || entry.has(GazetteerEntry::kWeak)) {
        continue;
      }
      // Towns in the United States are called like countries ("Peru, Indiana"); "Crimea" behind "Russia, " says
      // nothing.
      if (division == nullptr && entry.kind == GazetteerKind::kSubdivision &&
          (!can_be_country || IsUnitedStates(entry.region))) {
        division = &entry;
      }
      if (country == nullptr && entry.kind == GazetteerKind::kName && !can_be_country && IsWhere(match, next, text)) {
        country = &entry;
      }
    }
    return division != nullptr ? division : country;  // "in Athens, Georgia"
  }

  // "in Hyderabad, Pakistan"; not "with Washington, Russia and Iran".
  static bool IsWhere(const GazetteerMatch& match, const GazetteerMatch& next, absl::string_view text) {
    const absl::string_view before = ContextOf(text, match.start, match.end).before;
    const absl::string_view after = text.substr(next.end);
    return !absl::StartsWith(after, " and ") && !absl::StartsWith(after, " or ") &&
           (absl::EndsWith(before, " in ") || absl::EndsWith(before, "In ") || absl::EndsWith(before, " near ") ||
            absl::EndsWith(before, " at ") || absl::EndsWith(before, " from ") || absl::EndsWith(before, " outside "));
  }

  bool IsUnitedStates(int16_t region) const {
    return gazetteer_.regions()[static_cast<size_t>(region)].region_code == "US";
  }

  void Resolve(Field field, absl::string_view text, const std::vector<GazetteerMatch>& matches) {
    const GazetteerEntry* next_entry = nullptr;  // What the match before made of this one.
    for (size_t i = 0; i < matches.size(); ++i) {
      const GazetteerMatch& match = matches[i];
      if (next_entry == nullptr && HasSeveral(match.entries)) {
        const absl::Span<const GazetteerEntry> claimants = AtOnce(match.entries);
        const double best = match.entries.front().has(GazetteerEntry::kEach) ? 0.0 : BestClaim(claimants);
        for (const GazetteerEntry& entry : claimants) {
          if (best == 0.0 || (entry.region != GazetteerEntry::kNone && At(support_, entry.region) >= kClaim * best)) {
            Add(field, text, match, entry);
          }
        }
        continue;
      }
      GazetteerEntry entry = next_entry != nullptr ? *next_entry : Choose(match.entries);
      next_entry = nullptr;
      if (i + 1 < matches.size()) {
        next_entry = PlaceOf(entry, match, matches[i + 1], text);
        if (next_entry != nullptr) {
          entry.region = next_entry->region;
          entry.kind = GazetteerKind::kCity;
        }
      }
      Add(field, text, match, entry);
    }
  }

  // "Thailand's Senate", "the Philippine Congress": a body that many countries have, behind the name of its own.
  bool IsOfAnother(const GazetteerEntry& entry, size_t start, Field field, absl::string_view text) const {
    if (!entry.has(GazetteerEntry::kWeak) || analysis_.found.empty() ||
        (entry.kind != GazetteerKind::kMetonym && entry.kind != GazetteerKind::kOrganisation)) {
      return false;
    }
    const FoundMention& last = analysis_.found.back();
    if (last.field != field || last.entry.region == entry.region || last.end > start ||
        (last.entry.kind != GazetteerKind::kName && last.entry.kind != GazetteerKind::kDemonym)) {
      return false;
    }
    const absl::string_view between = text.substr(last.end, start - last.end);
    return between == " " || between == "'s " || between == "\u2019s ";
  }

  void Add(Field field, absl::string_view text, const GazetteerMatch& match, const GazetteerEntry& entry) {
    if (entry.region == GazetteerEntry::kNone && entry.group == GazetteerEntry::kNone) {
      return;
    }
    FoundMention found;
    found.field = field;
    found.start = match.start;
    found.end = match.end;
    found.entry = entry;
    found.set_aside = Judge(field, text, match, entry);
    if (found.set_aside == SetAside::kNone && IsOfAnother(entry, match.start, field, text)) {
      found.set_aside = SetAside::kPeripheral;
    }
    found.weight = found.set_aside == SetAside::kNone ? WeightOf(entry) : 0.0;
    found.may_be_doubtful =
        found.set_aside == SetAside::kNone && entry.region != GazetteerEntry::kNone && !match.hyphen_before;
    found.successor = SuccessorOf(entry);
    found.past = IsPast(entry);
    found.in_lead = field == Field::kBody && match.start < kLeadBytes;
    analysis_.found.push_back(found);
  }

  void SetAsideHyphenated(size_t begin, size_t end, absl::string_view text) {
    for (size_t i = begin; i + 1 < end; ++i) {
      FoundMention& first = analysis_.found[i];
      FoundMention& second = analysis_.found[i + 1];
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

  absl::string_view TextOf(const FoundMention& found) const {
    return found.field == Field::kTitle ? article_.title : article_.body;
  }

  absl::string_view WordsOf(const FoundMention& found) const {
    return TextOf(found).substr(found.start, found.end - found.start);
  }

  // Who was named in full goes by the name alone from then on, and in the title: "Jordan" behind "Michael Jordan". Not
  // where something else speaks for the country, nor in "in Jordan".
  void SetAsideNamesakes() {
    struct Namesake {
      size_t first = 0;  // In the body.
      bool is_country = false;
    };
    absl::flat_hash_map<std::pair<int16_t, absl::string_view>, Namesake> namesakes;
    for (const FoundMention& found : analysis_.found) {
      if (found.set_aside != SetAside::kPersonName || found.entry.region == GazetteerEntry::kNone) {
        continue;
      }
      const absl::string_view words = WordsOf(found);
      const size_t first = found.field == Field::kTitle ? 0 : found.start;
      // "Michael Jordan" or "Paris Hilton"; one word where the gazetteer has only this.
      for (const absl::string_view name : {words.substr(0, words.find(' ')), words.substr(words.rfind(' ') + 1)}) {
        const auto [it, fresh] = namesakes.try_emplace({found.entry.region, name}, Namesake{first});
        it->second.first = std::min(it->second.first, first);
      }
    }
    if (namesakes.empty()) {
      return;
    }
    const auto namesake_of = [&](const FoundMention& found) -> Namesake* {
      const auto it = namesakes.find({found.entry.region, WordsOf(found)});
      return it == namesakes.end() ? nullptr : &it->second;
    };
    for (const FoundMention& found : analysis_.found) {
      if (found.set_aside != SetAside::kNone || namesake_of(found) != nullptr) {
        continue;
      }
      for (auto& [key, namesake] : namesakes) {
        namesake.is_country = namesake.is_country || key.first == found.entry.region;
      }
    }
    for (FoundMention& found : analysis_.found) {
      const Namesake* const namesake = found.set_aside == SetAside::kNone ? namesake_of(found) : nullptr;
      if (namesake == nullptr || namesake->is_country) {
        continue;
      }
      const absl::string_view before = TextOf(found).substr(0, found.start);
      const bool placed = absl::EndsWith(before, " in ") || absl::EndsWith(before, "In ");
      if (!placed && (found.field == Field::kTitle || found.start > namesake->first)) {
        found.set_aside = SetAside::kPersonName;
        found.weight = 0.0;
      }
    }
  }

  // What says nothing of a country unless something else does. One mention beyond doubt is enough for a country, and
  // most have it soon: the others are not looked at.
  void SetAsideDoubtful() {
    doubts_.assign(analysis_.found.size(), std::nullopt);
    absl::flat_hash_set<int16_t> named;
    for (size_t i = 0; i < analysis_.found.size(); ++i) {
      const FoundMention& found = analysis_.found[i];
      if (found.weight > 0.0 && !named.contains(found.entry.region) && DoubtAt(i) == SetAside::kNone) {
        named.insert(found.entry.region);
      }
    }
    for (size_t i = 0; i < analysis_.found.size(); ++i) {
      FoundMention& found = analysis_.found[i];
      if (found.weight > 0.0 && !named.contains(found.entry.region)) {
        found.set_aside = DoubtAt(i);
        found.weight = 0.0;
      }
    }
  }

  // What is in doubt at a mention, by the words around it or by what it is listed behind: "unlike Denmark and Norway".
  SetAside DoubtAt(size_t index) {
    size_t first = index;
    while (!doubts_[first].has_value() && IsListedBehind(first)) {
      --first;
    }
    for (size_t i = first; i <= index; ++i) {
      if (doubts_[i].has_value()) {
        continue;
      }
      const FoundMention& found = analysis_.found[i];
      SetAside doubt = SetAside::kNone;
      if (found.may_be_doubtful) {
        doubt = DoubtOf(found.entry, ContextOf(TextOf(found), found.start, found.end),
                        found.field == Field::kBody && is_english_);
      }
      const bool is_listed = i > first && doubts_[i - 1] == SetAside::kPeripheral;
      doubts_[i] = doubt == SetAside::kNone && is_listed ? SetAside::kPeripheral : doubt;
    }
    return *doubts_[index];
  }

  // Whether the mention is one of a region, behind another and " and ".
  bool IsListedBehind(size_t index) const {
    if (index == 0) {
      return false;
    }
    const FoundMention& first = analysis_.found[index - 1];
    const FoundMention& second = analysis_.found[index];
    return second.entry.region != GazetteerEntry::kNone && first.field == second.field && second.start > first.end &&
           TextOf(first).substr(first.end, second.start - first.end) == " and ";
  }

  void SetAsideDatelines(size_t begin) {
    const size_t dateline = DatelineEnd(article_.body);
    const auto bylines = Bylines(article_.body);
    size_t byline = 0;
    for (size_t i = begin; i < analysis_.found.size(); ++i) {
      FoundMention& found = analysis_.found[i];
      while (byline < bylines.size() && bylines[byline].second <= found.start) {
        ++byline;
      }
      if (found.set_aside != SetAside::kNone) {
        continue;
      }
      if (found.end <= dateline) {
        found.set_aside = SetAside::kDateline;
        found.in_dateline = true;
      } else if (byline < bylines.size() && found.start >= bylines[byline].first) {
        found.set_aside = SetAside::kByline;
      } else {
        continue;
      }
      found.weight = 0.0;
    }
  }

  // Where a report comes from is where the reporter is, and says nothing where title or first lines name a country or
  // a bloc. Where they don't, readers have to take it from the dateline; and where the text names the country as well,
  // the dateline names it once more.
  void CountDateline() {
    const auto in_dateline = [](const FoundMention& found) { return found.set_aside == SetAside::kDateline; };
    if (std::none_of(analysis_.found.begin(), analysis_.found.end(), in_dateline)) {
      return;
    }
    absl::flat_hash_set<int16_t> named;
    bool is_told = false;
    for (const FoundMention& found : analysis_.found) {
      if (found.weight > 0.0) {
        named.insert(found.entry.region);
        is_told =
            is_told || (IsStrong(found.entry.kind) && (found.field == Field::kTitle || found.start < kOpeningBytes));
      }
    }
    for (FoundMention& found : analysis_.found) {
      const bool is_country = found.entry.region != GazetteerEntry::kNone;
      if (in_dateline(found) && (!is_told || (is_country && named.contains(found.entry.region)))) {
        found.set_aside = SetAside::kNone;
        found.weight = WeightOf(found.entry);
      }
    }
  }

  // "US-China", "Iran, Iraq and Syria": one country beside the other.
  static bool IsBeside(const FoundMention& first, const FoundMention& second, absl::string_view text) {
    if (first.weight <= 0.0 || second.weight <= 0.0 || first.entry.region == GazetteerEntry::kNone ||
        second.entry.region == GazetteerEntry::kNone || first.entry.region == second.entry.region ||
        second.start < first.end) {
      return false;
    }
    absl::string_view between = text.substr(first.end, second.start - first.end);
    absl::ConsumePrefix(&between, ",");
    for (const absl::string_view joint : {" ", " and ", "-", "\u2013", " or ", "/", " with ", " against ", " & "}) {
      if (between == joint) {
        return true;
      }
    }
    return false;
  }

  // Of the mentions in one field.
  void MeasureLists(size_t begin, size_t end, absl::string_view text) {
    for (size_t first = begin; first < end;) {
      size_t last = first + 1;
      while (last < end && IsBeside(analysis_.found[last - 1], analysis_.found[last], text)) {
        ++last;
      }
      for (size_t i = first; i < last; ++i) {
        analysis_.found[i].side_by_side = static_cast<int>(last - first);
      }
      first = last;
    }
  }

  void Count() {
    const size_t size = std::max<size_t>(article_.body.size(), 1);
    const auto count = [&](const FoundMention& found, double weight, CountryTally& tally) {
      tally.dateline = tally.dateline || found.in_dateline;
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
        tally.opening += found.start < kOpeningBytes ? weight : 0.0;
        tally.tenths.set(std::min<size_t>(found.start * 10 / size, 9));
      }
      tally.strong += IsStrong(found.entry.kind) ? weight : 0.0;
      tally.people += IsPerson(found.entry.kind) ? weight : 0.0;
      tally.places += IsPlace(found.entry.kind) ? weight : 0.0;
      tally.paired += found.side_by_side == 2 ? weight : 0.0;
      tally.listed += found.side_by_side > 2 ? weight : 0.0;
      tally.paired_title = tally.paired_title || (found.side_by_side == 2 && found.field == Field::kTitle);
    };
    for (const FoundMention& found : analysis_.found) {
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
  const ScannedArticle& scanned_;
  const ArticleText& article_;
  int year_ = 0;  // Of publication; 0: unknown.
  bool is_english_ = false;
  std::vector<GazetteerMatch> title_;
  std::vector<GazetteerMatch> body_;
  std::vector<double> support_;        // By region.
  std::vector<double> local_support_;  // Of towns and divisions alone.
  std::vector<double> group_support_;  // By group.
  absl::flat_hash_map<const GazetteerEntry*, size_t> choices_;
  std::vector<std::optional<SetAside>> doubts_;  // Of what was found, as far as it was asked for.
  CountryAnalysis analysis_;
};

consteval size_t IndexOf(absl::string_view name) {
  size_t index = 0;
  while (kCountryFeatureNames[index] != name) {
    ++index;
  }
  return index;
}

}  // namespace

CountryAnalysis AnalyseCountries(const Gazetteer& gazetteer, const ScannedArticle& article) {
  return Analyst(gazetteer, article).Run();
}

CountryAnalysis AnalyseCountries(const Gazetteer& gazetteer, const ArticleText& article) {
  return AnalyseCountries(gazetteer, ScannedArticle(article));
}

std::vector<CountryCandidate> CandidatesOf(const CountryAnalysis& analysis, const Gazetteer& gazetteer,
                                           const ArticleText& article, absl::Span<const int16_t> always) {
  std::vector<std::pair<int16_t, const CountryTally*>> counted;
  double total = 0.0;
  double title_total = 0.0;
  double lead_total = 0.0;
  double opening_total = 0.0;
  double best = 0.0;
  double second = 0.0;
  size_t first = article.body.size();
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
    opening_total += tally->opening;
    first = tally->in_body ? std::min(first, tally->first) : first;
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
  const auto is_united_states = [&gazetteer](int16_t region) {
    return gazetteer.regions()[static_cast<size_t>(region)].region_code == "US" ? 1.0 : 0.0;
  };
  const double words = static_cast<double>(article.title.size() + article.body.size()) / 6.0 + 1.0;
  std::vector<CountryCandidate> candidates;
  candidates.reserve(counted.size() + always.size());
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
    CountryCandidate candidate;
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
        is_united_states(region),
        tally->dateline ? 1.0 : 0.0,
        (weight - (weight >= best ? second : best)) / total,
        title_total > 0.0 && !in_title ? 1.0 : 0.0,
        group_total / (group_total + total),
        tally->people / weight,
        in_title ? relative : 0.0,
        std::log1p(total),
        tally->mentions == 1 ? 1.0 : 0.0,
        in_title ? 0.0 : std::min(rivals, 3),
        /*absent=*/0.0,
        /*absent_total=*/0.0,
        tally->opening > 0.0 ? 1.0 : 0.0,
        opening_total > 0.0 ? tally->opening / opening_total : 0.0,
        tally->in_body && tally->first == first ? 1.0 : 0.0,
        tally->places / weight,
        title_total > 0.0 ? 0.0 : 1.0,
        std::log(relative),
        title_total > 0.0 && !in_title ? std::log(relative) : 0.0,
        std::log1p(words / 100.0),
        tally->paired / weight,
        tally->paired_title ? 1.0 : 0.0,
        tally->listed / weight,
    };
    candidates.push_back(candidate);
  }
  const size_t mentioned = candidates.size();
  CountryCandidate absent;
  absent.mentioned = false;
  absent.features[IndexOf("candidates")] = std::log1p(static_cast<double>(mentioned));
  absent.features[IndexOf("others_in_title")] = title_total > 0.0 ? 1.0 : 0.0;
  absent.features[IndexOf("groups")] = group_total > 0.0 ? group_total / (group_total + total) : 0.0;
  absent.features[IndexOf("absent")] = 1.0;
  absent.features[IndexOf("absent_total")] = std::log1p(total);
  absent.features[IndexOf("title_silent")] = title_total > 0.0 ? 0.0 : 1.0;
  absent.features[IndexOf("length")] = std::log1p(words / 100.0);
  const auto by_region = [](const CountryCandidate& a, const CountryCandidate& b) { return a.region < b.region; };
  for (const int16_t region : always) {
    absent.region = region;
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(mentioned);
    if (std::binary_search(candidates.begin(), end, absent, by_region)) {
      continue;
    }
    const auto tally = analysis.regions.find(region);
    absent.features[kUnitedStatesFeature] = is_united_states(region);
    absent.features[IndexOf("dateline")] = tally != analysis.regions.end() && tally->second.dateline ? 1.0 : 0.0;
    candidates.push_back(absent);
  }
  std::inplace_merge(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(mentioned), candidates.end(),
                     by_region);
  return candidates;
}

}  // namespace dateline::classifier
