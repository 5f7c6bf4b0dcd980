#include "cli/article_check.h"

#include <utility>

#include "common/status_macros.h"
#include "search_service/article.h"

namespace dateline::cli {
namespace {

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CheckArticle(const article::v1::Article& article, absl::Time now) {
  search::Article checked;
  checked.id = article.id();
  checked.url = article.url();
  checked.alternate_urls = {article.alternate_urls().begin(), article.alternate_urls().end()};
  checked.title = article.title();
  checked.body = article.body();
  checked.summary = article.summary();
  checked.authors = {article.authors().begin(), article.authors().end()};
  checked.source = article.source();
  if (article.has_publish_time()) checked.publish_time = TimeOf(article.publish_time());
  if (article.publish_time_precision() == article::v1::TIME_PRECISION_DAY) {
    checked.publish_time_precision = search::TimePrecision::kDay;
  }
  if (article.has_update_time()) checked.update_time = TimeOf(article.update_time());
  checked.language_code = article.language_code();
  checked.image_url = article.image_url();
  checked.content_type = article.content_type();
  for (const auto& [name, list] : article.attributes()) {
    checked.attributes[name] = {list.values().begin(), list.values().end()};
  }
  for (const article::v1::SourceLabel& label : article.source_labels()) {
    checked.source_labels.push_back({.kind = label.kind(), .name = label.name()});
  }
  ASSIGN_OR_RETURN(search::Normalized normalized, search::Normalize(std::move(checked), now));
  return std::move(normalized.warnings);
}

}  // namespace dateline::cli
