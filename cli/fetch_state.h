// What was fetched in earlier runs, kept in a file: so that what has not changed since is not fetched, or not sent,
// again.
#ifndef DATELINE_CLI_FETCH_STATE_H_
#define DATELINE_CLI_FETCH_STATE_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "cli/http_fetch.h"

namespace dateline::cli {

// Not thread-safe.
class FetchState {
 public:
  struct Entry {
    Validators validators;               // What the server sent with the page.
    std::optional<absl::Time> modified;  // As a sitemap or feed had it.
  };

  // Reads `path`, a JSON object; a file that isn't there is an empty one. InvalidArgument if it holds something else.
  static absl::StatusOr<FetchState> Load(std::string path);

  Entry Find(const std::string& url) const;
  void Remember(const std::string& url, Entry entry) { entries_[url] = std::move(entry); }

  // Writes the file beside its place first, so that it is never half of one.
  absl::Status Save() const;

 private:
  explicit FetchState(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::map<std::string, Entry> entries_;  // By URL.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_FETCH_STATE_H_
