// The plain types of an article as the article store keeps it: the caller's fields, the service's own, labels with
// their evidence, and the rule that says which labels count. Nothing here knows an RPC or a protobuf message.
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace dateline::search {

// Limits that the contract states (proto/dateline/article/v1; MB is 10^6). Errors name them.
inline constexpr size_t kMaxArticleBytes = 2'000'000;  // Serialised; and, whatever its form, all its text together.
inline constexpr size_t kMaxIdBytes = 200;             // ASCII letters, digits and -._~:/@+=,
inline constexpr size_t kMaxUrlBytes = 2'000;
inline constexpr size_t kMaxAlternateUrls = 20;
inline constexpr size_t kMaxTitleBytes = 2'000;
inline constexpr size_t kMaxSummaryBytes = 10'000;
inline constexpr size_t kMaxAuthors = 50;
inline constexpr size_t kMaxNameBytes = 500;  // One author, source, source label, attribute value.
inline constexpr size_t kMaxContentTypeBytes = 200;
inline constexpr size_t kMaxAttributes = 50;
inline constexpr size_t kMaxAttributeNameBytes = 100;  // ASCII letters, digits, _ and -.
inline constexpr size_t kMaxAttributeValues = 50;
inline constexpr size_t kMaxLabels = 100;  // Of `labels` and of `source_labels`.
inline constexpr size_t kMaxKindBytes = 100;
inline constexpr size_t kMaxHeadings = 1'000;
// Of InvalidArgument when kMaxArticleBytes is exceeded.
inline constexpr char kReasonArticleTooLarge[] = "ARTICLE_TOO_LARGE";

enum class TimePrecision { kSecond, kDay };

// What a label is about. A target is a dimension and an id in it: a CLDR/ISO 3166-1 alpha-2 code (countries), a group
// id, or an issue id of the loaded taxonomy.
enum class Dimension { kCountry = 0, kGroup = 1, kIssue = 2 };
inline constexpr int kDimensionCount = 3;

enum class LabelSource { kClassifier = 1, kSource = 2, kEditor = 3 };
enum class LabelVerdict { kApplied = 1, kRejected = 2 };
enum class LabelState { kPending = 1, kDone = 2, kFailed = 3 };
enum class TagOutcome { kUnspecified = 0, kTagged = 1, kAbstained = 2, kUnsupportedLanguage = 3 };
enum class SetAside {
  kNone = 0,
  kHistorical = 1,
  kPeripheral = 2,
  kByline = 3,
  kDateline = 4,
  kPersonName = 5,
  kBloc = 6,
};

// Half-open range of UTF-8 byte offsets into a field ("title", "body") as the service returns it.
struct TextSpan {
  std::string field;
  int32_t start = 0;
  int32_t end = 0;
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

struct Evidence {
  std::optional<TextSpan> span;  // Absent: a prior, a bias, a label of the publisher.
  std::string text;
  std::string kind;
  double weight = 0.0;
  SetAside set_aside = SetAside::kNone;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

inline constexpr size_t kMaxEvidencePerLabel = 20;

struct Label {
  Dimension dimension = Dimension::kIssue;
  std::string id;
  double score = 1.0;  // 0 to 1; kSource and kEditor labels score 1.
  LabelSource source = LabelSource::kClassifier;
  LabelVerdict verdict = LabelVerdict::kApplied;
  bool primary = false;  // Countries only.
  std::string model_version;
  std::string taxonomy_version;
  std::optional<absl::Time> label_time;
  std::vector<Evidence> evidence;  // Heaviest first, at most kMaxEvidencePerLabel.
  friend bool operator==(const Label&, const Label&) = default;
};

// What the publisher filed the article under, verbatim.
struct SourceLabel {
  std::string kind;  // Lower case as the page says: "issue", "country", "section", "keyword"; empty if it doesn't.
  std::string name;
  friend bool operator==(const SourceLabel&, const SourceLabel&) = default;
};

// A paragraph of the body that is a heading.
struct Heading {
  int32_t start = 0;  // Half-open UTF-8 byte range in the body.
  int32_t end = 0;
  int32_t level = 2;
  friend bool operator==(const Heading&, const Heading&) = default;
};

struct Article {
  // The caller's fields; every ingestion replaces all of them.
  std::string id;  // ≤ kMaxIdBytes; empty: derived from `url`, else from title, body and source.
  std::string url;
  std::vector<std::string> alternate_urls;
  std::string title;
  std::string body;
  std::string summary;
  std::vector<std::string> authors;
  std::string source;
  std::optional<absl::Time> publish_time;
  TimePrecision publish_time_precision = TimePrecision::kSecond;
  std::optional<absl::Time> update_time;
  std::string language_code;  // BCP 47. Filled by the classifier's detection when the caller gave none.
  std::string image_url;
  std::string content_type;
  std::map<std::string, std::vector<std::string>> attributes;
  std::optional<absl::Time> visible_from;  // Embargo: hidden from reads without the edit role until then.
  std::vector<SourceLabel> source_labels;
  // In: the caller's own labels, source kSource (or kEditor where IngestOptions allow). Out: all stored labels.
  std::vector<Label> labels;
  // In: a precondition, empty for none. Out: changes with the caller's fields and with kEditor labels only.
  std::string etag;

  // The service's fields. On the way in all are ignored but `headings`, which extraction finds.
  absl::Time create_time;
  std::string content_hash;  // Hex; over all the caller's fields but `update_time`.
  std::vector<Heading> headings;
  LabelState label_state = LabelState::kPending;
  TagOutcome country_outcome = TagOutcome::kUnspecified;
  TagOutcome issue_outcome = TagOutcome::kUnspecified;
  bool language_detected = false;  // `language_code` is the classifier's, not the caller's.
  std::string duplicate_of;        // Id of the article that this one repeats; empty for none.
  // Dimensions that an editor replaced, even with nothing: the editor's labels alone count there. Bits of 1 <<
  // Dimension.
  uint32_t replaced_dimensions = 0;
  uint64_t seq = 0;          // Of the last change of any kind.
  uint64_t content_seq = 0;  // Of the last change of the caller's fields.
};

struct LabelOptions {
  std::vector<LabelSource> sources;  // Empty: what counts by the rule below. Otherwise the applied labels of these.
  double min_score = 0.0;            // Labels that score less are left out.
  bool with_rejected = false;        // With `sources`: also what these rejected, after all that they applied.
};

// The labels that count, each id once: an editor's label, applied or rejected, decides for its id; a dimension that an
// editor replaced is the editor's alone; otherwise applied kSource labels replace the classifier's in their dimension;
// otherwise the classifier's. Countries first, then groups, then issues; primary first, then by score, then by id.
// With `options.sources`: the applied labels of each of these sources, outranked or not; an id once for each source.
std::vector<Label> EffectiveLabels(const Article& article, const LabelOptions& options = {});

// Validates and normalises the caller's fields, once, on the way in: NFC, LF, paragraphs divided by a blank line, no
// control characters; the id derived where it is missing; labels checked for form. Doubtful dates are dropped with a
// warning. Returns InvalidArgument naming the field and the limit. `now` is the clock, for dates in the future.
struct Normalized {
  Article article;  // `id`, `content_hash` filled in.
  std::vector<std::string> warnings;
};
absl::StatusOr<Normalized> Normalize(Article article, absl::Time now);

// Where a caller finds the target of a label: "labels[2].issue_id".
std::string LabelPath(size_t index, Dimension dimension);

// The id that an article with this URL and no id of its own gets; empty if it isn't an absolute http(s) URL.
std::string IdFromUrl(absl::string_view url);

// Bytes of all text of the article: what limits and queues count.
size_t TextBytes(const Article& article);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_H_
