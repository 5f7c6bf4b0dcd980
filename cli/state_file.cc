#include "cli/state_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status_macros.h"

namespace dateline::cli {
namespace {

absl::Status FileError(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", what, ": ", std::strerror(errno)));
}

absl::Status CheckIsFile(const std::string& path, const struct stat& about) {
  if (S_ISREG(about.st_mode)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, ": is ", S_ISDIR(about.st_mode) ? "a folder" : "no file",
                                                 "; name a file, which is made if it isn't there"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<FileLock>> FileLock::Take(const std::string& path) {
  const std::string name = path + ".lock";
  while (true) {
    const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) return FileError(path, absl::StrCat("cannot be written beside it (", name, ")"));
    const std::shared_ptr<FileLock> lock(new FileLock(name, descriptor));
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

FileLock::~FileLock() {
  if (owned_) unlink(name_.c_str());
  close(descriptor_);
}

absl::Status CheckIsFile(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 ? CheckIsFile(path, about) : absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes, absl::string_view remedy) {
  const int descriptor =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // A pipe without a writer doesn't block.
  if (descriptor < 0 && errno == ENOENT) return "";
  if (descriptor < 0) return FileError(path, "cannot be read");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(fdopen(descriptor, "rb"), std::fclose);
  struct stat about = {};
  if (file == nullptr || fstat(descriptor, &about) != 0) return FileError(path, "cannot be read");
  RETURN_IF_ERROR(CheckIsFile(path, about));
  if (about.st_size > static_cast<off_t>(max_bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is longer than ", max_bytes, " bytes; ", remedy));
  }
  std::string text(static_cast<size_t>(about.st_size), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return FileError(path, "cannot be read");
  return text;
}

absl::Status ReplaceFile(const std::string& path, absl::string_view text) {
  const std::string partial = path + ".partial";
  std::FILE* const file = std::fopen(partial.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed || std::rename(partial.c_str(), path.c_str()) != 0)
    return FileError(path, "cannot be written");
  return absl::OkStatus();
}

}  // namespace dateline::cli
