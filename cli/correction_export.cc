#include "cli/correction_export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/time/time.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;
// Keeps the order of fields, which people read.
using Json = nlohmann::ordered_json;

bool IsReplaced(const spb::GetArticleResponse& article, spb::LabelDimension dimension) {
  return std::find(article.replaced_dimensions().begin(), article.replaced_dimensions().end(), dimension) !=
         article.replaced_dimensions().end();
}

const std::string& IdOf(const apb::Label& label) {
  return label.has_region_code() ? label.region_code() : label.has_group_id() ? label.group_id() : label.issue_id();
}

std::vector<std::string> IdsOf(const apb::Article& article, apb::Label::TargetCase target, apb::Label::State state) {
  std::vector<std::string> ids;
  for (const apb::Label& label : article.labels()) {
    if (label.target_case() == target && label.state() == state) ids.push_back(IdOf(label));
  }
  return ids;
}

Json TextOf(const apb::Article& article) {
  Json json = {{"id", article.id()}, {"title", article.title()}, {"body", article.body()}};
  if (article.has_publish_time()) {
    json["date"] =
        absl::FormatTime("%Y-%m-%d", absl::FromUnixSeconds(article.publish_time().seconds()), absl::UTCTimeZone());
  }
  if (!article.source().empty()) json["source"] = article.source();
  if (!article.language_code().empty()) json["language"] = article.language_code();
  return json;
}

std::string LineOf(const Json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string IssueExample(const spb::GetArticleResponse& article) {
  const auto ids = [&](apb::Label::State state) { return IdsOf(article.article(), apb::Label::kIssueId, state); };
  const std::vector<std::string> applied = ids(apb::Label::STATE_APPLIED);
  const std::vector<std::string> rejected = ids(apb::Label::STATE_REJECTED);
  Json json = TextOf(article.article());
  if (IsReplaced(article, spb::LABEL_DIMENSION_ISSUE)) {
    json["issues"] = applied;
  } else if (applied.empty() && rejected.empty()) {
    return "";
  } else {
    json["applied"] = applied;
    json["rejected"] = rejected;
  }
  return LineOf(json);
}

std::string CountryExample(const spb::GetArticleResponse& article, const spb::GetArticleResponse* counting) {
  const auto ids = [](const spb::GetArticleResponse& of, apb::Label::State state) {
    return IdsOf(of.article(), apb::Label::kRegionCode, state);
  };
  const std::vector<std::string> applied = ids(article, apb::Label::STATE_APPLIED);
  const bool replaced = IsReplaced(article, spb::LABEL_DIMENSION_REGION);
  if (!replaced && applied.empty() && ids(article, apb::Label::STATE_REJECTED).empty()) return "";
  Json json = TextOf(article.article());
  if (replaced) {
    json["countries"] = applied;
  } else if (counting != nullptr) {
    json["countries"] = ids(*counting, apb::Label::STATE_APPLIED);
  } else {
    json["countries"] = applied;
    json["countries_complete"] = false;
  }
  return LineOf(json);
}

}  // namespace dateline::cli
