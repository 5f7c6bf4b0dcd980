#include "tests/support/shared_data.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace dateline::testing {
namespace {

std::string SharedPath(absl::string_view relative_path) {
  const char* folder = std::getenv("DATELINE_SHARED");
  return absl::StrCat(folder != nullptr ? folder : "../shared", "/", relative_path);
}

}  // namespace

std::optional<std::string> SharedFile(absl::string_view relative_path) {
  std::string path = SharedPath(relative_path);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return std::nullopt;
  }
  return path;
}

std::string SharedFileMissing(absl::string_view relative_path) {
  return absl::StrCat("the optional data is not here: ", SharedPath(relative_path),
                      " (set DATELINE_SHARED to its folder)");
}

}  // namespace dateline::testing
