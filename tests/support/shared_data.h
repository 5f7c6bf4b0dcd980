// The optional data: pages and corpora that are no part of the repository.
//
//   const std::optional<std::string> page = SharedFile("data/seed/page.txt");
//   if (!page) GTEST_SKIP() << SharedFileMissing("data/seed/page.txt");
#ifndef DATELINE_TESTS_SUPPORT_SHARED_DATA_H_
#define DATELINE_TESTS_SUPPORT_SHARED_DATA_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace dateline::testing {

// The path of a file or folder in the folder of optional data, which the environment variable DATELINE_SHARED names
// (otherwise `shared` beside the checkout); nothing if it is not there.
std::optional<std::string> SharedFile(absl::string_view relative_path);

// Why a test is skipped, for GTEST_SKIP().
std::string SharedFileMissing(absl::string_view relative_path);

}  // namespace dateline::testing

#endif  // DATELINE_TESTS_SUPPORT_SHARED_DATA_H_
