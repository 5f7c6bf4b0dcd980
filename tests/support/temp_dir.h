// A folder of a test's own.
#ifndef DATELINE_TESTS_SUPPORT_TEMP_DIR_H_
#define DATELINE_TESTS_SUPPORT_TEMP_DIR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::testing {

// Makes an empty folder under the system's folder for temporary files (TMPDIR is honoured), and removes it with all
// that is in it when destroyed. Ends the test program if the folder can't be made.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // `path()`, a slash and `name`.
  std::string File(absl::string_view name) const;
  // Writes `content` to File(name), with folders as needed, and returns that path.
  std::string Write(absl::string_view name, absl::string_view content) const;

 private:
  std::string path_;
};

// The content of a file; ends the test program if it can't be read.
std::string ReadFile(const std::string& path);

}  // namespace dateline::testing

#endif  // DATELINE_TESTS_SUPPORT_TEMP_DIR_H_
