// The plain types that the country tagger, the issue tagger and the Classifier that joins them share.
// Nothing here knows an RPC or a protobuf message.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFICATION_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFICATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace dateline::classifier {

// The fields of an article that text is taken from.
enum class Field { kTitle, kBody };

// Half-open range of UTF-8 byte offsets into a field, on code-point boundaries.
struct TextSpan {
  Field field = Field::kBody;
  int32_t start = 0;
  int32_t end = 0;
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

// What is classified: text already normalised (NFC, LF, paragraphs divided by a blank line; valid UTF-8).
struct ArticleText {
  std::string title;
  std::string body;
  std::string language_code;               // BCP 47; empty: detected from the text.
  std::optional<absl::Time> publish_time;  // Absent: unknown. Decides whom "President X" meant.
};

// Why a mention was seen and yet does not count.
enum class SetAside { kNone, kHistorical, kPeripheral, kByline, kDateline, kPersonName, kBloc };

// One reason for a tag.
struct Evidence {
  std::optional<TextSpan> span;  // Absent: a prior, a bias, a label of the publisher.
  std::string text;              // The words at `span`, or a description where there is none.
  // Countries: NAME, DEMONYM, CAPITAL, CITY, LEADER, ORGANISATION, ..., WORD, PHRASE, PRIOR; issues: WORD, PHRASE.
  std::string kind;
  double weight = 0.0;  // Contribution to the tag's score before calibration; larger says more.
  SetAside set_aside = SetAside::kNone;
};

inline constexpr int kMaxEvidencePerTag = 20;

// What gave an issue tag: a model trained for the issue, or the seed phrases that stand in for one.
enum class Provenance { kModel, kSeed };

// One tag. `id` is a CLDR/ISO 3166-1 alpha-2 code (countries), a group id, or an issue id of the loaded taxonomy.
struct Tag {
  std::string id;
  std::string display_name;                    // English.
  double score = 0.0;                          // 0 to 1, rounded to 1e-4.
  bool primary = false;                        // Countries only: the focus of the article; at most one.
  Provenance provenance = Provenance::kModel;  // Issues only.
  std::vector<Evidence> evidence;              // Heaviest first, at most kMaxEvidencePerTag.
};

// A place name, demonym, person, ... found in the text, whether or not it led to a tag.
struct Mention {
  TextSpan span;
  std::string text;
  std::string kind;
  std::string region_code;  // Exactly one of `region_code` and `group_id` is set.
  std::string group_id;
  SetAside set_aside = SetAside::kNone;
};

// What was made of one possible tag, whether or not it was given.
struct TagScore {
  enum class Dimension { kCountry, kGroup, kIssue };
  Dimension dimension = Dimension::kIssue;
  std::string id;
  double score = 0.0;               // As the tag has it.
  std::optional<double> threshold;  // The score from which on there is a tag; absent: not known.
  std::optional<double> raw;        // Before calibration; absent where there is no such step.
  bool tagged = false;
};

// The probability that no country is the subject, and from which on none is a tag.
struct NoCountryScore {
  double score = 0.0;
  double threshold = 0.0;
};

enum class Outcome { kTagged, kAbstained, kUnsupportedLanguage };

// How readily countries and groups are tagged: from which score on.
enum class CountryProfile { kStrict, kDefault, kGenerous };

// What is known of a country (region code) or group (group id) before the text is read: added to its log-odds, and half
// of it to those of each member of a group.
struct CountryPrior {
  std::string id;
  double log_odds = 0.0;
};

// The answer for one article. Tags best first.
struct Classification {
  std::vector<Tag> countries;
  std::vector<Tag> groups;
  std::vector<Tag> issues;
  Outcome country_outcome = Outcome::kAbstained;
  Outcome issue_outcome = Outcome::kAbstained;
  std::string language_code;
  std::vector<Mention> mentions;  // Only when asked for.
  std::vector<TagScore> scores;  // Only when asked for: countries, groups, issues; each best first, tags before others.
  std::optional<NoCountryScore> no_country;  // Only when asked for.
  // Only when asked for, and if the model of issues, or that of countries, knows.
  std::optional<bool> in_training;
  std::optional<bool> in_country_training;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFICATION_H_
