// What was fetched in earlier runs, kept in a file: so that what has not changed since is not fetched, or not sent,
// again.
#ifndef DATELINE_CLI_FETCH_STATE_H_
#define DATELINE_CLI_FETCH_STATE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "cli/http_fetch.h"
#include "cli/state_file.h"

namespace dateline::cli {

// Not thread-safe. Of several on one path, in whatever processes, one is at work at a time.
class FetchState {
 public:
  struct Entry {
    Validators validators = {};               // What the server sent with the page.
    std::optional<absl::Time> modified = {};  // As a sitemap or feed had it.
    std::string digest = {};                  // Of a feed or sitemap: its bytes, for servers that send no validators.
    bool refused = false;                     // The service refuses its article for good: it is not missing.
  };

  // Reads `path`, a JSON object; a file that isn't there, or is empty, is an empty one. InvalidArgument if it holds
  // something else, is no file, or is longer than kMaxBytes. FailedPrecondition if it can't be read, or while another
  // FetchState of that path is alive: two runs would each lose what the other remembers. (A lock is held on
  // `path`.lock, which goes with the object; one that a crash has left does no harm.)
  static absl::StatusOr<FetchState> Load(std::string path);

  // One that is kept in no file: Save() does nothing.
  static FetchState InMemory() { return FetchState("", nullptr); }

  static constexpr size_t kMaxBytes = 200'000'000;  // About a million addresses.

  Entry Find(const std::string& url) const;
  bool Has(const std::string& url) const { return entries_.count(url) > 0; }
  void Remember(const std::string& url, Entry entry) { entries_[url] = std::move(entry); }
  // The page is fetched as if it never had been, whenever it is named again.
  void Forget(const std::string& url) { entries_.erase(url); }
  // The same of all spellings of these addresses, which are as of common::CanonicalUrl. Looks at each entry.
  void ForgetAll(const std::set<std::string>& canonical_urls);

  // Writes the file beside its place first, so that it is never half of one.
  absl::Status Save() const;

 private:
  FetchState(std::string path, std::shared_ptr<FileLock> lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  std::shared_ptr<FileLock> lock_;
  std::map<std::string, Entry> entries_;  // By URL.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_FETCH_STATE_H_
