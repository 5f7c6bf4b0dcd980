#include "search_service/selection.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/status_macros.h"

namespace dateline::search {

absl::Status CheckCount(absl::string_view field, size_t count) {
  if (count <= kMaxFilterValues) return absl::OkStatus();
  return common::InvalidField(field,
                              absl::StrCat("has ", count, " values; at most ", kMaxFilterValues, " are allowed"));
}

namespace {

// A condition for each value. `list` is the field of the request that they are in.
absl::Status AddConditions(const FieldRef& ref, const std::vector<std::string>& values, const LabelNames& names,
                           absl::string_view list, std::vector<QueryNode>& conditions) {
  for (size_t i = 0; i < values.size(); ++i) {
    ASSIGN_OR_RETURN(QueryNode node, ValueCondition(ref, values[i], names, absl::StrCat(list, "[", i, "]")));
    conditions.push_back(std::move(node));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<IndexFilter>> FiltersOf(const SearchQuery& query, const LabelNames& names) {
  std::vector<IndexFilter> filters;
  RETURN_IF_ERROR(CheckCount("region_codes", query.region_codes.size()));
  RETURN_IF_ERROR(CheckCount("group_ids", query.group_ids.size()));
  RETURN_IF_ERROR(CheckCount("issue_ids", query.issue_ids.size()));
  std::vector<QueryNode> places;
  RETURN_IF_ERROR(AddConditions({Field::kRegion, ""}, query.region_codes, names, "region_codes", places));
  RETURN_IF_ERROR(AddConditions({Field::kGroup, ""}, query.group_ids, names, "group_ids", places));
  if (!places.empty()) filters.push_back({std::nullopt, QueryNode::Or(std::move(places))});
  std::vector<QueryNode> issues;
  RETURN_IF_ERROR(AddConditions({Field::kIssue, ""}, query.issue_ids, names, "issue_ids", issues));
  if (!issues.empty()) filters.push_back({std::nullopt, QueryNode::Or(std::move(issues))});

  RETURN_IF_ERROR(CheckCount("selections", query.selections.size()));
  size_t selected = 0;
  for (const Selection& selection : query.selections) selected += selection.values.size();
  if (selected > kMaxSelectedValues) {
    return common::InvalidField("selections", absl::StrCat("have ", selected, " values together; at most ",
                                                           kMaxSelectedValues, " are allowed"));
  }
  for (size_t i = 0; i < query.selections.size(); ++i) {
    const Selection& selection = query.selections[i];
    const std::string path = absl::StrCat("selections[", i, "]");
    const std::optional<FieldRef> ref = ParseFieldName(selection.field);
    if (!ref || !IsFacet(ref->field)) {
      return common::InvalidField(
          absl::StrCat(path, ".field"),
          absl::StrCat("\"", selection.field, "\" can't be selected by; there are ", kFacetFields));
    }
    const std::string values_path = absl::StrCat(path, ".values");
    if (selection.values.empty()) return common::InvalidField(values_path, "is empty");
    RETURN_IF_ERROR(CheckCount(values_path, selection.values.size()));
    std::vector<QueryNode> values;
    RETURN_IF_ERROR(AddConditions(*ref, selection.values, names, values_path, values));
    if (selection.match_all) {
      filters.push_back({std::nullopt, QueryNode::And(std::move(values))});
    } else {
      filters.push_back({*ref, QueryNode::Or(std::move(values))});
    }
  }
  ASSIGN_OR_RETURN(QueryNode condition, ParseFilter(query.filter, names));
  if (condition.kind != QueryNode::Kind::kAll) filters.push_back({std::nullopt, std::move(condition)});
  return filters;
}

}  // namespace dateline::search
