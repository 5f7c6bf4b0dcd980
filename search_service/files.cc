#include "search_service/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

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

}  // namespace dateline::search
