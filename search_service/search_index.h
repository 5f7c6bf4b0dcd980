// The index: a view of the article store that answers queries, on Xapian. Every document is known by the article's id
// and holds the article's row number; nothing of the text comes back out.
//
// One thread writes (Upsert … Commit). Any number of threads call Match, Resolve and the like at the same time; each
// call sees one committed revision. The documents are spread over a set of databases that is searched as one; today
// the set has one member.
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

#include "search_service/article.h"
#include "search_service/query_node.h"
#include "search_service/query_parser.h"

namespace dateline::search {

// Raised whenever an index of before can't be read or updated any more: it is then built anew.
inline constexpr int32_t kIndexVersion = 2;

// A condition beside the query. A facet of `field` is counted without the conditions on that field.
struct IndexFilter {
  std::optional<FieldRef> field;
  QueryNode condition;
};

enum class SortOrder { kRelevance, kNewestFirst, kOldestFirst };

struct MatchRequest {
  QueryNode query;
  std::vector<IndexFilter> filters;
  SortOrder sort = SortOrder::kRelevance;
  LabelOptions labels;
  std::optional<int64_t> embargoed_after;  // Leave out what is visible later than this (seconds); absent: keep all.
  int max_hits = 10;
  std::vector<FieldRef> facets;
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled;
  bool partial_on_timeout = false;
};

// A document in the set of databases; good for Resolve for as long as `generation` of the index stays.
struct HitRef {
  uint32_t document = 0;
  float score = 0.0F;
};

struct MatchResult {
  std::vector<HitRef> hits;
  int64_t total = 0;
  bool complete = true;                                // False: the deadline came first.
  std::vector<std::map<std::string, int64_t>> facets;  // As in the request: counts by value.
  absl::Duration facets_time;                          // Of the searches that only counted.
  uint64_t applied_seq = 0;
  uint64_t visible_seq = 0;  // As it was committed with what was searched.
  absl::Time commit_time;
  bool embargoes = false;  // As HasEmbargoes.
};

class SearchIndex {
 public:
  // Opens the index in the folder `path`, or makes it. One that is damaged, of another version or of another log is
  // thrown away and made anew: applied_seq() is 0 then. So is one that is ahead of `last_seq` of its log. After the
  // machine went down it is checked first.
  static absl::StatusOr<std::unique_ptr<SearchIndex>> Open(const std::string& path, const std::string& log_uuid,
                                                           uint64_t last_seq);
  ~SearchIndex();

  // Writing, from one thread. After an error call Recover: it forgets what was not committed.
  // Puts a document in place of the one with the same id. Where only labels or language differ little is written.
  absl::Status Upsert(int64_t row, const Article& article);
  absl::Status Remove(absl::string_view id);
  // Publishes everything so far. How far the index has come in the store's log, and which prefix of it searches now see
  // in full (visible_prefix.h), are part of the same commit. `durable`: also forced to disk.
  absl::Status Commit(uint64_t applied_seq, uint64_t visible_seq, bool durable);
  absl::Status Recover();
  // As last committed.
  uint64_t applied_seq() const;
  uint64_t visible_seq() const;

  // DeadlineExceeded, Cancelled; Unavailable if the index kept changing; otherwise the query always has an answer.
  absl::StatusOr<MatchResult> Match(const MatchRequest& request) const;
  // The rows of the documents; 0 for those that are gone.
  absl::StatusOr<std::vector<int64_t>> Resolve(const std::vector<HitRef>& hits) const;
  // For words that no article has: one that many articles have and that is spelled nearly the same. Nullopt if the
  // word occurs, or nothing is near.
  absl::StatusOr<std::optional<std::string>> Correct(const SearchedWord& word, absl::Time deadline) const;
  // Whether an article may be visible from a time later than `now` only. Once all embargoes have ended, and until those
  // articles change, it may say so still.
  absl::StatusOr<bool> HasEmbargoes(absl::Time now) const;
  absl::StatusOr<int64_t> document_count() const;
  std::string generation() const;
  int64_t DiskBytes() const;
  absl::Time commit_time() const;

 private:
  class Impl;
  explicit SearchIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_INDEX_H_
