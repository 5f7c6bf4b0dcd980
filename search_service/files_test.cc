#include "search_service/files.h"

#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

int64_t BytesOnDisk(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  return static_cast<int64_t>(info.st_blocks) * 512;
}

TEST(ReservedRoomTest, IsTakenWithoutChangingTheFileAndGivenBack) {
  TempDir dir;
  const std::string path = dir.path() + "/file";
  std::ofstream(path) << "text";
  const int64_t before = BytesOnDisk(path);
  {
    const absl::StatusOr<ReservedRoom> room = ReservedRoom::Take(path, 1 << 20);
    ASSERT_TRUE(room.ok()) << room.status();
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_size, 4);
    // Some filesystems reserve nothing.
    const bool reserves = BytesOnDisk(path) != before;
    EXPECT_TRUE(!reserves || BytesOnDisk(path) >= 1 << 20);
    std::ofstream(path, std::ios::app) << " and more";
  }
  EXPECT_LT(BytesOnDisk(path), 1 << 20);
  std::ifstream file(path);
  std::string content;
  std::getline(file, content);
  EXPECT_EQ(content, "text and more");
}

TEST(ReservedRoomTest, MoreThanThereIsIsAnError) {
  TempDir dir;
  const std::string path = dir.path() + "/file";
  EXPECT_EQ(ReservedRoom::Take(path, 1).status().code(), absl::StatusCode::kUnavailable);
  std::ofstream(path) << "text";
  EXPECT_EQ(ReservedRoom::Take(path, int64_t{1} << 60).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace dateline::search
