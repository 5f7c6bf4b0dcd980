// The files of a web page, held in memory: nothing of a request ever becomes a file name.
#ifndef DATELINE_WEB_GATEWAY_STATIC_SITE_H_
#define DATELINE_WEB_GATEWAY_STATIC_SITE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "web_gateway/http_message.h"

namespace dateline::web_gateway {

// Thread-safe: nothing changes after it was made.
class StaticSite {
 public:
  struct File {
    // Relative, with slashes: `assets/page.js`.
    std::string path;
    std::string content;
  };

  // Serves `index.html` of a folder for the folder itself.
  explicit StaticSite(const std::vector<File>& files);

  // Reads a folder with all below it; hidden files are left out. Fails with NotFound if it is not there or has no
  // index.html, and with ResourceExhausted above 1,000 files or 64 MB.
  static absl::StatusOr<StaticSite> Load(const std::string& directory);

  // Answers a GET or HEAD for a path (`/assets/page.js`), or returns nothing where there is no such file. A request
  // that has the file already (`If-None-Match`) gets 304. The body is there for HEAD as well.
  std::optional<HttpResponse> Get(absl::string_view path, const HttpHeaders& headers) const;

 private:
  struct Entry {
    std::string content;
    std::string gzip;  // Empty where it would not be smaller.
    std::string etag;
    std::string content_type;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

// The page that is compiled into the binary; defined in the file that embed.cmake writes.
std::vector<StaticSite::File> BuiltInPage();

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_STATIC_SITE_H_
