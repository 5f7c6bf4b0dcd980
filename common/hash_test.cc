#include "common/hash.h"

#include "gtest/gtest.h"

namespace dateline::common {
namespace {

// The examples of FIPS 180-4.
TEST(HashTest, Sha256GivesThePublishedDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashTest, Hash128IsTheBeginningOfSha256) { EXPECT_EQ(Hash128Hex("abc"), Sha256Hex("abc").substr(0, 32)); }

}  // namespace
}  // namespace dateline::common
