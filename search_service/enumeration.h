// Reads that go through the store from one end to the other: all articles, and all that changed. There is no limit to
// how deep they go; each call does a share of it, and says where the next one goes on.
#ifndef DATELINE_SEARCH_SERVICE_ENUMERATION_H_
#define DATELINE_SEARCH_SERVICE_ENUMERATION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "search_service/article.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

class ArticleStore;

inline constexpr int kDefaultListSize = 100;
inline constexpr int kMaxListSize = 1'000;  // Larger ones are taken as this.

// What both have in common. A filter that few articles pass takes long to fill a page: the answer comes shorter after a
// second, or half of the time to the deadline, even if nothing has passed yet; its token goes on all the same.
struct ShareOptions {
  std::string filter;  // As SearchQuery::filter.
  int page_size = 0;   // 0: kDefaultListSize; negative: an error.
  bool include_embargoed = false;
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled;  // May be empty; polled.
};

struct ListQuery : ShareOptions {
  std::string page_token;  // Of the page before; empty: from the beginning.
  // Only articles with a label, applied or rejected, from one of these; an editor's is also a replaced dimension.
  // Empty: all.
  std::vector<LabelSource> label_sources;
};

struct ArticleList {
  // Without body and evidence. Of one that is damaged the id alone, and nothing at all where there is a filter or where
  // label sources are asked for: nobody knows whether it would pass.
  std::vector<Article> articles;
  std::string next_page_token;  // Empty: there are no more.
};

// In the order in which ids came first, which stays: a page neither skips nor repeats what was there all the time.
// InvalidArgument names `page_size`, `filter` or `page_token`; FailedPrecondition, kReasonPageTokenExpired, for a token
// of another log; Cancelled.
absl::StatusOr<ArticleList> ListArticles(const ArticleStore& store, const Taxonomy& taxonomy, const ListQuery& query);

// How far somebody has followed the log. Whoever follows it in several steps has seen all up to `seq`, but for what had
// moved on before they came to it; so what is new to them is what is new since `base`, where they last were at the end
// of the log. At the end both are the same.
struct LogPlace {
  uint64_t base = 0;
  uint64_t seq = 0;
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

// What became of an article since LogPlace::base. Of several things that happened the first of these, deletion
// before all others.
enum class ChangeKind {
  kCreated = 1,     // It came, came again after a deletion, or its embargo ended.
  kUpdated = 2,     // The caller's fields changed.
  kRelabelled = 3,  // Other labels of the classifier or the publisher; or the classifier gave it up.
  kCorrected = 4,   // An editor changed its labels.
  kDeleted = 5,
};

struct ChangeQuery : ShareOptions {
  LogPlace since;
  View view = View::kBasic;
};

struct ArticleChange {
  ChangeKind kind = ChangeKind::kCreated;
  std::optional<absl::Time> change_time;  // Of the last change.
  Article article;  // By the view; `seq` is its place. Of one that was deleted id and URL; of one purged the id.
};

struct ChangeList {
  std::vector<ArticleChange>
      changes;           // By `seq`. Who can't use them all goes on from {since.base, seq of the last used}.
  LogPlace next;         // Where to go on after all of them.
  uint64_t log_seq = 0;  // Where the log ended. If `next` is there, there is no more for now.
};

// Articles as they are now, each once, at its last change. Left out are those that don't pass the filter now, those
// under embargo, and damaged ones; deletions pass every filter. Stops early at some MB of text. Errors as ListArticles.
absl::StatusOr<ChangeList> ListChanges(const ArticleStore& store, const Taxonomy& taxonomy, const ChangeQuery& query);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ENUMERATION_H_
