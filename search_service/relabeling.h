// Tags articles again that have tags already: because the labeler has another model, or because somebody asks for it.
#ifndef DATELINE_SEARCH_SERVICE_RELABELING_H_
#define DATELINE_SEARCH_SERVICE_RELABELING_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "search_service/article_labeler.h"
#include "search_service/article_store.h"
#include "search_service/engine.h"
#include "search_service/job_list.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Thread-safe. What it is made of must outlive it.
class Relabeling {
 public:
  struct Options {
    double rate = 200.0;  // Articles a second that are changed at most; what changes nothing may go faster.
    absl::Duration labeling_timeout = absl::Seconds(20);  // Of a batch.
    // Between tries while the labeler is away: doubled from the first to the second.
    absl::Duration min_backoff = absl::Milliseconds(100);
    absl::Duration max_backoff = absl::Seconds(3);
  };
  // Makes a change of the store and waits until it is durable.
  using Write = std::function<absl::Status(std::function<absl::Status(ArticleStore&)>)>;
  using GetTaxonomy = std::function<std::shared_ptr<const Taxonomy>()>;

  Relabeling(const Options& options, const ArticleStore& store, ArticleLabeler& labeler, Write write,
             GetTaxonomy taxonomy)
      : options_(options), store_(store), labeler_(labeler), write_(std::move(write)), taxonomy_(std::move(taxonomy)) {}

  // The work of a job. Waits for the labeler for as long as it takes. Articles that come, change or wait for their
  // labels meanwhile are not its business. After a crash, what it has done stays done: with only_outdated the next run
  // goes on where this one was. Cancelled; InvalidArgument: the filter.
  absl::StatusOr<std::string> Run(JobList::Run& run, const RelabelRequest& request) const;

 private:
  const Options options_;
  const ArticleStore& store_;
  ArticleLabeler& labeler_;
  const Write write_;
  const GetTaxonomy taxonomy_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_RELABELING_H_
