// Which articles the places have that a job was told: what is stored and not among them is gone.
#ifndef DATELINE_CLI_INVENTORY_H_
#define DATELINE_CLI_INVENTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"

#include "common/mutex.h"
#include "extraction/extraction.h"

namespace dateline::cli {

// Holds hashes, so that memory is bounded by the number of articles; two that agree by chance keep an article that is
// gone. Thread-safe.
class Inventory {
 public:
  void AddId(absl::string_view id);
  // In any spelling that means the same address (common/url.h); what is none is passed over.
  void AddUrl(absl::string_view url);
  // All that `article` is known by. One that has neither an id nor an address is counted.
  void Add(const extraction::Article& article);
  // The service has taken the article that it calls by this id.
  void AddTaken(absl::string_view id);
  // A place names the address, and its page answers 404 or 410.
  void AddGone(absl::string_view url);

  // Something of which not even the name could be read.
  void AddUnreadable();
  // A source lists its latest articles only.
  void AddLatestOnly();
  // A source is a feed or a sitemap, or is none.
  void AddSource(bool is_list_of_site);

  // Whether an article with this id, or this address, is there. An address whose page is gone is not, unless an article
  // was read that has it.
  bool HasId(absl::string_view id) const;
  bool HasUrl(absl::string_view url) const;
  // Whether the page of this address was asked for, and is gone.
  bool IsGone(absl::string_view url) const;

  // Of the ids that the service has taken: whether it is one, and how many there are.
  bool WasTaken(absl::string_view id) const;
  int64_t taken() const;

  // How many articles were read of which only the service can tell the id, by their text.
  int64_t nameless() const;
  int64_t unreadable() const;
  bool latest_only() const;
  // There was a source, and each was a feed or a sitemap.
  bool all_lists_of_site() const;

 private:
  mutable common::Mutex mutex_;
  std::unordered_set<size_t> ids_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<size_t> urls_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<size_t> gone_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<size_t> taken_ ABSL_GUARDED_BY(mutex_);
  int64_t nameless_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t unreadable_ ABSL_GUARDED_BY(mutex_) = 0;
  bool latest_only_ ABSL_GUARDED_BY(mutex_) = false;
  bool lists_ ABSL_GUARDED_BY(mutex_) = false;
  bool others_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INVENTORY_H_
