// A search and its answer, as plain types.
#ifndef DATELINE_SEARCH_SERVICE_SEARCH_QUERY_H_
#define DATELINE_SEARCH_SERVICE_SEARCH_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "search_service/article.h"

namespace dateline::search {

// Limits that the contract states. Errors name the field and the limit.
inline constexpr size_t kMaxQueryBytes = 1'000;  // KB is 10^3.
inline constexpr size_t kMaxFilterBytes = 2'048;
inline constexpr size_t kMaxQueryTerms = 64;
inline constexpr int kDefaultPageSize = 10;
inline constexpr int kMaxPageSize = 100;  // Larger ones are taken as this.
inline constexpr int kMaxDepth = 1'000;   // skip + all pages together.
inline constexpr size_t kMaxFacets = 20;
inline constexpr size_t kMaxFacetPrefixBytes = 256;
inline constexpr int kDefaultFacetLimit = 10;
inline constexpr int kMaxFacetLimit = 1'000;
inline constexpr size_t kMaxFilterValues = 100;      // Of one list of ids or selection.
inline constexpr size_t kMaxSelectedValues = 1'000;  // Of all selections of a search.
inline constexpr int kMaxSnippetsPerHit = 10;
inline constexpr int kMaxSnippetBytes = 2'000;

// Names that `filter`, selections, facets and order_by share:
//   region_code, group_id, issue_id, source, author, language_code, content_type, year ("2026"), month ("2026-01"),
//   attributes.NAME: filter, selections and facets
//   publish_time: filter (comparisons with RFC 3339 times or dates) and order_by; update_time, id, url: filter
// "country", "group", "issue" and "language" are accepted as short names.

struct Selection {
  std::string field;
  std::vector<std::string> values;
  bool match_all = false;  // AND within this selection instead of OR; AND between selections.
};

struct FacetRequest {
  std::string field;
  // Only values whose id or display name starts with this, case ignored; at most kMaxFacetPrefixBytes.
  std::string prefix;
  bool order_by_id = false;  // Instead of most first.
  bool exact = false;        // No counts rather than partial ones, where the time runs out.
  int limit = 0;             // Values with the most articles, at most kMaxFacetLimit; 0: kDefaultFacetLimit.
};

struct SnippetOptions {
  bool title = true;    // The title, where a word is in it: as a whole, however long.
  bool body = true;     // Passages of the body.
  int max_count = 2;    // Body passages for a hit; 1 to kMaxSnippetsPerHit.
  int max_bytes = 240;  // Of one passage; 40 to kMaxSnippetBytes.
};

enum class MatchMode {
  kFullQuery,       // The words as they stand.
  kLiteral,         // No query language: every character is text to look for.
  kPrefixLastWord,  // The last word may be the beginning of one: for a search box as one types.
};

// What to do about words that no article has, or hardly any.
enum class TypoMode {
  kAuto,         // Words that are spelled nearly the same match as well, below what has the word itself.
  kSuggestOnly,  // Interpretation::corrected_query only.
  kOff,
};

// What to do with names of countries, groups and issues in the query.
enum class NameMode { kOff, kBoost, kFilter };
inline constexpr size_t kMaxIgnoredNames = 64;

// By what hits belong together and are shown as one.
enum class CollapseKind { kNone, kNearDuplicate, kSource, kAuthor };
inline constexpr int kMaxAlternates = 10;

// How the thousand best hits by their text are ordered in the end: a text's score is multiplied by
//   1 - freshness_weight + freshness_weight * 2 ^ (-age / half life), and by
//   1 - label_weight + label_weight * the best score of a label that was asked for.
// An article without a date is as old as can be; one that has none of the labels asked for (they are filters) has no
// second factor.
struct RankingOptions {
  absl::Duration freshness_half_life = absl::ZeroDuration();  // Zero: age doesn't matter.
  double freshness_weight = 0.5;                              // 0 to 1.
  double label_weight = 0.0;                                  // 0 to 1.
  bool reorders() const {
    return (freshness_half_life > absl::ZeroDuration() && freshness_weight > 0.0) || label_weight > 0.0;
  }
};

enum class View {
  kBasic,    // Neither body nor evidence.
  kSnippet,  // Basic, with the evidence of labels.
  kFull,     // Everything.
};

struct SearchQuery {
  // What a person types; never an error for its form. Empty, or with nothing in it that can be searched for: browses,
  // newest first.
  std::string query;
  std::string filter;  // What a program writes: `country = "IR" AND publish_time >= "2026-01-01"`; errors are answered.
  // A region or a group among these (OR), and an issue among those.
  std::vector<std::string> region_codes;
  std::vector<std::string> group_ids;
  std::vector<std::string> issue_ids;
  // An article about a member counts as one about the group, wherever a group is asked for: above, in `selections`, in
  // `filter` and in `query`.
  bool expand_groups = false;
  std::vector<Selection> selections;
  std::string order_by;  // "relevance" (default), "publish_time desc" (default without a query), "publish_time asc".
  int page_size = 0;     // 0: kDefaultPageSize; negative: an error.
  std::string page_token;
  int skip = 0;  // Hits to leave out before the first page; not with a page_token.
  std::vector<FacetRequest> facets;
  SnippetOptions snippet;
  MatchMode match_mode = MatchMode::kFullQuery;
  TypoMode typo_mode = TypoMode::kAuto;
  // kBoost: articles with the label rank higher. kFilter: others are left out.
  NameMode name_mode = NameMode::kBoost;
  std::vector<std::string> ignored_names;  // RecognizedName::id.
  CollapseKind collapse = CollapseKind::kNone;
  int max_alternates = 0;  // Of each hit, to kMaxAlternates.
  RankingOptions ranking;
  bool explain = false;  // Hit::explanation, of the first hundred hits.
  View view = View::kSnippet;
  std::string language_code;     // Of the query; decides stemming. Empty: by its script and what the index holds.
  std::string display_language;  // Of display names; empty: English.
  LabelOptions labels;           // Which labels filters and facets go by.
  bool include_embargoed = false;
  std::string min_commit_token;  // The answer must include this commit; waits until `deadline`.
  // What newer_than, freshness and embargoes go by on the first page, and so on the pages after it. Absent: the clock.
  std::optional<absl::Time> time;

