#include "cli/http_fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "cli/content_decoder.h"
#include "common/error.h"
#include "common/status_macros.h"
#include "common/url.h"
#include "common/version.h"

namespace dateline::cli {
namespace {

constexpr char kProduct[] = "dateline";
// No site is waited for longer between two pages; one that asks for more asks not to be crawled.
constexpr absl::Duration kLongestDelay = absl::Seconds(30);
// A server that says when it has time again is waited for once, if that is soon.
constexpr absl::Duration kLongestRetryAfter = absl::Seconds(60);
constexpr std::chrono::milliseconds kGlance(50);
// A source may take long to come, if it comes: less than so many bytes a second is nothing.
constexpr long kLeastBytesPerSecond = 100;
constexpr absl::Duration kLongestDownload = absl::Hours(6);

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using ParsedUrl = std::unique_ptr<CURLU, UrlCloser>;

ParsedUrl ParseUrl(const std::string& url) {
  ParsedUrl parsed(curl_url());
  return parsed != nullptr && curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK ? std::move(parsed)
                                                                                                     : nullptr;
}

std::string PartOf(const ParsedUrl& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

// "example.org:443": what one server is.
std::string HostOf(const ParsedUrl& url) {
  return absl::StrCat(absl::AsciiStrToLower(PartOf(url, CURLUPART_HOST)), ":",
                      PartOf(url, CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

std::string OriginOf(const ParsedUrl& url) {
  return absl::StrCat(absl::AsciiStrToLower(PartOf(url, CURLUPART_SCHEME)), "://", HostOf(url));
}

// Path and query, which is what robots.txt is about.
std::string TargetOf(const ParsedUrl& url) {
  const std::string path = PartOf(url, CURLUPART_PATH);
  const std::string query = PartOf(url, CURLUPART_QUERY);
  return absl::StrCat(path.empty() ? "/" : path, query.empty() ? "" : "?", query);
}

bool IsPrivateIpv4(uint32_t address) {
  struct Range {
    uint32_t network;
    unsigned bits;
  };
  // IANA's registry of special-purpose addresses: those that are not globally reachable, and multicast.
  static constexpr std::array<Range, 15> kRanges = {{{0x00000000, 8},    // This network.
                                                     {0x0A000000, 8},    // Private.
                                                     {0x64400000, 10},   // Shared by a provider.
                                                     {0x7F000000, 8},    // This machine.
                                                     {0xA9FE0000, 16},   // This link; metadata of clouds.
                                                     {0xAC100000, 12},   // Private.
                                                     {0xC0000000, 24},   // Protocols.
                                                     {0xC0000200, 24},   // Documentation.
                                                     {0xC0586300, 24},   // Relays, no more in use.
                                                     {0xC0A80000, 16},   // Private.
                                                     {0xC6120000, 15},   // Benchmarks.
                                                     {0xC6336400, 24},   // Documentation.
                                                     {0xCB007100, 24},   // Documentation.
                                                     {0xE0000000, 4},    // Multicast.
                                                     {0xF0000000, 4}}};  // Reserved; broadcast.
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [address](const Range& range) { return ((address ^ range.network) >> (32U - range.bits)) == 0; });
}

uint32_t Ipv4In(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24U | uint32_t{bytes[1]} << 16U | uint32_t{bytes[2]} << 8U | uint32_t{bytes[3]};
}

bool IsPrivateIpv6(const in6_addr& address) {
  const unsigned char* const bytes = address.s6_addr;
  const auto starts_with = [bytes](std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes);
  };
  if (IN6_IS_ADDR_V4MAPPED(&address) || starts_with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) ||
      starts_with({0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return IsPrivateIpv4(Ipv4In(bytes + 12));  // Mapped, compatible (:: and ::1 too), translated.
  }
  if (starts_with({0x20, 0x02})) return IsPrivateIpv4(Ipv4In(bytes + 2));  // 6to4.
  return (bytes[0] & 0xFEU) == 0xFC || bytes[0] == 0xFF || (bytes[0] == 0xFE && (bytes[1] & 0x80U) != 0) ||
         starts_with({0x20, 0x01, 0x0D, 0xB8}) || starts_with({0x20, 0x01, 0, 0}) || starts_with({0x01, 0x00});
}

bool IsPrivateSocketAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4 = {};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    return IsPrivateIpv4(ntohl(ipv4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6 = {};
    std::memcpy(&ipv6, &address, sizeof(ipv6));
    return IsPrivateIpv6(ipv6.sin6_addr);
  }
  return true;
}

// A proxy is the user's own choice, wherever it stands, and it resolves names: all that is left to look at is the name.
bool UsesProxy(absl::string_view scheme) {
  for (const char* name : scheme == "https" ? std::array{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}
                                            : std::array{"http_proxy", "http_proxy", "all_proxy", "ALL_PROXY"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

bool IsPrivateName(absl::string_view host) {
  absl::ConsumePrefix(&host, "[");
  absl::ConsumeSuffix(&host, "]");
  absl::ConsumeSuffix(&host, ".");
  return host == "localhost" || absl::EndsWith(host, ".localhost") || absl::EndsWith(host, ".local") ||
         absl::EndsWith(host, ".internal") || IsPrivateAddress(host);
}

absl::Status AnswerError(long code) {
  const std::string message = absl::StrCat("the server answered with HTTP status ", code);
  if (code == 404 || code == 410) return absl::NotFoundError(message);
  if (code == 401 || code == 403 || code == 451) return absl::PermissionDeniedError(message);
  if (code >= 500 || code == 429) return absl::UnavailableError(message);
  return absl::FailedPreconditionError(message);
}

absl::Status PrivateError() {
  return absl::PermissionDeniedError(
      "the address leads to this machine or into a private network; --allow_private_addresses fetches it all the same");
}

}  // namespace

bool IsPrivateAddress(absl::string_view numeric_address) {
  const std::string text(numeric_address.substr(0, numeric_address.find('%')));
  in_addr ipv4 = {};
  in6_addr ipv6 = {};
  // inet_aton reads all that resolvers read: "127.1", "0x7f000001".
  if (inet_aton(text.c_str(), &ipv4) != 0) return IsPrivateIpv4(ntohl(ipv4.s_addr));
  return inet_pton(AF_INET6, text.c_str(), &ipv6) == 1 && IsPrivateIpv6(ipv6);
}

struct HttpFetcher::Answer {
  long status = 0;
  std::string content;
  std::shared_ptr<std::FILE> file;
  int64_t size = 0;
  std::string media_type;
  std::string location;  // Absolute; empty if the server sends nobody elsewhere.
  Validators validators;
  std::optional<absl::Duration> retry_after;
};

struct HttpFetcher::Site {
  std::optional<absl::StatusOr<RobotsRules>> robots;  // An error: nobody could be asked.
  absl::Time next_fetch = absl::InfinitePast();
};

// What libcurl's callbacks work on.
class HttpFetcher::Transfer {
 public:
  // What is longer than `max_bytes` goes into a file, if it may be as long as `max_file_bytes`.
  Transfer(size_t max_bytes, int64_t max_file_bytes, bool public_only, const std::function<bool()>& interrupted)
      : max_bytes_(max_bytes), max_file_bytes_(max_file_bytes), public_only_(public_only), interrupted_(interrupted) {}

  void Install(CURL* curl) {
    curl_ = curl;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    if (public_only_) {
      // Asked with the address that is about to be connected to, after all resolving: names that change their address
      // between a look and a connection are no way around it.
      curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnSocket);
      curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
      // A connection that is open already was asked about then: hosts that are trusted always are.
    }
  }

  // After the transfer: what was wrong with what came, or what of it is whole.
  absl::Status Finish() {
    RETURN_IF_ERROR(failure_);
    if (decoder_) RETURN_IF_ERROR(decoder_->Finish());
    if (file_ != nullptr && std::fseek(file_.get(), 0, SEEK_SET) != 0) return FileFailure();
    return absl::OkStatus();
  }
  void MoveTo(Answer* answer) {
    answer->content = std::move(content_);
    answer->file = std::move(file_);
    answer->size = size_;
  }
  const absl::Status& failure() const { return failure_; }
  bool refused() const { return refused_; }

 private:
  static size_t OnBody(char* data, size_t size, size_t count, void* user) {
    auto& self = *static_cast<Transfer*>(user);
    const size_t bytes = size * count;
    if (!self.decoder_) {
      curl_header* encoding = nullptr;
      const bool has = curl_easy_header(self.curl_, "Content-Encoding", 0, CURLH_HEADER, -1, &encoding) == CURLHE_OK;
      absl::StatusOr<ContentDecoder> decoder = ContentDecoder::For(has ? encoding->value : "");
      if (!decoder.ok()) {
        self.failure_ = decoder.status();
        return CURL_WRITEFUNC_ERROR;
      }
      self.decoder_ = *std::move(decoder);
    }
    const absl::StatusOr<bool> taken =
        self.decoder_->Decode(absl::string_view(data, bytes), [&self](absl::string_view text) {
          self.failure_ = self.Take(text);
          return self.failure_.ok();
        });
    if (!taken.ok()) self.failure_ = taken.status();
    return self.failure_.ok() ? bytes : CURL_WRITEFUNC_ERROR;
  }

  absl::Status Take(absl::string_view text) {
    size_ += static_cast<int64_t>(text.size());
    if (file_ == nullptr && content_.size() + text.size() <= max_bytes_) {
      content_.append(text.data(), text.size());
      return absl::OkStatus();
    }
    if (size_ > max_file_bytes_) {
      return absl::ResourceExhaustedError(max_file_bytes_ <= static_cast<int64_t>(max_bytes_)
                                              ? absl::StrCat("the page is larger than ", max_bytes_, " bytes")
                                              : absl::StrCat("there are more than ", max_file_bytes_,
                                                             " bytes; --max_source_bytes takes a higher number"));
    }
    if (file_ == nullptr) {
      file_ = OpenTemporary();
      if (file_ == nullptr || std::fwrite(content_.data(), 1, content_.size(), file_.get()) != content_.size()) {
        return FileFailure();
      }
      content_ = std::string();
    }
    return std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() ? absl::OkStatus() : FileFailure();
  }

  // Without a name, so that nothing is left of it however the process ends.
  static std::shared_ptr<std::FILE> OpenTemporary() {
    const char* const folder = std::getenv("TMPDIR");
    std::string path = absl::StrCat(folder == nullptr || *folder == '\0' ? "/tmp" : folder, "/dateline-XXXXXX");
    const int descriptor = mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) return nullptr;
    unlink(path.c_str());
    std::FILE* const file = fdopen(descriptor, "w+b");
    if (file == nullptr) close(descriptor);
    return file == nullptr ? nullptr : std::shared_ptr<std::FILE>(file, [](std::FILE* f) { std::fclose(f); });
  }

  static absl::Status FileFailure() {
    return absl::ResourceExhaustedError(absl::StrCat("what was fetched can't be kept in a temporary file: ",
                                                     std::strerror(errno), "; TMPDIR names another folder for it"));
  }

  static int OnProgress(void* user, curl_off_t /*download_total*/, curl_off_t /*download_now*/,
                        curl_off_t /*upload_total*/, curl_off_t /*upload_now*/) {
    return static_cast<Transfer*>(user)->interrupted_() ? 1 : 0;
  }

  static curl_socket_t OnSocket(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
    auto& self = *static_cast<Transfer*>(user);
    if (IsPrivateSocketAddress(address->addr)) {
      self.refused_ = true;
      return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  CURL* curl_ = nullptr;
  std::optional<ContentDecoder> decoder_;
  std::string content_;
  std::shared_ptr<std::FILE> file_;
  int64_t size_ = 0;
  const size_t max_bytes_;
  const int64_t max_file_bytes_;
  const bool public_only_;
  const std::function<bool()>& interrupted_;
  absl::Status failure_;
  bool refused_ = false;
};

void HttpFetcher::HandleCloser::operator()(void* handle) const { curl_easy_cleanup(handle); }

HttpFetcher::HttpFetcher(FetchOptions options, std::function<bool()> interrupted)
    : options_(options), interrupted_(std::move(interrupted)) {
  // Process-wide, thread-safe by being a local static; the library is never unloaded before the process ends.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) handle_.reset(curl_easy_init());
}

HttpFetcher::~HttpFetcher() = default;

absl::StatusOr<FetchedPage> HttpFetcher::FetchNamed(const std::string& url, const Validators& known) {
  if (const ParsedUrl parsed = ParseUrl(url)) {
    named_hosts_.insert(HostOf(parsed));
    const std::string user = PartOf(parsed, CURLUPART_USER, CURLU_URLDECODE);
    const std::string password = PartOf(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
    if (!user.empty() || !password.empty()) logins_[OriginOf(parsed)] = absl::StrCat(user, ":", password);
  }
  return Fetch(common::WithoutUserInfo(url), known, /*named=*/true, /*is_source=*/true);
}

absl::StatusOr<FetchedPage> HttpFetcher::FetchFound(const std::string& url, const Validators& known) {
  return Fetch(common::WithoutUserInfo(url), known, /*named=*/false, /*is_source=*/false);
}

absl::StatusOr<FetchedPage> HttpFetcher::FetchFoundSource(const std::string& url, const Validators& known) {
  return Fetch(common::WithoutUserInfo(url), known, /*named=*/false, /*is_source=*/true);
}

absl::StatusOr<FetchedPage> HttpFetcher::Fetch(const std::string& url, const Validators& known, bool named,
                                               bool is_source) {
  if (handle_ == nullptr) return absl::InternalError("the HTTP library does not start");
  absl::Time deadline = absl::Now() + options_.timeout;
  FetchedPage page;
  page.url = url;
  bool retried = false;
  while (true) {
    const ParsedUrl parsed = ParseUrl(page.url);
    if (parsed == nullptr) return absl::InvalidArgumentError("the address is not well-formed");
    const std::string scheme = PartOf(parsed, CURLUPART_SCHEME);
    if (!absl::EqualsIgnoreCase(scheme, "http") && !absl::EqualsIgnoreCase(scheme, "https")) {
      return absl::InvalidArgumentError("only http and https addresses are fetched");
    }
    const bool trusted = options_.allow_private_addresses || named_hosts_.count(HostOf(parsed)) > 0;
    if (!named) {
      if (absl::Status turn = AwaitTurn(page.url, &deadline); !turn.ok()) return turn;
    }
    absl::StatusOr<Answer> answer =
        Ask(page.url, {.known = &known, .trusted = trusted, .is_source = is_source, .deadline = deadline});
    if (!answer.ok()) return answer.status();
    if (answer->status == 304 && !known.empty()) {
      page.not_modified = true;
      page.validators = answer->validators.empty() ? known : answer->validators;
      page.fetch_time = absl::Now();
      return page;
    }
    if (answer->status >= 300 && answer->status < 400 && !answer->location.empty()) {
      if (static_cast<int>(page.redirects.size()) == options_.max_redirects) {
        return absl::FailedPreconditionError(absl::StrCat("more than ", options_.max_redirects, " redirects"));
      }
      page.redirects.push_back(std::exchange(page.url, common::WithoutUserInfo(answer->location)));
      continue;
    }
    if (!named && (answer->status == 429 || answer->status == 503) && answer->retry_after &&
        *answer->retry_after <= kLongestRetryAfter && !std::exchange(retried, true)) {
      Site& site = sites_[OriginOf(parsed)];
      site.next_fetch = std::max(site.next_fetch, absl::Now() + *answer->retry_after);
      continue;
    }
    if (answer->status < 200 || answer->status >= 300) return AnswerError(answer->status);
    page.content = std::move(answer->content);
    page.file = std::move(answer->file);
    page.size = answer->size;
    page.media_type = std::move(answer->media_type);
    page.validators = std::move(answer->validators);
    page.fetch_time = absl::Now();
    return page;
  }
}

absl::StatusOr<HttpFetcher::Answer> HttpFetcher::Ask(const std::string& url, const Request& request) {
  const absl::Duration left = request.deadline - absl::Now();
  if (left <= absl::ZeroDuration()) {
    return absl::DeadlineExceededError(
        absl::StrCat("no complete answer within ", absl::FormatDuration(options_.timeout)));
  }
  const ParsedUrl parsed = ParseUrl(url);
  if (parsed == nullptr) return absl::InvalidArgumentError("the address is not well-formed");
  const bool proxy = UsesProxy(PartOf(parsed, CURLUPART_SCHEME));
  if (!request.trusted && proxy && IsPrivateName(absl::AsciiStrToLower(PartOf(parsed, CURLUPART_HOST))))
    return PrivateError();
  Transfer transfer(options_.max_bytes, request.is_source ? options_.max_source_bytes : 0, !request.trusted && !proxy,
                    interrupted_);
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* const curl = handle_.get();
  curl_easy_reset(curl);  // Keeps connections and what was resolved.
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  const auto patience = static_cast<long>(absl::ToInt64Milliseconds(left) + 1);
  if (request.is_source) {
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, patience);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, patience / 1000 + 1);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(kLongestDownload)));
  } else {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, patience);
  }
  if (const auto login = logins_.find(OriginOf(parsed)); login != logins_.end()) {
    curl_easy_setopt(curl, CURLOPT_USERPWD, login->second.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_USERAGENT, absl::StrCat(kProduct, "/", common::kVersion).c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  transfer.Install(curl);
  curl_slist* headers =
      curl_slist_append(nullptr, absl::StrCat("Accept-Encoding: ", ContentDecoder::kAccepted).c_str());
  if (request.known != nullptr && !request.known->etag.empty()) {
    headers = curl_slist_append(headers, absl::StrCat("If-None-Match: ", request.known->etag).c_str());
  }
  if (request.known != nullptr && !request.known->last_modified.empty()) {
    headers = curl_slist_append(headers, absl::StrCat("If-Modified-Since: ", request.known->last_modified).c_str());
  }
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> owned_headers(headers, curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  const CURLcode code = curl_easy_perform(curl);
  if (transfer.refused()) return PrivateError();
  if (!transfer.failure().ok()) return transfer.failure();
  switch (code) {
    case CURLE_OK:
      break;
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError("interrupted");
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(
          absl::StrCat("no complete answer within ", absl::FormatDuration(options_.timeout)));
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError("only http and https addresses are fetched");
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError("the address is not well-formed");
    default:
      return absl::UnavailableError(detail[0] != '\0' ? detail.data() : curl_easy_strerror(code));
  }
  if (absl::Status status = transfer.Finish(); !status.ok()) return status;
  Answer answer;
  transfer.MoveTo(&answer);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  const char* text = nullptr;
  if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text != nullptr) answer.media_type = text;
  if (curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text != nullptr) answer.location = text;
  const auto header = [curl](const char* name) -> std::string {
    curl_header* found = nullptr;
    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : "";
  };
  answer.validators = {.etag = header("ETag"), .last_modified = header("Last-Modified")};
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
    answer.retry_after = absl::Seconds(static_cast<int64_t>(seconds));
  }
  return answer;
}

absl::Status HttpFetcher::AwaitTurn(const std::string& url, absl::Time* deadline) {
  const absl::Time start = absl::Now();
  const ParsedUrl parsed = ParseUrl(url);
  Site& site = sites_[OriginOf(parsed)];
  absl::Duration delay = options_.delay;
  if (options_.obey_robots) {
    if (!site.robots) site.robots = FetchRobots(OriginOf(parsed));
    if (!site.robots->ok()) {
      const absl::Status& error = site.robots->status();
      return absl::Status(
          error.code(),
          absl::StrCat("the site's robots.txt can't be read, so that nothing of it is fetched: ", error.message()));
    }
    const RobotsRules& robots = **site.robots;
    if (!robots.Allows(TargetOf(parsed))) {
      return common::WithReason(
          absl::PermissionDeniedError("the site's robots.txt asks not to fetch it; --ignore_robots does all the same"),
          "ROBOTS_DISALLOWED");
    }
    delay = std::max(delay, std::min(kLongestDelay, robots.crawl_delay().value_or(absl::ZeroDuration())));
  }
  while (absl::Now() < site.next_fetch) {
    if (interrupted_()) return absl::CancelledError("interrupted");
    std::this_thread::sleep_for(std::min(
        kGlance, std::max(std::chrono::milliseconds(1), absl::ToChronoMilliseconds(site.next_fetch - absl::Now()))));
  }
  site.next_fetch = absl::Now() + delay;
  *deadline += absl::Now() - start;
  return absl::OkStatus();
}

absl::StatusOr<RobotsRules> HttpFetcher::FetchRobots(const std::string& origin) {
  std::string url = absl::StrCat(origin, "/robots.txt");
  const absl::Time deadline = absl::Now() + options_.timeout;
  // The RFC: five redirects are followed; where there is none, all is allowed; where it can't be had for now, nothing.
  for (int redirects = 0; redirects <= 5; ++redirects) {
    const ParsedUrl parsed = ParseUrl(url);
    const std::string scheme = parsed == nullptr ? "" : PartOf(parsed, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") return RobotsRules::AllowAll();
    const bool trusted = options_.allow_private_addresses || named_hosts_.count(HostOf(parsed)) > 0;
    const absl::StatusOr<Answer> answer = Ask(url, {.trusted = trusted, .deadline = deadline});
    if (!answer.ok()) {
      if (absl::IsPermissionDenied(answer.status()))
        return RobotsRules::AllowAll();  // The page itself will be refused.
      return answer.status();
    }
    if (answer->status >= 300 && answer->status < 400 && !answer->location.empty()) {
      url = answer->location;
      continue;
    }
    if (answer->status >= 200 && answer->status < 300) return RobotsRules::Parse(answer->content, kProduct);
    if (answer->status >= 500 || answer->status == 429) return AnswerError(answer->status);
    return RobotsRules::AllowAll();
  }
  return RobotsRules::AllowAll();
}

}  // namespace dateline::cli
