// What a search box offers while one types: titles, countries, groups, issues, authors and sources that begin, or have
// a word that begins, with what was typed.
//
// Held in memory, made from the heads of all articles at the start and kept up to date by the indexer. Thread-safe.
#ifndef DATELINE_SEARCH_SERVICE_SUGGESTER_H_
#define DATELINE_SEARCH_SERVICE_SUGGESTER_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"

#include "common/mutex.h"
#include "search_service/article.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

class Suggester {
 public:
  // Takes in a new state of the article in this row.
  void Update(int64_t row, const Article& article);
  void Remove(int64_t row);

  // Names before articles; the names with the most articles first, then the newest articles.
  std::vector<Suggestion> Suggest(const SuggestQuery& query, const Taxonomy& taxonomy, absl::Time now) const;

 private:
  // A name that articles carry: how many, and its folded words.
  struct Name {
    int64_t article_count = 0;
    std::vector<std::string> words;
  };
  struct Entry {
    std::string title;
    std::string id;
    std::string url;
    int64_t publish_time = 0;  // Seconds.
    int64_t visible_from = 0;
    std::vector<std::string> words;                             // Folded, of the title.
    std::vector<std::pair<SuggestionKind, std::string>> names;  // Authors, the source, label ids.
  };
  using WordEntry = std::pair<std::string, int64_t>;  // Folded word, and the row negated: newest rows first.

  void RemoveLocked(int64_t row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable common::Mutex mutex_;
  TextAnalyzer analyzer_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<WordEntry> words_ ABSL_GUARDED_BY(mutex_);
  // By kind, and by name or id.
  std::map<SuggestionKind, std::map<std::string, Name>> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SUGGESTER_H_
