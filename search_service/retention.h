// How long articles are kept, by the source they are of.
#ifndef DATELINE_SEARCH_SERVICE_RETENTION_H_
#define DATELINE_SEARCH_SERVICE_RETENTION_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "search_service/article.h"

namespace dateline::search {

// Immutable.
class Retention {
 public:
  // Everything is kept.
  Retention() = default;

  // Rules such as "Example Review=90": articles of that source, verbatim, are kept for 90 days; "*=365" is for all
  // sources that no other rule names. InvalidArgument: a rule that is none, or a second one for a source.
  static absl::StatusOr<Retention> Parse(const std::vector<std::string>& rules);

  bool keeps_all() const { return ages_.empty() && !other_age_; }
  // When the article's time is up: so long after its `publish_time`, else after its `create_time`. InfiniteFuture if
  // never.
  absl::Time EndOf(const Article& article) const;

 private:
  std::map<std::string, absl::Duration, std::less<>> ages_;  // By source.
  std::optional<absl::Duration> other_age_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_RETENTION_H_
