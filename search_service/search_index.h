// The index: a view of the article store that answers queries, on Xapian. Every document shows a state of a row of the
// store; nothing of the text comes back out.
//
// One thread writes (Apply). Any number of threads call Match and the like at the same time; each call sees one state
// that was published. How it lies on the disk is in index_set.h.
#ifndef DATELINE_SEARCH_SERVICE_SEARCH_INDEX_H_
#define DATELINE_SEARCH_SERVICE_SEARCH_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "search_service/article.h"
#include "search_service/index_segment.h"
#include "search_service/query_node.h"
#include "search_service/query_parser.h"
#include "search_service/search_query.h"

namespace dateline::search {

// Raised whenever an index of before can't be read or updated any more: it is then built anew.
inline constexpr int32_t kIndexVersion = 7;

// A condition beside the query. A facet of `field` is counted without the conditions on that field.
struct IndexFilter {
  std::optional<FieldRef> field;
  QueryNode condition;
};

enum class SortOrder { kRelevance, kNewestFirst, kOldestFirst };

// Labels whose scores count for the ranking.
struct WantedLabel {
  Dimension dimension = Dimension::kCountry;
  std::string id;
};

// What articles are counted by: values of the dimensions (each of several that an article has), and the time.
struct TrendCounts {
  std::vector<FieldRef> dimensions;
  TrendBucket bucket = TrendBucket::kNone;
  absl::TimeZone zone;
};
// A bucket's number, one more for each next one (0 without buckets), and a value for each dimension.
using TrendKey = std::pair<int64_t, std::vector<std::string>>;
// When a bucket begins. Dates that are exact to the day, and others at midnight in UTC, are taken for that day in any
// zone.
absl::Time TrendBucketStart(TrendBucket bucket, int64_t number, absl::TimeZone zone);

// Adds a fixed amount to the score of articles for which a condition holds, among those that match.
struct Boost {
  QueryNode condition;
  double weight = 0.0;
  std::string reason;  // For explanations; empty: one for all such.
  // A phrase, and whatever has it matches the query anyway.
  bool is_phrase_of_query = false;
};

struct MatchRequest {
  QueryNode query;
  std::vector<IndexFilter> filters;
  SortOrder sort = SortOrder::kRelevance;
  LabelOptions labels;
  std::optional<int64_t> embargoed_after;  // Leave out what is visible later than this (seconds); absent: keep all.
  int max_hits = 10;
  // By relevance only: an article that has all of these in its title counts for more.
  std::vector<QueryNode> title_words;
  // By relevance only.
  RankingOptions ranking;
  std::vector<WantedLabel> wanted_labels;
  absl::Time now;  // For ages.
  CollapseKind collapse = CollapseKind::kNone;
  int max_alternates = 0;
  bool explain = false;
  // Rank, by relevance, by what the best hits have in common as well. Which articles match stays as it is.
  bool expand = false;
  std::vector<Boost> boosts;
  std::optional<TrendCounts> trends;
  std::vector<FieldRef> facets;
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled;
  bool partial_on_timeout = false;
};

struct HitRef {
  int64_t row = 0;  // Of the store.
  float score = 0.0F;
};

// Hits that another one stands for.
struct FoldedHits {
  int64_t count = 0;
  std::vector<int64_t> rows;  // The best, as many as were asked for.
};

struct MatchResult {
  std::vector<HitRef> hits;
  std::map<int64_t, FoldedHits> folded;         // By the row of the hit that stands for them.
  std::map<int64_t, std::string> explanations;  // By row.
  std::vector<std::string> expansion;           // Stems by which hits were ranked as well, the weightiest first.
  // Beginnings of words of which only the most frequent words were searched for: there may be more matches.
  std::vector<std::string> cut_beginnings;
  int64_t total = 0;
  bool complete = true;                                // False: the deadline came first.
  std::vector<std::map<std::string, int64_t>> facets;  // As in the request: counts by value.
  std::map<TrendKey, int64_t> trends;                  // ResourceExhausted if there are too many.
  absl::Duration facets_time;                          // Of the searches that only counted.
  uint64_t applied_seq = 0;
  uint64_t visible_seq = 0;  // As it was committed with what was searched.
  absl::Time commit_time;
  std::string state;       // What was searched: as SearchIndex::state().
  bool embargoes = false;  // As HasEmbargoes.
};

// What stands before and after a word of a query, folded; empty where that is nothing, or says nothing.
struct Neighbours {
  std::string before;
  std::string after;
};

// What a word that no article has, or few, may have been meant to be.
struct Corrections {
  std::vector<std::string> words;
  // Two words that it joins, and that articles have side by side; then there are no `words`.
  std::vector<std::string> parts;
  bool occurs = false;   // Articles have it as it is: the corrections are a guess.
  bool complete = true;  // False: the deadline came before all words had been looked at.
};

class IndexSet;

class SearchIndex {
 public:
  struct Options {
    int threads = 2;  // That analyse and write what comes in, at a time.
    // Between times at which all is forced to disk, and what was removed leaves it.
    absl::Duration sync_interval = absl::Minutes(1);
    // Called, from any thread and perhaps more than once, when a file turns out not to be as it was written.
    std::function<void()> on_damage = nullptr;
  };

