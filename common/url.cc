#include "common/url.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::common {
namespace {

// Parameters that say where a reader came from and never what is read.
constexpr std::array<absl::string_view, 32> kTracking = {"_branch_match_id",
                                                         "_ga",
                                                         "_gl",
                                                         "_hsenc",
                                                         "_hsmi",
                                                         "_openstat",
                                                         "dclid",
                                                         "epik",
                                                         "fbclid",
                                                         "gad_source",
                                                         "gbraid",
                                                         "gclid",
                                                         "gclsrc",
                                                         "igsh",
                                                         "igshid",
                                                         "irclickid",
                                                         "li_fat_id",
                                                         "mc_cid",
                                                         "mc_eid",
                                                         "mkt_tok",
                                                         "msclkid",
                                                         "oly_anon_id",
                                                         "oly_enc_id",
                                                         "rb_clickid",
                                                         "s_cid",
                                                         "ttclid",
                                                         "twclid",
                                                         "vero_id",
                                                         "wbraid",
                                                         "wickedid",
                                                         "yclid",
                                                         "ysclid"};

bool IsTracking(absl::string_view parameter) {
  const std::string name = absl::AsciiStrToLower(parameter.substr(0, parameter.find('=')));
  return absl::StartsWith(name, "utm_") || std::find(kTracking.begin(), kTracking.end(), name) != kTracking.end();
}

absl::Status Invalid(absl::string_view problem) { return absl::InvalidArgumentError(absl::StrCat("url: ", problem)); }

struct Parts {
  std::string host;
  std::string port;  // Empty: the scheme's default.
  absl::string_view path;
  absl::string_view query;
};

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Characters that RFC 3986 lets stand in a path or a query; everything else is percent-encoded.
bool MayStand(char c) {
  return IsUnreserved(c) || absl::string_view("!$&'()*+,;=:@/?").find(c) != absl::string_view::npos;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void AppendPercentEncoded(char c, std::string& out) {
  constexpr absl::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

// One spelling for each path or query: encoded only where needed, and then in upper case.
std::string NormalizeEncoding(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      const char decoded = static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      if (IsUnreserved(decoded)) {
        out.push_back(decoded);
      } else {
        AppendPercentEncoded(decoded, out);
      }
      i += 2;
    } else if (MayStand(c)) {
      out.push_back(c);
    } else {
      AppendPercentEncoded(c, out);
    }
  }
  return out;
}

// Resolves "." and ".." (RFC 3986, 5.2.4) and drops trailing slashes.
std::string NormalizePath(absl::string_view path) {
  const std::string encoded = NormalizeEncoding(path);
  std::vector<absl::string_view> segments;
  for (const absl::string_view segment : absl::StrSplit(absl::StripPrefix(encoded, "/"), '/')) {
    if (segment == ".") {
      continue;
    }
    if (segment == "..") {
      if (!segments.empty()) {
        segments.pop_back();
      }
      continue;
    }
    segments.push_back(segment);
  }
  while (!segments.empty() && segments.back().empty()) {
    segments.pop_back();
  }
  return segments.empty() ? "" : absl::StrCat("/", absl::StrJoin(segments, "/"));
}

std::string NormalizeQuery(absl::string_view query) {
  std::vector<std::string> kept;
  for (const absl::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    std::string encoded = NormalizeEncoding(parameter);
    if (!IsTracking(encoded)) {
      kept.push_back(std::move(encoded));
    }
  }
  return absl::StrJoin(kept, "&");
}

absl::StatusOr<std::string> NormalizeHost(absl::string_view host) {
  if (absl::StartsWith(host, "[")) {
    // An IPv6 literal: its spelling is kept, but for the case.
    if (host.size() < 4 || host.back() != ']' || !std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
          return HexValue(c) >= 0 || c == ':' || c == '.';
        })) {
      return Invalid("the host is not a valid IPv6 address");
    }
    return absl::AsciiStrToLower(host);
  }
  while (!host.empty() && host.back() == '.') {
    host.remove_suffix(1);
  }
  if (host.empty()) {
    return Invalid("there is no host");
  }
  const auto is_plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  };
  std::string ascii;
  if (std::all_of(host.begin(), host.end(), is_plain)) {
    ascii = absl::AsciiStrToLower(host);
  } else {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::IDNA> idna(
        icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE, status));
    icu::IDNAInfo info;
    if (U_SUCCESS(status)) {
      icu::StringByteSink<std::string> sink(&ascii);
      idna->nameToASCII_UTF8(icu::StringPiece(host.data(), static_cast<int32_t>(host.size())), sink, info, status);
    }
    if (U_FAILURE(status) || info.hasErrors() || !std::all_of(ascii.begin(), ascii.end(), is_plain)) {
      return Invalid("the host is not a valid name");
    }
  }
  if (ascii.size() > 253 || ascii.front() == '.' || absl::StrContains(ascii, "..")) {
    return Invalid("the host is not a valid name");
  }
  return ascii;
}

