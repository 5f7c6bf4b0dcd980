// Answers queries: reads them, matches them in the index, keeps the ranked hits for the pages to come, and fills hits
// in from the article store.
#ifndef DATELINE_SEARCH_SERVICE_SEARCHER_H_
#define DATELINE_SEARCH_SERVICE_SEARCHER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/mutex.h"
#include "search_service/article_store.h"
#include "search_service/query_parser.h"
#include "search_service/search_index.h"
#include "search_service/search_query.h"
#include "search_service/synonyms.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// Thread-safe. `store` and `index` must outlive it.
class Searcher {
 public:
  Searcher(const ArticleStore& store, const SearchIndex& index, const PagingLimits& limits);

  // `commit_token` and `min_commit_token` are the engine's business.
  absl::StatusOr<SearchResult> Search(const SearchQuery& query, const Taxonomy& taxonomy,
                                      const Synonyms& synonyms) const;
  // As the functions of trends.h and similar_articles.h.
  absl::StatusOr<TrendResult> AnalyzeTrends(const TrendQuery& query, const Taxonomy& taxonomy) const;
  absl::StatusOr<std::vector<Hit>> FindSimilarArticles(const SimilarQuery& query, const Taxonomy& taxonomy) const;

 private:
  // What a first page leaves behind for the next ones.
  struct Ranking {
    uint64_t id = 0;  // In kept_; 0: it is not kept.
    std::vector<HitRef> hits;
    std::map<int64_t, FoldedHits> folded;  // By row.
    std::map<int64_t, std::string> explanations;
    SearchResult answer;  // Without hits: total, facets, interpretation.
    std::vector<SearchedWord> words;
    std::vector<SearchedPhrase> phrases;
    int64_t visible_until = 0;  // What is under embargo at this time (seconds) is not in it.
  };
  struct Kept {
    std::shared_ptr<const Ranking> ranking;
    size_t bytes = 0;
    absl::Time used;  // When it last handed out a token.
  };
  class AnalyzerLease;

  absl::StatusOr<std::shared_ptr<Ranking>> Rank(const SearchQuery& query, const Taxonomy& taxonomy,
                                                const Synonyms& synonyms, TextAnalyzer& analyzer,
                                                int64_t visible_until) const;
  // What words were meant that no article has, into `parsed`.
  // Where `query` asks for any of several words, lets it ask for two or three of them, and says how many.
  absl::StatusOr<size_t> DemandEnough(QueryNode& query) const;
  absl::Status CorrectWords(const SearchQuery& query, TextAnalyzer& analyzer, ParsedQuery& parsed) const;
  // Facets count languages without their regions, "en" for "en-GB" as well; a selected "en-GB" is counted by itself.
  absl::Status CountSelectedLanguages(const SearchQuery& query, const MatchRequest& request,
                                      MatchResult& matches) const;
  absl::StatusOr<std::shared_ptr<const Ranking>> Continue(const SearchQuery& query, const Taxonomy& taxonomy,
                                                          const Synonyms& synonyms, TextAnalyzer& analyzer,
                                                          uint64_t fingerprint, size_t& offset) const;
  absl::Status FillPage(const SearchQuery& query, const Ranking& ranking, size_t& offset, TextAnalyzer& analyzer,
                        SearchResult& result) const;
  // Sets the ranking's id if there is room for it.
  void Keep(const std::shared_ptr<Ranking>& ranking) const;
  // Null if it is not kept, or too old.
  std::shared_ptr<const Ranking> FindKept(uint64_t id) const;

  const ArticleStore& store_;
  const SearchIndex& index_;
  const PagingLimits limits_;
  const uint64_t nonce_;  // Tokens of another process are told apart by it.

  mutable common::Mutex mutex_;
  mutable uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  mutable std::list<Kept> kept_ ABSL_GUARDED_BY(mutex_);  // The longest unused first.
  mutable absl::flat_hash_map<uint64_t, std::list<Kept>::iterator> kept_by_id_ ABSL_GUARDED_BY(mutex_);
  mutable size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable std::vector<std::unique_ptr<TextAnalyzer>> analyzers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCHER_H_