  // Opens the index in the folder `path`, or makes it. One that is damaged, of another version or of another log is
  // thrown away and made anew: applied_seq() is 0 then. FailedPrecondition if it is ahead of `last_seq` of its log:
  // then the log has lost something.
  static absl::StatusOr<std::unique_ptr<SearchIndex>> Open(const std::string& path, const std::string& log_uuid,
                                                           uint64_t last_seq, const Options& options);
  // Whether there is an index in the folder, of whatever log.
  static bool IsIn(const std::string& path);
  // Forces all to disk.
  ~SearchIndex();

  // Publishes changes, each of another row: searches see all of them from then on. How far the index has come in the
  // store's log, and which prefix of it searches now see in full (visible_prefix.h), are published with them. After an
  // error nothing has changed.
  absl::Status Apply(absl::Span<const IndexChange> changes, uint64_t applied_seq, uint64_t visible_seq);
  // Forces all to disk that was published when this was called.
  absl::Status Sync();
  // Makes one segment of all, and leaves out what no longer counts. Cancelled, some time after `cancelled` (may be
  // empty) says so.
  absl::Status Compact(const std::function<bool()>& cancelled = {});
  // Forgets the files in which nothing counts any more, once all was written anew.
  absl::Status DropDead();
  // Whether what was forced to disk is as it was written: DataLoss if not. Reads all of it. Cancelled as above.
  absl::Status Verify(const std::function<bool()>& cancelled = {}) const;
  // Calls on_damage.
  void ReportDamage() const;
  // What its documents show, in no order.
  std::vector<RowState> States() const;
  // Whether the machine went down since the index was last used, so that damage is possible.
  bool opened_after_boot() const;
  // As last published.
  uint64_t applied_seq() const;
  uint64_t visible_seq() const;

  // DeadlineExceeded, Cancelled; Unavailable, DataLoss if the files can't be read; otherwise the query always has an
  // answer.
  absl::StatusOr<MatchResult> Match(const MatchRequest& request) const;
  // For a word that no article has: those that several articles have and that are spelled nearly the same, the nearest,
  // and of these those first that stand beside its neighbours, then the most frequent; at most so many. For one that
  // few articles have: the one that was meant, if all speaks for a slip. None if the word is frequent or, where it may
  // go on, one begins so; or if nothing is near.
  absl::StatusOr<Corrections> Correct(const SearchedWord& word, const Neighbours& neighbours, size_t max_words,
                                      absl::Time deadline) const;
  // Whether two words that follow one another, folded, are hardly ever written so, and often as one.
  absl::StatusOr<bool> IsOneWord(const std::string& first, const std::string& second, absl::Time deadline) const;
  // How many documents have each of these stems.
  absl::StatusOr<std::vector<int64_t>> StemFrequencies(const std::vector<std::string>& stems) const;
  // Whether an article may be visible from a time later than `now` only. Once all embargoes have ended, and until those
  // articles change, it may say so still.
  absl::StatusOr<bool> HasEmbargoes(absl::Time now) const;
  int64_t document_count() const;
  int64_t segment_count() const;
  std::string generation() const;
  // The same search on the same state finds the same hits in the same order, before and after a restart.
  std::string state() const;
  int64_t DiskBytes() const;
  absl::Time commit_time() const;

 private:
  explicit SearchIndex(std::unique_ptr<IndexSet> set);
  std::unique_ptr<IndexSet> set_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_INDEX_H_
