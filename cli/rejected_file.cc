#include "cli/rejected_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/url.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string TimeText(const google::protobuf::Timestamp& time, apb::TimePrecision precision) {
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime(precision == apb::TIME_PRECISION_DAY ? "%Y-%m-%d" : absl::RFC3339_full, moment,
                          absl::UTCTimeZone());
}

void AddText(const char* name, const std::string& text, Json& record) {
  if (!text.empty()) record[name] = text;
}

template <typename Texts>
void AddTexts(const char* name, const Texts& texts, Json& record) {
  for (const std::string& text : texts) record[name].push_back(text);
}

Json RecordOf(const apb::Article& article) {
  Json record = Json::object();
  AddText("id", article.id(), record);
  AddText("url", article.url(), record);
  AddTexts("alternate_urls", article.alternate_urls(), record);
  AddText("title", article.title(), record);
  AddText("body", article.body(), record);
  AddText("summary", article.summary(), record);
  AddTexts("authors", article.authors(), record);
  AddText("source", article.source(), record);
  if (article.has_publish_time()) {
    record["date"] = TimeText(article.publish_time(), article.publish_time_precision());
  }
  if (article.has_update_time()) {
    record["update_time"] = TimeText(article.update_time(), apb::TIME_PRECISION_SECOND);
  }
  AddText("language", article.language_code(), record);
  AddText("image_url", article.image_url(), record);
  AddText("content_type", article.content_type(), record);
  for (const auto& [name, list] : article.attributes()) AddTexts(name.c_str(), list.values(), record["attributes"]);
  for (const apb::SourceLabel& label : article.source_labels()) {
    record["source_labels"].push_back({{"kind", label.kind()}, {"name", label.name()}});
  }
  return record;
}

// Whether writing `path` would change what is read from `place`.
bool IsWithin(const std::string& path, const std::string& place) {
  std::error_code error;
  const fs::path target = fs::weakly_canonical(path, error);
  if (error) return false;
  const fs::path read = fs::weakly_canonical(place, error);
  if (error) return false;
  if (target == read || fs::equivalent(target, read, error)) return fs::is_regular_file(read, error);
  if (!fs::is_directory(read, error)) return false;
  const fs::path within = target.lexically_relative(read);
  return !within.empty() && *within.begin() != "..";
}

}  // namespace

std::string RejectedRecord(const IngestLine& line, const apb::Article* article, const std::string& text) {
  Json record = article == nullptr ? Json::object() : RecordOf(*article);
  if (article == nullptr && !text.empty()) {
    Json fields = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (fields.is_object()) {
      record = std::move(fields);
    } else {
      record[kRejectedLine] = text;
    }
  }
  // One that the service made of the text is not the article's own.
  if (article == nullptr && !line.id().empty()) record["id"] = line.id();
  record["rejection"] = {{"source", line.source()},
                         {"position", line.position()},
                         {"reason", line.error().reason()},
                         {"message", line.error().message()}};
  // File names need not be UTF-8.
  return record.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::unique_ptr<RejectedFile>> RejectedFile::Open(std::string path,
                                                                 const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    if (common::LooksLikeUrl(place) || !IsWithin(path, place)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": would be read as well as written, since ", place, " is read; name another file"));
  }
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written: ", std::strerror(errno)));
  }
  return std::unique_ptr<RejectedFile>(new RejectedFile(std::move(path), file));
}

RejectedFile::~RejectedFile() { std::fclose(file_); }

void RejectedFile::Clear() {
  const common::MutexLock lock(mutex_);
  // A pipe or a device has nothing to be cleared of.
  if (ftruncate(fileno(file_), 0) != 0 && errno != EINVAL) {
    status_ = absl::FailedPreconditionError(absl::StrCat(path_, ": cannot be emptied: ", std::strerror(errno)));
  }
}

void RejectedFile::Add(const IngestLine& line, const apb::Article* article, const std::string& text) {
  const std::string record = RejectedRecord(line, article, text);
  const common::MutexLock lock(mutex_);
  if (std::fwrite(record.data(), 1, record.size(), file_) == record.size() && std::fflush(file_) == 0) return;
  if (status_.ok()) {
    status_ = absl::FailedPreconditionError(absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
  }
}

absl::Status RejectedFile::status() const {
  const common::MutexLock lock(mutex_);
  return status_;
}

}  // namespace dateline::cli
