// The seeds of the fuzzers, and what once broke something, in every build: each is read to its end and breaks no
// promise. A seed whose name begins with "ok" gives at least one article or link.
#include <dirent.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "extraction/format.h"
#include "tests/fuzz/fuzz_search.h"
#include "tests/fuzz/fuzz_source.h"

namespace dateline::testing {
namespace {

// Tests run in the root of the tree.
constexpr char kSeeds[] = "tests/fuzz/seeds";

std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) {
    return names;
  }
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

TEST(FuzzSeedsTest, BreakNoPromise) {
  int read = 0;
  for (const std::string& format : Names(kSeeds)) {
    if (!extraction::FormatFromName(format)) {
      continue;  // Of a single parser, no source.
    }
    for (const std::string& name : Names(absl::StrCat(kSeeds, "/", format))) {
      std::ifstream file(absl::StrCat(kSeeds, "/", format, "/", name), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      const SourceCounts counts = ReadSource(*extraction::FormatFromName(format), bytes);
      ReadSource(extraction::Format::kUnknown, bytes);
      if (absl::StartsWith(name, "ok")) {
        EXPECT_GT(counts.articles + counts.links, 0) << format << "/" << name;
      }
      ++read;
    }
  }
  EXPECT_GT(read, 10) << "the seeds are found";
}

TEST(FuzzSeedsTest, OfSearchesBreakNoPromise) {
  const std::vector<std::pair<std::string, void (*)(absl::string_view)>> kChecks = {
      {"query", CheckQuery}, {"filter", CheckFilter}, {"page_token", CheckPageToken}};
  for (const auto& [part, check] : kChecks) {
    const std::vector<std::string> names = Names(absl::StrCat(kSeeds, "/", part));
    EXPECT_FALSE(names.empty()) << "the seeds are found";
    for (const std::string& name : names) {
      std::ifstream file(absl::StrCat(kSeeds, "/", part, "/", name), std::ios::binary);
      check(std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
    }
  }
}

}  // namespace
}  // namespace dateline::testing
