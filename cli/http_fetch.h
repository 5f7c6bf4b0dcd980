// Fetches pages over http or https: what the user named as a browser would, what is found there as a polite crawler.
#ifndef DATELINE_CLI_HTTP_FETCH_H_
#define DATELINE_CLI_HTTP_FETCH_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "cli/robots.h"

namespace dateline::cli {

struct FetchOptions {
  size_t max_bytes = 16'000'000;  // After decompression: what the server sends may unpack to a thousand times as much.
  absl::Duration timeout = absl::Seconds(30);  // For one page, redirects included, pauses not.
  int max_redirects = 5;
  // The rest is for what was found, not for what the user named.
  absl::Duration delay = absl::Seconds(1);  // Between the beginnings of two fetches from one host; robots.txt may ask
                                            // for more, up to half a minute.
  bool obey_robots = true;
  bool allow_private_addresses = false;
};

// What a server calls the state of a page: sent back, it spares both sides a page that has not changed.
struct Validators {
  std::string etag;
  std::string last_modified;
  bool empty() const { return etag.empty() && last_modified.empty(); }
};

struct FetchedPage {
  bool not_modified = false;  // As `validators` said; there is no content then.
  std::string content;
  std::string media_type;              // The Content-Type header, parameters included; empty if there was none.
  std::string url;                     // Where it was found in the end.
  std::vector<std::string> redirects;  // The addresses that led there, the one asked for first; empty if none did.
  Validators validators;               // For the next time.
  absl::Time fetch_time;
};

// One fetch after another, each of which blocks. Keeps connections, the robots.txt of each site, and when each host was
// last asked. Not thread-safe.
//
// Errors of both: InvalidArgument for an address that is not http or https (also one that a redirect leads to) or not
// well-formed; NotFound for 404 and 410, PermissionDenied for 401, 403 and 451, Unavailable for a host that cannot be
// reached and for 5xx and 429, FailedPrecondition for other answers but 2xx and for too many redirects,
// ResourceExhausted beyond `max_bytes`, DeadlineExceeded beyond `timeout`, Cancelled when `interrupted` says true.
class HttpFetcher {
 public:
  HttpFetcher(FetchOptions options, std::function<bool()> interrupted);
  ~HttpFetcher();
  HttpFetcher(const HttpFetcher&) = delete;
  HttpFetcher& operator=(const HttpFetcher&) = delete;

  // An address that the user typed: at once, and from wherever it is.
  absl::StatusOr<FetchedPage> FetchNamed(const std::string& url, const Validators& known = {});

  // An address found in a feed, a sitemap or a table. Waits as long as the host's pace asks. PermissionDenied, saying
  // so, if robots.txt forbids it, or if it leads to this machine or into a private network: a feed from anywhere must
  // not make us ask the printer. A host that the user named is not foreign, and may be private.
  absl::StatusOr<FetchedPage> FetchFound(const std::string& url, const Validators& known = {});

 private:
  struct Answer;
  struct Site;
  class Transfer;

  absl::StatusOr<FetchedPage> Fetch(const std::string& url, const Validators& known, bool named);
  // One request, no redirects.
  absl::StatusOr<Answer> Ask(const std::string& url, const Validators& known, bool trusted, absl::Time deadline,
                             size_t max_bytes);
  // OK once `url` may be asked for; how long that took is added to the deadline.
  absl::Status AwaitTurn(const std::string& url, absl::Time* deadline);
  RobotsRules FetchRobots(const std::string& origin);

  const FetchOptions options_;
  const std::function<bool()> interrupted_;
  struct HandleCloser {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, HandleCloser> handle_;
  std::set<std::string> named_hosts_;  // With ports, as in the addresses that the user typed.
  std::map<std::string, Site> sites_;  // By scheme, host and port.
};

// Whether a numeric address is one of this machine, a private network, or nobody's: not for strangers to send us to.
bool IsPrivateAddress(absl::string_view numeric_address);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_HTTP_FETCH_H_
