#include "search_service/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"

namespace dateline::search {

absl::Status DiskError(absl::string_view what, absl::string_view path) {
  return common::Unavailable(absl::StrCat("cannot ", what, " ", path, "; check the disk of the data folder"),
                             absl::Seconds(5));
}

absl::Status SyncPath(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  return synced ? absl::OkStatus() : DiskError("sync", path);
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::vector<std::filesystem::path> to_sync;
  std::filesystem::path folder = std::filesystem::absolute(path, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  for (; !error && !std::filesystem::exists(folder, error); folder = folder.parent_path()) {
    to_sync.push_back(folder.parent_path());
  }
  if (!error) std::filesystem::create_directories(path, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("cannot make the folder ", path, ": ", error.message()));
  for (const std::filesystem::path& parent : to_sync) RETURN_IF_ERROR(SyncPath(parent.string()));
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view content, bool durable) {
  const std::string partial = path + ".partial";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) return DiskError("write", partial);
  if (durable) RETURN_IF_ERROR(SyncPath(partial));
  if (std::rename(partial.c_str(), path.c_str()) != 0) return DiskError("replace", path);
  return durable ? SyncPath(std::filesystem::path(path).parent_path().string()) : absl::OkStatus();
}

absl::Status CopyFile(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) return DiskError(absl::StrCat("copy ", from, " to"), to);
  RETURN_IF_ERROR(SyncPath(to));
  return SyncPath(std::filesystem::path(to).parent_path().string());
}

absl::StatusOr<ReservedRoom> ReservedRoom::Take(const std::string& path, int64_t bytes) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return DiskError("open", path);
  ReservedRoom room(file);
  int result = 0;
  do {
    result = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, bytes);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return DiskError("reserve room for", path);
  return room;
}

ReservedRoom::~ReservedRoom() {
  if (file_ < 0) return;
  struct stat info {};
  if (fstat(file_, &info) == 0) {
    // What could not be given back goes with the file.
    [[maybe_unused]] const int ignored = ftruncate(file_, info.st_size);
  }
  close(file_);
}

absl::StatusOr<std::string> DigestOfFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return DiskError("read", path);
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat info {};
  if (fstat(file, &info) != 0) return DiskError("read", path);
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return common::Sha256Hex("");
  // Mapped rather than read: it may be larger than memory.
  void* const bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return DiskError("read", path);
  std::string digest = common::Sha256Hex({static_cast<const char*>(bytes), size});
  munmap(bytes, size);
  return digest;
}

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/LOCK");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write in the data folder ", folder, ": ", std::strerror(errno)));
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    std::string owner(32, '\0');
    const ssize_t size = pread(file, owner.data(), owner.size(), 0);
    owner.resize(size > 0 ? static_cast<size_t>(size) : 0);
    close(file);
    return absl::FailedPreconditionError(
        absl::StrCat("the data folder ", folder, " is in use by another process",
                     owner.empty() ? std::string() : absl::StrCat(" (pid ", owner, ")"),
                     "; stop that one or choose another folder"));
  }
  const std::string pid = absl::StrCat(getpid());
  // The pid is for the message above only.
  if (ftruncate(file, 0) != 0 || pwrite(file, pid.data(), pid.size(), 0) < 0) {
    close(file);
    return common::Unavailable(absl::StrCat("cannot write ", path, "; check the disk"), absl::Seconds(5));
  }
  return FolderLock(file);
}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace dateline::search
