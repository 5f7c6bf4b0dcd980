#include "cli/fetch_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status_macros.h"

namespace dateline::cli {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Status FileError(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", what, ": ", std::strerror(errno)));
}

absl::Status CheckIsFile(const std::string& path, const struct stat& about) {
  if (S_ISREG(about.st_mode)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, ": is ", S_ISDIR(about.st_mode) ? "a folder" : "no file",
                                                 "; name a file, which is made if it isn't there"));
}

// All of a file; "" for none.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int descriptor =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // A pipe without a writer doesn't block.
  if (descriptor < 0 && errno == ENOENT) return "";
  if (descriptor < 0) return FileError(path, "cannot be read");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(fdopen(descriptor, "rb"), std::fclose);
  struct stat about = {};
  if (file == nullptr || fstat(descriptor, &about) != 0) return FileError(path, "cannot be read");
  RETURN_IF_ERROR(CheckIsFile(path, about));
  if (about.st_size > static_cast<off_t>(FetchState::kMaxBytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is longer than ", FetchState::kMaxBytes, " bytes; remove it to fetch everything anew"));
  }
  std::string text(static_cast<size_t>(about.st_size), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return FileError(path, "cannot be read");
  return text;
}

}  // namespace

class FetchState::Lock {
 public:
  static absl::StatusOr<std::shared_ptr<Lock>> Take(const std::string& path) {
    const std::string name = path + ".lock";
    while (true) {
      const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
      if (descriptor < 0) return FileError(path, absl::StrCat("cannot be written beside it (", name, ")"));
      const std::shared_ptr<Lock> lock(new Lock(name, descriptor));
      if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return FileError(name, "cannot be locked");
        return absl::FailedPreconditionError(
            absl::StrCat(path, ": is in use by another run; wait until that ends, or name another file"));
      }
      struct stat held = {};
      struct stat named = {};
      // The file may have been another run's, which has removed it since.
      lock->owned_ = fstat(descriptor, &held) == 0 && stat(name.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
                     held.st_ino == named.st_ino;
      if (lock->owned_) return lock;
    }
  }

  ~Lock() {
    if (owned_) unlink(name_.c_str());
    close(descriptor_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Lock(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}

  const std::string name_;
  const int descriptor_;
  bool owned_ = false;
};

absl::StatusOr<FetchState> FetchState::Load(std::string path) {
  struct stat there = {};
  if (stat(path.c_str(), &there) == 0) RETURN_IF_ERROR(CheckIsFile(path, there));
  ASSIGN_OR_RETURN(std::shared_ptr<Lock> lock, Lock::Take(path));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
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
