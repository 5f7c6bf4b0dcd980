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
  std::string kind;     // Countries: NAME, DEMONYM, CAPITAL, CITY, LEADER, ORGANISATION, ...; issues: WORD, PHRASE.
  double weight = 0.0;  // Contribution to the tag's score before calibration; larger says more.
  SetAside set_aside = SetAside::kNone;
};

inline constexpr int kMaxEvidencePerTag = 20;

// One tag. `id` is a CLDR/ISO 3166-1 alpha-2 code (countries), a group id, or an issue id of the loaded taxonomy.
struct Tag {
  std::string id;
  std::string display_name;        // English.
  double score = 0.0;              // 0 to 1, rounded to 1e-4.
  bool primary = false;            // Countries only: the focus of the article; at most one.
  std::vector<Evidence> evidence;  // Heaviest first, at most kMaxEvidencePerTag.
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

// How freely countries are given. Strict: the focus, usually one country, whoever is really the subject. Generous: all
// that an archive would file the article under.
enum class CountryProfile { kStrict, kDefault, kGenerous };

// What the caller knows of a country or group before reading: the outlet's home, a site's region.
struct CountryPrior {
  std::string id;         // A region code or a group id.
  double log_odds = 0.0;  // Added to the log-odds of the candidate, after clamping to +-kMaxPriorLogOdds.
};

inline constexpr double kMaxPriorLogOdds = 2.0;

enum class Outcome { kTagged, kAbstained, kUnsupportedLanguage };

// The answer for one article. Tags best first.
struct Classification {
  std::vector<Tag> countries;
  std::vector<Tag> groups;
  std::vector<Tag> issues;
  Outcome country_outcome = Outcome::kAbstained;
  Outcome issue_outcome = Outcome::kAbstained;
  std::string language_code;
  std::vector<Mention> mentions;  // Only when asked for.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFICATION_H_
