// What is remembered of fetches, and by whom.
#include "cli/fetch_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

TEST(FetchStateTest, RemembersFromOneRunToTheNext) {
  const dateline::testing::TempDir folder;
  const std::string path = folder.path() + "/state";
  {
    absl::StatusOr<FetchState> state = FetchState::Load(path);
    ASSERT_THAT(state, IsOk());
    state->Remember("https://x.example/1", {.validators = {.etag = "\"a\"", .last_modified = ""}, .modified = {}});
    ASSERT_THAT(state->Save(), IsOk());
  }
  const absl::StatusOr<FetchState> again = FetchState::Load(path);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->Find("https://x.example/1").validators.etag, "\"a\"");
  EXPECT_TRUE(again->Find("https://x.example/2").validators.empty());
}

TEST(FetchStateTest, WhatServersDoNotSayIsToldFromTheBytes) {
  const dateline::testing::TempDir folder;
  const std::string path = folder.path() + "/state";
  {
    absl::StatusOr<FetchState> state = FetchState::Load(path);
    ASSERT_THAT(state, IsOk());
    state->Remember("https://x.example/feed", {.validators = {}, .modified = {}, .digest = "abc"});
    ASSERT_THAT(state->Save(), IsOk());
  }
  const absl::StatusOr<FetchState> again = FetchState::Load(path);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->Find("https://x.example/feed").digest, "abc");
}

TEST(FetchStateTest, InMemoryThereIsNoFile) {
  FetchState state = FetchState::InMemory();
  state.Remember("https://x.example/1", {.validators = {.etag = "\"a\"", .last_modified = ""}, .modified = {}});
  EXPECT_THAT(state.Save(), IsOk());
  EXPECT_EQ(state.Find("https://x.example/1").validators.etag, "\"a\"");
}

TEST(FetchStateTest, ForgetsAnAddressInAllItsSpellings) {
  const dateline::testing::TempDir folder;
  const std::string path = folder.path() + "/state";
  {
    absl::StatusOr<FetchState> state = FetchState::Load(path);
    ASSERT_THAT(state, IsOk());
    state->Remember("https://x.example/1?utm_source=feed", {});
    state->Remember("http://X.example/1/", {});
    state->Remember("https://x.example/2", {});
    state->Remember("https://x.example/3", {.refused = true});
    state->ForgetAll({"x.example/1"});
    state->Forget("https://x.example/2");
    ASSERT_THAT(state->Save(), IsOk());
  }
  const absl::StatusOr<FetchState> state = FetchState::Load(path);
  ASSERT_THAT(state, IsOk());
  EXPECT_FALSE(state->Has("https://x.example/1?utm_source=feed"));
  EXPECT_FALSE(state->Has("http://X.example/1/"));
  EXPECT_FALSE(state->Has("https://x.example/2"));
  EXPECT_TRUE(state->Find("https://x.example/3").refused);
}

TEST(FetchStateTest, TwoAtATimeAreOneTooMany) {
  const dateline::testing::TempDir folder;
  const std::string path = folder.path() + "/state";
  {
    const absl::StatusOr<FetchState> first = FetchState::Load(path);
    ASSERT_THAT(first, IsOk());
    EXPECT_THAT(FetchState::Load(path), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("by another run")));
    EXPECT_THAT(FetchState::Load(path + "2"), IsOk());
  }
  EXPECT_NE(access((path + ".lock").c_str(), F_OK), 0) << "nothing is left";
  std::ofstream(path + ".lock").put('x');  // What a crash has left.
  EXPECT_THAT(FetchState::Load(path), IsOk());
}

TEST(FetchStateTest, WhatIsNoFileIsRefused) {
  const dateline::testing::TempDir folder;
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {folder.path(), pipe, std::string("/dev/zero"), std::string("/dev/full")}) {
    EXPECT_THAT(FetchState::Load(path), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name a file"))) << path;
  }
  const std::string large = folder.path() + "/large";
  std::ofstream(large).put('{');
  ASSERT_EQ(truncate(large.c_str(), static_cast<off_t>(FetchState::kMaxBytes) + 1), 0);
  EXPECT_THAT(FetchState::Load(large), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is longer than")));
}

}  // namespace
}  // namespace dateline::cli
