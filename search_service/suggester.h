// What a search box offers while one types: titles, countries, groups, issues, authors, sources, and phrases that
// several titles have, which begin, or have a word that begins, with what was typed; or with what may have been meant
// by it.
//
// Held in memory, made from the heads of all articles at the start and kept up to date by the indexer. All of it
// belongs to articles, and goes with the last one that has it.
#ifndef DATELINE_SEARCH_SERVICE_SUGGESTER_H_
#define DATELINE_SEARCH_SERVICE_SUGGESTER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "common/mutex.h"
#include "search_service/article.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Titles that must have a phrase before it is suggested.
inline constexpr int kMinPhraseTitles = 3;

// Thread-safe.
class Suggester {
 public:
  Suggester();
  ~Suggester();
  Suggester(const Suggester&) = delete;
  Suggester& operator=(const Suggester&) = delete;

  // Takes in a new state of the article in this row.
  void Update(int64_t row, const Article& article);
  void Remove(int64_t row);

  // What has all typed words as they are, or begun; behind it what has words that they may be mistyped for, as
  // Resemblance() in vocabulary.h says. A word is taken for mistyped if hardly anything begins with it. Both parts have
  // names first, those that most articles carry; then phrases, those in most titles; then articles, the newest; and of
  // each what begins with the first typed word comes before what has it further on. Names and titles that are what was
  // typed come before all longer ones; a label's names are those in all languages, its aliases, its demonyms and, typed
  // whole, a country's code.
  std::vector<Suggestion> Suggest(const SuggestQuery& query, const std::shared_ptr<const Taxonomy>& taxonomy) const;

 private:
  class Impl;
  mutable common::Mutex mutex_;
  const std::unique_ptr<Impl> impl_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SUGGESTER_H_
