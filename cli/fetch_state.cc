#include "cli/fetch_state.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

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
  FetchState state(std::move(path));
  std::ifstream file(state.path_, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return state;
    return absl::FailedPreconditionError(absl::StrCat(state.path_, ": cannot be read: ", std::strerror(errno)));
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
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
                .modified = std::nullopt};
    absl::Time modified;
    std::string error;
    if (absl::ParseTime(absl::RFC3339_full, TextOf(about, "modified"), &modified, &error)) entry.modified = modified;
    state.entries_[url] = std::move(entry);
  }
  return state;
}

FetchState::Entry FetchState::Find(const std::string& url) const {
  const auto found = entries_.find(url);
  return found == entries_.end() ? Entry() : found->second;
}

absl::Status FetchState::Save() const {
  Json urls = Json::object();
  for (const auto& [url, entry] : entries_) {
    Json about = Json::object();
    if (!entry.validators.etag.empty()) about["etag"] = entry.validators.etag;
    if (!entry.validators.last_modified.empty()) about["last_modified"] = entry.validators.last_modified;
    if (entry.modified) {
      about["modified"] = absl::FormatTime(absl::RFC3339_full, *entry.modified, absl::UTCTimeZone());
    }
    urls[url] = std::move(about);
  }
  // A server may send any bytes as a validator.
  const std::string text = Json{{"version", kVersion}, {"urls", std::move(urls)}}.dump(1, ' ', /*ensure_ascii=*/false,
                                                                                       Json::error_handler_t::ignore);
  const std::string partial = path_ + ".partial";
  std::FILE* const file = std::fopen(partial.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed || std::rename(partial.c_str(), path_.c_str()) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace dateline::cli
