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
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "cli/content_decoder.h"
#include "common/error.h"
#include "common/status_macros.h"
#include "common/url.h"
#include "common/version.h"
#include "extraction/format.h"

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
constexpr size_t kHeadBytes = 8 * 1024;  // What the format is told from.
constexpr int64_t kPackingBytes = 100'000;

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

// The first of the environment's variables that says something.
std::string FirstOf(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

// The proxy that the environment names for an address; "" for none. As libcurl chooses it, but decided here and not
// left to it: what goes through no proxy has its address looked at, and so nobody may think otherwise. A proxy is the
// user's own choice, wherever it stands, and it resolves names: all that is left to look at then is the name.
std::string ProxyFor(absl::string_view scheme, absl::string_view host) {
  const std::string proxy = scheme == "https" ? FirstOf({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                                              : FirstOf({"http_proxy", "all_proxy", "ALL_PROXY"});
  return IsExceptedFromProxy(FirstOf({"no_proxy", "NO_PROXY"}), host) ? "" : proxy;
}

// Whether the first `bits` of two addresses in network order are the same.
bool SamePrefix(absl::string_view one, absl::string_view other, size_t bits) {
  if (one.size() != other.size() || bits > one.size() * 8) return false;
  const size_t whole = bits / 8;
  if (one.substr(0, whole) != other.substr(0, whole)) return false;
  const auto mask = static_cast<unsigned char>(0xFF00U >> (bits % 8));
  return bits % 8 == 0 ||
         ((static_cast<unsigned char>(one[whole]) ^ static_cast<unsigned char>(other[whole])) & mask) == 0;
}

// The bytes of a numeric address in network order; "" if it is none.
std::string AddressBytes(absl::string_view text) {
  const std::string address(text);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return std::string(bytes.data(), sizeof(in_addr));
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return std::string(bytes.data(), sizeof(in6_addr));
  return "";
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

absl::Status TooSlow(const FetchOptions& options) {
  return absl::DeadlineExceededError(absl::StrCat("no complete answer within ", absl::FormatDuration(options.timeout)));
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

bool IsExceptedFromProxy(absl::string_view no_proxy, absl::string_view host) {
  if (absl::StripAsciiWhitespace(no_proxy) == "*") return true;
  absl::ConsumePrefix(&host, "[");
  absl::ConsumeSuffix(&host, "]");
  absl::ConsumeSuffix(&host, ".");
  const std::string address = AddressBytes(host.substr(0, host.find('%')));
  for (absl::string_view entry : absl::StrSplit(no_proxy, absl::ByAnyChar(", \t"), absl::SkipEmpty())) {
    if (!address.empty()) {
      const absl::string_view network = entry.substr(0, entry.find('/'));
      size_t bits = address.size() * 8;
      if (network.size() < entry.size() && !absl::SimpleAtoi(entry.substr(network.size() + 1), &bits)) continue;
      if (SamePrefix(address, AddressBytes(network), bits)) return true;
      continue;
    }
    absl::ConsumePrefix(&entry, ".");
    absl::ConsumeSuffix(&entry, ".");
    const bool ends_so = !entry.empty() && absl::EndsWithIgnoreCase(host, entry);
    if (ends_so && (host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.')) return true;
  }
  return false;
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
  Transfer(const FetchOptions& options, const Request& request, bool public_only,
           const std::function<bool()>& interrupted)
      : options_(options), request_(request), public_only_(public_only), interrupted_(interrupted) {}

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
    if (decoder_ && !enough_) RETURN_IF_ERROR(decoder_->Finish());
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
  // Whether it was ended because all that was asked for is there.
  bool enough() const { return enough_; }

 private:
  static size_t OnBody(char* data, size_t size, size_t count, void* user) {
    auto& self = *static_cast<Transfer*>(user);
    const size_t bytes = size * count;
    if (!self.decoder_) {
      absl::StatusOr<ContentDecoder> decoder = ContentDecoder::For(self.ContentEncoding());
      if (!decoder.ok()) {
        self.failure_ = decoder.status();
        return CURL_WRITEFUNC_ERROR;
      }
      self.decoder_ = *std::move(decoder);
    }
    // Also of what unpacks to nothing there is an end. (What does not shrink grows a little when it is packed.)
    self.packed_ += static_cast<int64_t>(bytes);
    const int64_t limit = std::max(self.max_file_bytes(), static_cast<int64_t>(self.options_.max_bytes));
    if (self.packed_ > limit + limit / 1000 + kPackingBytes) {
      self.failure_ = self.TooLarge();
      return CURL_WRITEFUNC_ERROR;
    }
    const absl::StatusOr<bool> taken =
        self.decoder_->Decode(absl::string_view(data, bytes), [&self](absl::string_view text) {
          self.failure_ = self.Take(text);
          return self.failure_.ok() && !self.enough_;
        });
    if (!taken.ok()) self.failure_ = taken.status();
    return self.failure_.ok() && !self.enough_ ? bytes : CURL_WRITEFUNC_ERROR;
  }

  // All headers of that name are one list.
  std::string ContentEncoding() const {
    std::string list;
    curl_header* header = nullptr;
    for (size_t i = 0; curl_easy_header(curl_, "Content-Encoding", i, CURLH_HEADER, -1, &header) == CURLHE_OK; ++i) {
      absl::StrAppend(&list, list.empty() ? "" : ",", header->value);
    }
    return list;
  }

  int64_t max_file_bytes() const { return request_.is_source ? options_.max_source_bytes : 0; }

  // Whether what has come so far is one page, or nothing that is read, rather than a source of articles: it ends where
  // a page has to, in bytes and in time.
  bool IsPage() {
    if (!request_.is_source) return true;
    if (file_ != nullptr) return false;  // Looked at before.
    if (content_.empty()) return true;
    if (is_page_) return *is_page_;
    using extraction::Format;
    const absl::string_view head = absl::string_view(content_).substr(0, kHeadBytes);
    const Format format =
        request_.format == Format::kUnknown ? extraction::DetectFormat(request_.path, head) : request_.format;
    const char* type = nullptr;
    const bool is_table = curl_easy_getinfo(curl_, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr &&
                          absl::StartsWithIgnoreCase(type, "text/csv");
    const bool is_page = format == Format::kHtml || format == Format::kPdf || format == Format::kUnknown ||
                         (format == Format::kText && !is_table);
    if (content_.size() >= kHeadBytes) is_page_ = is_page;
    return is_page;
  }

  absl::Status TooLarge() {
    return absl::ResourceExhaustedError(IsPage()
                                            ? absl::StrCat("the page is larger than ", options_.max_bytes, " bytes")
                                            : absl::StrCat("there are more than ", options_.max_source_bytes,
                                                           " bytes; --max_source_bytes takes a higher number"));
  }

  absl::Status Take(absl::string_view text) {
    if (request_.beginning_bytes > 0) {
      text = text.substr(0, request_.beginning_bytes - content_.size());
      enough_ = content_.size() + text.size() == request_.beginning_bytes;
    }
    size_ += static_cast<int64_t>(text.size());
    if (file_ == nullptr && content_.size() + text.size() <= options_.max_bytes) {
      content_.append(text.data(), text.size());
      return absl::OkStatus();
    }
    if (IsPage() || size_ > max_file_bytes()) return TooLarge();
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
    auto& self = *static_cast<Transfer*>(user);
    if (absl::Now() >= self.request_.deadline && self.failure_.ok() && self.IsPage()) {
      self.failure_ = TooSlow(self.options_);
    }
    return self.interrupted_() || !self.failure_.ok() ? 1 : 0;
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
  int64_t packed_ = 0;           // Bytes as they came.
  std::optional<bool> is_page_;  // Known once its head is there.
  bool enough_ = false;
  const FetchOptions& options_;
  const Request& request_;
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

absl::StatusOr<FetchedPage> HttpFetcher::FetchNamed(const std::string& url, const Validators& known,
                                                    extraction::Format format) {
  if (const ParsedUrl parsed = ParseUrl(url)) {
    named_hosts_.insert(HostOf(parsed));
    const std::string user = PartOf(parsed, CURLUPART_USER, CURLU_URLDECODE);
    const std::string password = PartOf(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
    if (!user.empty() || !password.empty()) logins_[OriginOf(parsed)] = absl::StrCat(user, ":", password);
  }
  return Fetch(common::WithoutUserInfo(url), known, {.named = true, .is_source = true, .format = format});
}

absl::StatusOr<FetchedPage> HttpFetcher::FetchFound(const std::string& url, const Validators& known) {
  return Fetch(common::WithoutUserInfo(url), known, {});
}

absl::StatusOr<FetchedPage> HttpFetcher::FetchFoundSource(const std::string& url, const Validators& known) {
  return Fetch(common::WithoutUserInfo(url), known, {.is_source = true});
}

absl::StatusOr<FetchedPage> HttpFetcher::Fetch(const std::string& url, const Validators& known, const Kind& kind) {
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
    if (!kind.named) {
      if (absl::Status turn = AwaitTurn(page.url, &deadline); !turn.ok()) return turn;
    }
    absl::StatusOr<Answer> answer = Ask(page.url, {.known = &known,
                                                   .trusted = trusted,
                                                   .is_source = kind.is_source,
                                                   .format = kind.format,
                                                   .path = url,
                                                   .deadline = deadline});
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
    if (!kind.named && (answer->status == 429 || answer->status == 503) && answer->retry_after &&
        *answer->retry_after <= kLongestRetryAfter && !std::exchange(retried, true)) {
      Site& site = sites_[OriginOf(parsed)];
      site.next_fetch = std::max(site.next_fetch, absl::Now() + *answer->retry_after);
      continue;
    }
    if (answer->status == 206) {
      return absl::FailedPreconditionError("the server answered with a part of it only (HTTP status 206), unasked");
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
  if (left <= absl::ZeroDuration()) return TooSlow(options_);
  const ParsedUrl parsed = ParseUrl(url);
  if (parsed == nullptr) return absl::InvalidArgumentError("the address is not well-formed");
  const std::string host = absl::AsciiStrToLower(PartOf(parsed, CURLUPART_HOST));
  const std::string proxy = ProxyFor(absl::AsciiStrToLower(PartOf(parsed, CURLUPART_SCHEME)), host);
  if (!request.trusted && !proxy.empty() && IsPrivateName(host)) return PrivateError();
  Transfer transfer(options_, request, /*public_only=*/!request.trusted && proxy.empty(), interrupted_);
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* const curl = handle_.get();
  curl_easy_reset(curl);  // Keeps connections and what was resolved.
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
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
  CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_WRITE_ERROR && transfer.enough()) code = CURLE_OK;
  if (transfer.refused()) return PrivateError();
  if (!transfer.failure().ok()) return transfer.failure();
  switch (code) {
    case CURLE_OK:
      break;
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError("interrupted");
    case CURLE_OPERATION_TIMEDOUT:
      return TooSlow(options_);
    case CURLE_UNSUPPORTED_PROTOCOL:  // Not that of the address, which is known to be http or https.
      return absl::FailedPreconditionError("what the server answers is no HTTP");
    case CURLE_OUT_OF_MEMORY:  // libcurl says so of a header that is longer than it takes, too.
      return absl::ResourceExhaustedError("the server's answer has a header that is too long, or memory has run out");
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
    const absl::StatusOr<Answer> answer =
        Ask(url, {.trusted = trusted, .beginning_bytes = kMaxRobotsBytes + 1, .deadline = deadline});
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
