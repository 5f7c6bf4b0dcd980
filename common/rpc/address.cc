#include "common/rpc/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace dateline::common::rpc {
namespace {

bool IsIpv4(const std::string& host) {
  in_addr address = {};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address = {};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("address '", text, "' is not understood: use HOST:PORT, [IPV6]:PORT or unix:PATH"));
}

}  // namespace

std::string Address::ToString() const {
  if (is_unix()) {
    return absl::StrCat("unix:", unix_path);
  }
  return absl::StrContains(host, ":") ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string Address::ToTarget() const {
  if (is_unix()) {
    return ToString();
  }
  if (IsIpv4(host)) {
    return absl::StrCat("ipv4:", ToString());
  }
  return IsIpv6(host) ? absl::StrCat("ipv6:", ToString()) : absl::StrCat("dns:///", ToString());
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    // The kernel's limit for the path of a Unix socket, with its final zero, is 108 bytes.
    if (rest.empty() || rest.size() > 107) {
      return Invalid(text);
    }
    address.unix_path = std::string(rest);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return Invalid(text);
  }
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || !absl::SimpleAtoi(port, &address.port) || address.port < 0 ||
      address.port > 65535) {
    return Invalid(text);
  }
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  address.host = std::string(host);
  if (bracketed ? !IsIpv6(address.host) : !IsHostName(host)) {
    return Invalid(text);
  }
  return address;
}

std::string AddressProblem(const std::string& text) { return std::string(ParseAddress(text).status().message()); }

}  // namespace dateline::common::rpc
