// Which addresses are whose.
#include "cli/http_fetch.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace dateline::cli {
namespace {

TEST(IsPrivateAddressTest, KnowsThisMachineAndPrivateNetworks) {
  for (const char* address : {"127.0.0.1",
                              "127.1",
                              "0x7f000001",
                              "2130706433",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1%eth0",
                              "fd00::1",
                              "ff02::1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::",
                              "fec0::1"}) {
    EXPECT_TRUE(IsPrivateAddress(address)) << address;
  }
  for (const char* address : {"93.184.216.34", "172.32.0.1", "11.0.0.1", "100.128.0.1", "2606:2800:220:1::1",
                              "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "example.org", ""}) {
    EXPECT_FALSE(IsPrivateAddress(address)) << address;
  }
}

TEST(ProxyTest, ExceptionsAreNamesNetworksAndEverything) {
  const char* const list = "example.org, .example.com 10.0.0.0/8,192.168.1.7,fd00::/9";
  for (const char* host : {"example.org", "www.example.org", "WWW.Example.org.", "example.com", "a.example.com",
                           "10.9.8.7", "192.168.1.7", "[fd12::1]"}) {
    EXPECT_TRUE(IsExceptedFromProxy(list, host)) << host;
  }
  for (const char* host : {"anexample.org", "example.net", "org", "11.0.0.1", "192.168.1.8", "[fd80::1]", ""}) {
    EXPECT_FALSE(IsExceptedFromProxy(list, host)) << host;
  }
  EXPECT_TRUE(IsExceptedFromProxy(" * ", "example.net"));
  EXPECT_FALSE(IsExceptedFromProxy("", "example.net"));
  EXPECT_FALSE(IsExceptedFromProxy("10.0.0.0/99,10.0.0.0/x, . ,/", "10.0.0.1"));
}

TEST(HttpFetcherTest, WhatIsFoundLeadsToNoPrivateAddress) {
  FetchOptions options;
  options.obey_robots = false;
  HttpFetcher fetcher(options, [] { return false; });
  for (const char* url : {"http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/"}) {
    EXPECT_TRUE(absl::IsPermissionDenied(fetcher.FetchFound(url).status())) << fetcher.FetchFound(url).status();
  }
  EXPECT_TRUE(absl::IsInvalidArgument(fetcher.FetchFound("file:///etc/passwd").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(fetcher.FetchNamed("ftp://127.0.0.1:9/").status()));
}

}  // namespace
}  // namespace dateline::cli