absl::StatusOr<std::string> NormalizePort(absl::string_view port, bool https) {
  if (port.empty()) {
    return std::string();
  }
  int number = 0;
  const bool digits = std::all_of(port.begin(), port.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (!digits || port.size() > 5 || !absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
    return Invalid("the port must be a number from 1 to 65535");
  }
  return number == (https ? 443 : 80) ? std::string() : absl::StrCat(number);
}

absl::StatusOr<Parts> Split(absl::string_view url) {
  url = absl::StripAsciiWhitespace(url);
  if (url.size() > kMaxUrlBytes) {
    return Invalid(absl::StrCat("must not be longer than ", kMaxUrlBytes, " bytes"));
  }
  if (!IsValidUtf8(url)) {
    return Invalid("must be UTF-8");
  }
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return Invalid("must not contain control characters");
  }
  const bool https = absl::StartsWithIgnoreCase(url, "https://");
  if (!https && !absl::StartsWithIgnoreCase(url, "http://")) {
    return Invalid("must begin with http:// or https://");
  }
  url.remove_prefix(https ? 8 : 7);
  url = url.substr(0, url.find('#'));

  Parts parts;
  absl::string_view authority = url.substr(0, url.find_first_of("/?"));
  absl::string_view rest = url.substr(authority.size());
  if (const size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  absl::string_view port;
  // A colon within the brackets of an IPv6 address divides no port.
  if (const size_t colon = authority.rfind(':');
      colon != absl::string_view::npos && authority.find(']', colon) == absl::string_view::npos) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  ASSIGN_OR_RETURN(parts.host, NormalizeHost(authority));
  ASSIGN_OR_RETURN(parts.port, NormalizePort(port, https));
  const size_t question = rest.find('?');
  parts.path = rest.substr(0, question);
  if (question != absl::string_view::npos) {
    parts.query = rest.substr(question + 1);
  }
  return parts;
}

}  // namespace

absl::StatusOr<std::string> CanonicalUrl(absl::string_view url) {
  ASSIGN_OR_RETURN(const Parts parts, Split(url));
  std::string canonical = parts.host;
  if (!parts.port.empty()) {
    absl::StrAppend(&canonical, ":", parts.port);
  }
  canonical.append(NormalizePath(parts.path));
  if (const std::string query = NormalizeQuery(parts.query); !query.empty()) {
    absl::StrAppend(&canonical, "?", query);
  }
  return canonical;
}

absl::StatusOr<std::string> UrlHost(absl::string_view url) {
  ASSIGN_OR_RETURN(Parts parts, Split(url));
  return std::move(parts.host);
}

std::string WithoutUserInfo(absl::string_view url) {
  if (!LooksLikeUrl(url)) {
    return std::string(url);
  }
  const size_t begin = url.find("//") + 2;
  const size_t end = std::min(url.find_first_of("/?#\\", begin), url.size());
  const size_t at = url.substr(begin, end - begin).rfind('@');
  return at == absl::string_view::npos ? std::string(url)
                                       : absl::StrCat(url.substr(0, begin), url.substr(begin + at + 1));
}

bool LooksLikeUrl(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "http://") || absl::StartsWithIgnoreCase(text, "https://");
}

}  // namespace dateline::common
