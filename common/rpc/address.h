// Addresses of servers, as people write them in flags: HOST:PORT, [IPV6]:PORT or unix:PATH.
#ifndef DATELINE_COMMON_RPC_ADDRESS_H_
#define DATELINE_COMMON_RPC_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::common::rpc {

struct Address {
  std::string host;       // Without brackets; empty for a Unix socket.
  int port = 0;           // 0 to 65535.
  std::string unix_path;  // Empty for TCP.

  bool is_unix() const { return !unix_path.empty(); }
  // The form it was parsed from.
  std::string ToString() const;
  // The form that gRPC dials without asking a resolver where that can be avoided: ipv4:, ipv6:, unix: or dns:.
  std::string ToTarget() const;
};

// InvalidArgument, showing the forms that are understood, for anything else.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// What ParseAddress() says against `text`; empty if nothing. In the form that checks of flags take.
std::string AddressProblem(const std::string& text);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_ADDRESS_H_