  // Matching itself stops at either: DeadlineExceeded or Cancelled. `cancelled` may be empty; it is called from the
  // searching thread, often, and must be quick.
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled;
  bool partial_on_timeout = false;  // At the deadline answer what there is, marked degraded, rather than an error.
  // Of a partial answer: hits that are not filled in by then come without passages.
  absl::Time passages_until = absl::InfiniteFuture();
};

absl::Status SearchOutOfTime();  // DeadlineExceeded.
absl::Status SearchCancelled();  // Cancelled.
// One of these if it is so. `cancelled` may be empty.
absl::Status CheckTime(absl::Time deadline, const std::function<bool()>& cancelled);

// Half-open UTF-8 byte range in the text beside it.
struct TextRange {
  int32_t start = 0;
  int32_t end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

// A passage of plain text (never HTML) and the words in it that match.
struct Snippet {
  std::string field;  // "title": the whole title. "body": a passage.
  std::string text;
  std::vector<TextRange> ranges;
};

struct Hit {
  Article article;     // Fields by `view`. `labels` are those that count by the query's LabelOptions.
  double score = 0.0;  // Of relevance; comparable within one answer only.
  std::vector<Snippet> snippets;
  int64_t collapsed_count = 0;      // Of the ten thousand best hits, how many more were folded into this one.
  std::vector<Article> alternates;  // The best of them, heads only.
  std::string explanation;          // How the score came about.
};

struct FacetValue {
  std::string id;
  std::string display_name;
  int64_t count = 0;
  bool selected = false;
};

struct Facet {
  std::string field;
  std::vector<FacetValue> values;  // Most first, then by id; selected values always, even with count 0.
  int64_t other_count = 0;         // Sum of the counts of the values that are not listed.
  bool exact = true;
};

// A name in the query, and the label that it stands for.
struct RecognizedName {
  std::string id;  // "country:IR"; for SearchQuery::ignored_names.
  Dimension dimension = Dimension::kCountry;
  std::string label_id;
  std::string text;  // Of the query,
  TextRange range;   // and where it stands there.
  // On one side of an OR: NameMode::kFilter only raises what has the label.
  bool alternative = false;
};

// What was made of `query`.
struct Interpretation {
  std::string normalized_query;            // As it was searched, in the query language.
  std::vector<std::string> ignored_parts;  // Of the query: what had no effect, as it stands there; the first ten.
  // "Did you mean": the query as typed but for what looks like a slip; empty if nothing does.
  std::string corrected_query;
  std::vector<std::string> notes;  // For people: what was relaxed, what was searched literally.
  bool relaxed = false;            // Not every word was required.
  // Stems by which the hits were ranked as well, as the best of them have them in common; the weightiest first.
  std::vector<std::string> expansion;
  std::vector<RecognizedName> names;
};

struct SearchResult {
  std::vector<Hit> hits;
  std::string next_page_token;  // Empty: this was the last page.
  int64_t total = 0;
  bool total_exact = true;
  std::vector<Facet> facets;
  Interpretation interpretation;
  uint64_t visible_seq = 0;  // Of the index that was searched.
  std::string commit_token;  // The same, to hand out.
  uint64_t state = 0;      // The same query has the same answer while this stays, but for the clock; 0: not even then.
  absl::Time index_time;   // When that index was committed.
  bool embargoes = false;  // An article that is not here yet may be here later, without any commit.
  bool relative = false;   // The query asks for newer_than or older_than, which the clock moves on.
  bool degraded = false;   // The deadline came before the match was complete.
  // The index, which is being built anew, does not have all yet that was there when the service started.
  bool incomplete = false;
  absl::Duration match_time;   // In the index, without:
  absl::Duration facets_time;  // What counting took beside the match: searches of facets' own.
  absl::Duration fetch_time;   // Hits and snippets.
};

// Later pages are cut from the ranking that the first one made, which is kept until `max_age` after its last token was
// handed out: pages neither overlap nor skip while articles come in. Rankings take 9 KB each at 1,000 hits without
// facets, and at most `max_bytes` together. Where those are full, rankings that handed out no token for 60 seconds make
// room; younger ones never do. A token whose ranking is not kept (there was no room, it is too old, the server was
// started anew) goes on exactly while the index is as it was, by the same search, and is refused otherwise.
struct PagingLimits {
  absl::Duration max_age = absl::Minutes(2);
  size_t max_bytes = 128'000'000;  // 14,000 searches within a minute that have a second page.
};

enum class TrendBucket { kNone, kDay, kWeek, kMonth, kYear };
inline constexpr size_t kMaxTrendDimensions = 2;
inline constexpr int kDefaultTrendCells = 1'000;
inline constexpr int kMaxTrendCells = 10'000;

struct TrendQuery {
  SearchQuery selection;  // What selects articles in it: query, filter, lists, selections, labels, deadline.
  std::vector<std::string> dimensions;  // region_code, group_id, issue_id, source.
  TrendBucket bucket = TrendBucket::kNone;
  std::string time_zone;  // IANA; empty: UTC.
  int page_size = 0;      // 0: kDefaultTrendCells.
  std::string page_token;
};

struct TrendCell {
  std::vector<std::string> values;
  absl::Time bucket_start = absl::InfinitePast();  // Without buckets.
  int64_t count = 0;
  std::optional<double>
      expected_count;  // The mean of the eight buckets before; absent without buckets, and in the first.
};

struct TrendResult {
  std::vector<TrendCell> cells;  // By time, then by values.
  std::string next_page_token;
  uint64_t visible_seq = 0;
};

struct SimilarQuery {
  std::string id;    // Of a stored article, or its URL; or
  std::string text;  // a text.
  std::string filter;
  int page_size = 0;  // As SearchQuery's.
  View view = View::kBasic;
  bool include_embargoed = false;
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled = {};
};
inline constexpr size_t kMaxSimilarBytes = 100'000;

enum class SuggestionKind { kArticle, kCountry, kGroup, kIssue, kAuthor, kSource, kPhrase };

struct SuggestQuery {
  std::string prefix;                 // From the first letter on; ≤ kMaxQueryBytes.
  int limit = 10;                     // ≤ 50.
  std::vector<SuggestionKind> kinds;  // Empty: all.
  std::string display_language;
};

struct Suggestion {
  SuggestionKind kind = SuggestionKind::kArticle;
  std::string text;               // The title, the name or the phrase.
  std::vector<TextRange> ranges;  // What was typed, in `text`.
  std::string id;                 // Article id, region code, group id or issue id; empty for all others.
  int64_t article_count = 0;      // Articles that carry it; 1 for an article; of a phrase those whose title has it.
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_QUERY_H_
