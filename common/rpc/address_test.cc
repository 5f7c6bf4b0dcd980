#include "common/rpc/address.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common::rpc {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

TEST(AddressTest, UnderstandsEachFormAndDialsItWithoutAResolverWherePossible) {
  const struct {
    std::string text;
    std::string target;
  } kCases[] = {{"127.0.0.1:50051", "ipv4:127.0.0.1:50051"},
                {"[::1]:0", "ipv6:[::1]:0"},
                {"localhost:8080", "dns:///localhost:8080"},
                {"search.internal:50052", "dns:///search.internal:50052"},
                {"unix:/run/dateline/search.sock", "unix:/run/dateline/search.sock"}};
  for (const auto& test : kCases) {
    ASSERT_OK_AND_ASSIGN(const Address address, ParseAddress(test.text));
    EXPECT_EQ(address.ToString(), test.text);
    EXPECT_EQ(address.ToTarget(), test.target);
  }
}

TEST(AddressTest, RejectsWhatItCannotListenOnOrDial) {
  for (const std::string text :
       {"", "localhost", ":80", "localhost:", "localhost:65536", "localhost:-1", "localhost:8o", "::1:80", "[::1]",
        "[zz]:80", "a b:80", "unix:", "http://localhost:80"}) {
    EXPECT_THAT(ParseAddress(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("HOST:PORT"))) << text;
  }
  EXPECT_THAT(ParseAddress("unix:/" + std::string(200, 'x')), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AddressTest, TellsFlagsWhatIsWrong) {
  EXPECT_EQ(AddressProblem("localhost:80"), "");
  EXPECT_THAT(AddressProblem("nowhere"), HasSubstr("'nowhere' is not understood: use HOST:PORT"));
}

}  // namespace
}  // namespace dateline::common::rpc
