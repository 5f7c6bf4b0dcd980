// Fetches pages over http or https: what the user named as a browser would, what is found there as a polite crawler.
#ifndef DATELINE_CLI_HTTP_FETCH_H_
#define DATELINE_CLI_HTTP_FETCH_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
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
#include "extraction/format.h"

namespace dateline::cli {

struct FetchOptions {
  // Both after decompression: what the server sends may unpack to a thousand times as much.
  size_t max_bytes = 16'000'000;             // Of a page.
  int64_t max_source_bytes = 4'000'000'000;  // Of a feed, a sitemap, an export: kept in a temporary file.
  // For one page, redirects included, pauses not. For a source: as long as nothing comes, or next to nothing; and six
  // hours in all. What was asked for as a source and turns out to be one page is bounded as that.
  absl::Duration timeout = absl::Seconds(30);
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
  std::shared_ptr<std::FILE> file;  // What is longer than a page may be: a temporary file, at its beginning, in place
                                    // of `content`. Its name is gone already.
  int64_t size = 0;                 // In bytes, of either.
  std::string media_type;           // The Content-Type header, parameters included; empty if there was none.
  std::string url;                  // Where it was found in the end; no address here has a name or password in it.
  std::vector<std::string> redirects;  // The addresses that led there, the one asked for first; empty if none did.
  Validators validators;               // For the next time.
  absl::Time fetch_time;
};

// One fetch after another, each of which blocks. Keeps connections, the robots.txt of each site, and when each host was
// last asked. Not thread-safe.
//
// Errors of both: InvalidArgument for an address that is not http or https (also one that a redirect leads to) or not
// well-formed; NotFound for 404 and 410, PermissionDenied for 401, 403 and 451, Unavailable for a host that cannot be
// reached and for 5xx and 429, FailedPrecondition for other answers but 2xx, for 206, for what is no HTTP and for too
// many redirects, ResourceExhausted beyond `max_bytes` or `max_source_bytes`, or when no temporary file can be written,
// DataLoss for an answer that breaks off, DeadlineExceeded beyond `timeout`, Cancelled when `interrupted` says true.
class HttpFetcher {
 public:
  HttpFetcher(FetchOptions options, std::function<bool()> interrupted);
  ~HttpFetcher();
  HttpFetcher(const HttpFetcher&) = delete;
  HttpFetcher& operator=(const HttpFetcher&) = delete;

  // An address that the user typed: at once, and from wherever it is. A name and password in it are sent to its own
  // scheme, host and port, also for what is found there, and to no others. May be a page or a source: what it is is
  // told from its first bytes unless `format` says it.
  absl::StatusOr<FetchedPage> FetchNamed(const std::string& url, const Validators& known = {},
                                         extraction::Format format = extraction::Format::kUnknown);

  // An address found in a feed, a sitemap or a table. Waits as long as the host's pace asks. PermissionDenied, saying
  // so, if robots.txt forbids it, or if it leads to this machine or into a private network: a feed from anywhere must
  // not make us ask the printer. A host that the user named is not foreign, and may be private.
  absl::StatusOr<FetchedPage> FetchFound(const std::string& url, const Validators& known = {});
  // The same for a sitemap.
  absl::StatusOr<FetchedPage> FetchFoundSource(const std::string& url, const Validators& known = {});

 private:
  struct Answer;
  struct Kind {
    bool named = false;
    bool is_source = false;
    extraction::Format format = extraction::Format::kUnknown;
  };
  struct Request {
    const Validators* known = nullptr;
    bool trusted = false;  // It may lead to private addresses.
    bool is_source = false;
    extraction::Format format = extraction::Format::kUnknown;
    std::string path = {};       // What a source's format is told from, beside its bytes.
    size_t beginning_bytes = 0;  // If not 0, so much is wanted and no more: the rest is left.
    absl::Time deadline;
  };
  struct Site;
  class Transfer;

  absl::StatusOr<FetchedPage> Fetch(const std::string& url, const Validators& known, const Kind& kind);
  // One request, no redirects.
  absl::StatusOr<Answer> Ask(const std::string& url, const Request& request);
  // OK once `url` may be asked for; how long that took is added to the deadline.
  absl::Status AwaitTurn(const std::string& url, absl::Time* deadline);
  absl::StatusOr<RobotsRules> FetchRobots(const std::string& origin);

  const FetchOptions options_;
  const std::function<bool()> interrupted_;
  struct HandleCloser {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, HandleCloser> handle_;
  std::set<std::string> named_hosts_;          // With ports, as in the addresses that the user typed.
  std::map<std::string, std::string> logins_;  // "name:password" by scheme, host and port.
  std::map<std::string, Site> sites_;          // By scheme, host and port.
};

// Whether a numeric address is one of this machine, a private network, or nobody's: not for strangers to send us to.
bool IsPrivateAddress(absl::string_view numeric_address);

// Whether `no_proxy`, as the environment variable of that name has it, says that no proxy is used for `host`: a list of
// names, which stand for all below them, too, of addresses and networks (10.0.0.0/8), divided by commas or blanks; or a
// star for everything.
bool IsExceptedFromProxy(absl::string_view no_proxy, absl::string_view host);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_HTTP_FETCH_H_
