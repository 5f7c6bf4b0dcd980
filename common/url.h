// URLs as identities of articles.
#ifndef DATELINE_COMMON_URL_H_
#define DATELINE_COMMON_URL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::common {

// The longest URL that is accepted, in bytes: what widely used browsers and servers agree to carry is less.
inline constexpr size_t kMaxUrlBytes = 8192;

// What is left of an http or https URL when all that doesn't tell one article from another is taken away:
// "https://WWW.Example.com:443/a/./b/?utm_source=x&id=7#top" gives "www.example.com/a/b?id=7". That is: no scheme, no
// user information, no default port, no fragment, no trailing slash, no tracking parameters (utm_*, fbclid, gclid,
// ...); the host in lower case and as Punycode; dot segments resolved; percent-encoding only where it is needed, in
// upper case. The order of parameters is kept. CanonicalUrl("https://" + result) gives the result again.
//
// InvalidArgument, saying what is wrong, if `url` is not an absolute http or https URL with a host, if it is longer
// than kMaxUrlBytes or not UTF-8.
absl::StatusOr<std::string> CanonicalUrl(absl::string_view url);

// The host of an http or https URL, in lower case and as Punycode, without the port. Errors as for CanonicalUrl.
absl::StatusOr<std::string> UrlHost(absl::string_view url);

// `url` without the user name and password before its host: they are for whoever fetches it, and are neither shown nor
// stored. What is no http or https URL comes back as it is.
std::string WithoutUserInfo(absl::string_view url);

// True if `text` begins with http:// or https://, in any case.
bool LooksLikeUrl(absl::string_view text);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_URL_H_
