#include "web_gateway/static_site.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/hash.h"
#include "web_gateway/connect_protocol.h"
#include "web_gateway/gzip.h"

namespace dateline::web_gateway {
namespace {

constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxBytes = 64'000'000;

absl::string_view ContentTypeFor(absl::string_view path) {
  struct Suffix {
    absl::string_view suffix;
    absl::string_view type;
  };
  static constexpr Suffix kSuffixes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".txt", "text/plain; charset=utf-8"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".webmanifest", "application/manifest+json"},
  };
  for (const Suffix& entry : kSuffixes) {
    if (absl::EndsWithIgnoreCase(path, entry.suffix)) {
      return entry.type;
    }
  }
  return "application/octet-stream";
}

}  // namespace

StaticSite::StaticSite(const std::vector<File>& files) {
  for (const File& file : files) {
    Entry entry;
    entry.content = file.content;
    entry.gzip = Gzip(file.content);
    if (entry.gzip.size() >= entry.content.size()) {
      entry.gzip.clear();
    }
    entry.etag = absl::StrCat("\"", common::Hash128Hex(file.content), "\"");
    entry.content_type = std::string(ContentTypeFor(file.path));
    absl::string_view folder = file.path;
    if (folder == "index.html" || absl::EndsWith(folder, "/index.html")) {
      absl::ConsumeSuffix(&folder, "index.html");
      entries_.emplace(absl::StrCat("/", folder), entry);
    }
    entries_.emplace(absl::StrCat("/", file.path), std::move(entry));
  }
}

absl::StatusOr<StaticSite> StaticSite::Load(const std::string& directory) {
  namespace fs = std::filesystem;
  const fs::path root(directory);
  std::error_code error;
  fs::recursive_directory_iterator walk(root, error);
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot read the folder ", directory, ": ", error.message()));
  }
  std::vector<File> files;
  size_t total = 0;
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const std::string name = walk->path().filename().string();
    if (absl::StartsWith(name, ".")) {
      if (walk->is_directory(error)) {
        walk.disable_recursion_pending();
      }
      continue;
    }
    if (!walk->is_regular_file(error)) {
      continue;
    }
    total += walk->file_size(error);
    if (files.size() == kMaxFiles || total > kMaxBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("the folder ", directory, " has more than ", kMaxFiles,
                                                       " files or ", kMaxBytes, " bytes: it is held in memory"));
    }
    std::ifstream stream(walk->path(), std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    if (!stream) {
      return absl::NotFoundError(absl::StrCat("cannot read ", walk->path().string()));
    }
    files.push_back({fs::relative(walk->path(), root, error).generic_string(), content.str()});
  }
  StaticSite site(files);
  if (site.entries_.find("/") == site.entries_.end()) {
    return absl::NotFoundError(absl::StrCat("the folder ", directory, " has no index.html"));
  }
  return site;
}

std::optional<HttpResponse> StaticSite::Get(absl::string_view path, const HttpHeaders& headers) const {
  const auto found = entries_.find(path);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  const Entry& entry = found->second;
  HttpResponse response;
  response.headers.push_back({"Content-Type", entry.content_type});
  // Names do not change with content, so caches ask each time; the ETag makes that cheap.
  response.headers.push_back({"Cache-Control", "no-cache"});
  response.headers.push_back({"ETag", entry.etag});
  response.headers.push_back({"Vary", "Accept-Encoding"});
  if (const auto known = FindHeader(headers, "if-none-match");
      known.has_value() && absl::StrContains(*known, entry.etag)) {
    response.status = 304;
    return response;
  }
  if (!entry.gzip.empty() && AcceptsGzip(FindHeader(headers, "accept-encoding").value_or(""))) {
    response.headers.push_back({"Content-Encoding", "gzip"});
    response.body = entry.gzip;
  } else {
    response.body = entry.content;
  }
  return response;
}

}  // namespace dateline::web_gateway
