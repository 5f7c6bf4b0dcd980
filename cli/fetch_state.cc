#include "cli/fetch_state.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

#include "cli/state_file.h"
#include "common/status_macros.h"
#include "common/url.h"

namespace dateline::cli {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

absl::StatusOr<FetchState> FetchState::Load(std::string path) {
  RETURN_IF_ERROR(CheckIsFile(path));
  ASSIGN_OR_RETURN(std::shared_ptr<FileLock> lock, FileLock::Take(path));
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, kMaxBytes, "remove it to fetch everything anew"));
  FetchState state(std::move(path), std::move(lock));
  if (text.empty()) return state;
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool known = root.is_object() && root.contains("version") && root["version"] == kVersion &&
                     root.contains("urls") && root["urls"].is_object();
  if (!known) {
    return absl::InvalidArgumentError(absl::StrCat(
        state.path_, ": is no record of fetched pages, or one of another version; remove it to fetch everything anew"));
  }
  for (const auto& [url, about] : root["urls"].items()) {
    if (!about.is_object()) continue;
    Entry entry{.validators = {.etag = TextOf(about, "etag"), .last_modified = TextOf(about, "last_modified")},
                .modified = std::nullopt,
                .digest = TextOf(about, "digest")};
    absl::Time modified;
    std::string error;
    if (absl::ParseTime(absl::RFC3339_full, TextOf(about, "modified"), &modified, &error)) entry.modified = modified;
    const auto refused = about.find("refused");
    entry.refused = refused != about.end() && *refused == true;
    state.entries_[url] = std::move(entry);
  }
  return state;
}

FetchState::Entry FetchState::Find(const std::string& url) const {
  const auto found = entries_.find(url);
  return found == entries_.end() ? Entry() : found->second;
}

void FetchState::ForgetAll(const std::set<std::string>& canonical_urls) {
  std::erase_if(entries_, [&](const auto& entry) {
    const absl::StatusOr<std::string> canonical = common::CanonicalUrl(entry.first);
    return canonical.ok() && canonical_urls.count(*canonical) > 0;
  });
}

absl::Status FetchState::Save() const {
  if (path_.empty()) return absl::OkStatus();
  Json urls = Json::object();
  for (const auto& [url, entry] : entries_) {
    Json about = Json::object();
    if (!entry.validators.etag.empty()) about["etag"] = entry.validators.etag;
    if (!entry.validators.last_modified.empty()) about["last_modified"] = entry.validators.last_modified;
    if (!entry.digest.empty()) about["digest"] = entry.digest;
    if (entry.refused) about["refused"] = true;
    if (entry.modified) {
      about["modified"] = absl::FormatTime(absl::RFC3339_full, *entry.modified, absl::UTCTimeZone());
    }
    urls[url] = std::move(about);
  }
  // A server may send any bytes as a validator.
  const std::string text = Json{{"version", kVersion}, {"urls", std::move(urls)}}.dump(1, ' ', /*ensure_ascii=*/false,
                                                                                       Json::error_handler_t::ignore);
  return ReplaceFile(path_, text);
}

}  // namespace dateline::cli
