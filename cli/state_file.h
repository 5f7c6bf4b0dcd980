// Files in which the command keeps what it has done, from one run to the next: read whole, replaced whole, and one
// run's at a time.
#ifndef DATELINE_CLI_STATE_FILE_H_
#define DATELINE_CLI_STATE_FILE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::cli {

// A lock on `path`.lock, which is made for it and goes with the object; one that a crash has left does no harm.
class FileLock {
 public:
  // FailedPrecondition while another one of `path` is alive, in whatever process, or if none can be made.
  static absl::StatusOr<std::shared_ptr<FileLock>> Take(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  FileLock(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}

  const std::string name_;
  const int descriptor_;
  bool owned_ = false;
};

// InvalidArgument if something else than a file is there: a folder, a pipe, a device.
absl::Status CheckIsFile(const std::string& path);

// All of a file; "" for none. InvalidArgument if it is no file, or longer than `max_bytes` (`remedy` says what to do
// then); FailedPrecondition if it can't be read.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes, absl::string_view remedy);

// Writes `text` beside `path` first, so that the file is never half of one. FailedPrecondition if it can't be written.
absl::Status ReplaceFile(const std::string& path, absl::string_view text);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_STATE_FILE_H_
