#include "cli/http_fetch.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "common/version.h"

namespace dateline::cli {
namespace {

struct Transfer {
  std::string content;
  size_t max_bytes = 0;
  bool too_large = false;
  const std::function<bool()>* interrupted = nullptr;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = size * count;
  if (transfer.content.size() + bytes > transfer.max_bytes) {
    transfer.too_large = true;
    return 0;  // Ends the transfer.
  }
  transfer.content.append(data, bytes);
  return bytes;
}

int OnProgress(void* user, curl_off_t /*download_total*/, curl_off_t /*download_now*/, curl_off_t /*upload_total*/,
               curl_off_t /*upload_now*/) {
  return (*static_cast<Transfer*>(user)->interrupted)() ? 1 : 0;
}

absl::Status TransferError(CURLcode code, const Transfer& transfer, const FetchLimits& limits, const char* detail) {
  if (transfer.too_large) {
    return absl::ResourceExhaustedError(absl::StrCat("the page is larger than ", limits.max_bytes, " bytes"));
  }
  const std::string reason = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError("interrupted");
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(
          absl::StrCat("no complete answer within ", absl::FormatDuration(limits.timeout)));
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError("only http and https addresses are fetched");
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError("the address is not well-formed");
    case CURLE_TOO_MANY_REDIRECTS:
      return absl::FailedPreconditionError(absl::StrCat("more than ", limits.max_redirects, " redirects"));
    default:
      return absl::UnavailableError(reason);
  }
}

absl::Status AnswerError(long code) {
  const std::string message = absl::StrCat("the server answered with HTTP status ", code);
  if (code == 404 || code == 410) return absl::NotFoundError(message);
  if (code == 401 || code == 403 || code == 451) return absl::PermissionDeniedError(message);
  if (code >= 500 || code == 429) return absl::UnavailableError(message);
  return absl::FailedPreconditionError(message);
}

}  // namespace

absl::StatusOr<FetchedPage> FetchPage(const std::string& url, const FetchLimits& limits,
                                      const std::function<bool()>& interrupted) {
  // Process-wide, thread-safe by being a local static; the library is never unloaded before the process ends.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return absl::InternalError("the HTTP library does not start");
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (handle == nullptr) return absl::ResourceExhaustedError("out of memory");

  Transfer transfer;
  transfer.max_bytes = limits.max_bytes;
  transfer.interrupted = &interrupted;
  char detail[CURL_ERROR_SIZE] = "";
  CURL* const curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, static_cast<long>(limits.max_redirects));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(limits.timeout)));
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");  // Whatever the library can unpack.
  curl_easy_setopt(curl, CURLOPT_USERAGENT, absl::StrCat("dateline/", common::kVersion).c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK) {
    return TransferError(code, transfer, limits, detail);
  }
  long http_status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
  if (http_status < 200 || http_status >= 300) return AnswerError(http_status);

  FetchedPage page;
  page.content = std::move(transfer.content);
  const char* text = nullptr;
  if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text != nullptr) page.media_type = text;
  if (curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &text) == CURLE_OK && text != nullptr) page.url = text;
  page.fetch_time = absl::Now();
  return page;
}

}  // namespace dateline::cli
