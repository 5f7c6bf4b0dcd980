// Files of the data folder: forced to disk, replaced as one, recognised.
#ifndef DATELINE_SEARCH_SERVICE_FILES_H_
#define DATELINE_SEARCH_SERVICE_FILES_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::search {

// Unavailable: "cannot WHAT PATH; check the disk of the data folder".
absl::Status DiskError(absl::string_view what, absl::string_view path);

// Forces a file, or the names in a folder, to disk.
absl::Status SyncPath(const std::string& path);

// Makes a folder, and those above it, unless they are there: so that they still are after a power loss.
// FailedPrecondition if that can't be done.
absl::Status MakeFolder(const std::string& path);

// Replaces a file as one, or makes it. `durable`: it is on the disk afterwards, under its name.
absl::Status ReplaceFile(const std::string& path, absl::string_view content, bool durable);

// A copy of a file, at a path where none is, on the disk afterwards.
absl::Status CopyFile(const std::string& from, const std::string& to);

// Takes room on the disk for a file to grow to so many bytes, so that what is written there can't find the disk full,
// while it lives; then gives back what is behind the file's end. Room that a filesystem can't take beforehand isn't
// taken.
class ReservedRoom {
 public:
  // The file must be there. The error of DiskError if there is no such room.
  static absl::StatusOr<ReservedRoom> Take(const std::string& path, int64_t bytes);
  ReservedRoom(ReservedRoom&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  ReservedRoom& operator=(ReservedRoom&&) = delete;
  ~ReservedRoom();

 private:
  explicit ReservedRoom(int file) : file_(file) {}
  int file_;
};

// SHA-256 of a file of any size, in hexadecimal.
absl::StatusOr<std::string> DigestOfFile(const std::string& path);

// One process at a time on a data folder, by a lock that goes away with the process.
class FolderLock {
 public:
  // FailedPrecondition: another process has the folder, or it can't be written in.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_FILES_H_
