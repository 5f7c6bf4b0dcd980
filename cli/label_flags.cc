#include "cli/label_flags.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "cli/rpc_clients.h"
#include "common/error.h"
#include "common/status_macros.h"

namespace dateline::cli {
namespace {

constexpr char kReasonName[] = "LABEL_IS_A_NAME";

// (field = "A" OR field = "B" …), as a filter.
std::string AnyOf(
    const std::vector<std::pair<absl::string_view, const google::protobuf::RepeatedPtrField<std::string>*>>& fields) {
  std::vector<std::string> conditions;
  for (const auto& [field, values] : fields) {
    for (const std::string& value : *values) conditions.push_back(absl::StrCat(field, " = \"", value, "\""));
  }
  return conditions.empty() ? std::string() : absl::StrCat("(", absl::StrJoin(conditions, " OR "), ")");
}

}  // namespace

CLI::Option* AddTexts(CLI::App& command, const std::string& name, const std::string& type,
                      std::vector<std::string>& target, const std::string& help) {
  // A variable of a script that was not set would otherwise be no filter, and list everything.
  const CLI::Validator not_empty(
      [](const std::string& text) {
        return text.find_first_not_of(" ,=") == std::string::npos ? "holds no value; leave the flag out for all" : "";
      },
      "");
  return command.add_option(name, target, help)->expected(1)->take_all()->type_name(type)->check(not_empty);
}

absl::Status AddLabels(LabelKind kind, absl::string_view flag, const std::vector<std::string>& texts,
                       const LabelReader& read, google::protobuf::RepeatedPtrField<std::string>* values) {
  for (const std::string& text : texts) {
    const absl::StatusOr<std::vector<std::string>> codes = read(kind, text);
    if (!codes.ok()) {
      const absl::Status error(codes.status().code(), absl::StrCat(flag, ": ", codes.status().message()));
      return internal::NeedsNames(codes.status()) ? common::WithReason(error, kReasonName) : error;
    }
    values->Add(codes->begin(), codes->end());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FilterOf(const LabelTexts& texts, const std::string& filter, const LabelReader& read) {
  google::protobuf::RepeatedPtrField<std::string> countries;
  google::protobuf::RepeatedPtrField<std::string> groups;
  google::protobuf::RepeatedPtrField<std::string> issues;
  RETURN_IF_ERROR(AddLabels(LabelKind::kCountry, "--country", texts.countries, read, &countries));
  RETURN_IF_ERROR(AddLabels(LabelKind::kGroup, "--group", texts.groups, read, &groups));
  RETURN_IF_ERROR(AddLabels(LabelKind::kIssue, "--issue", texts.issues, read, &issues));
  std::vector<std::string> conditions = {AnyOf({{"region_code", &countries}, {"group_id", &groups}}),
                                         AnyOf({{"issue_id", &issues}})};
  std::erase(conditions, "");
  if (!filter.empty()) conditions.push_back(conditions.empty() ? filter : absl::StrCat("(", filter, ")"));
  return absl::StrJoin(conditions, " AND ");
}

namespace internal {

absl::StatusOr<std::vector<std::string>> ReadByForm(LabelKind kind, absl::string_view text) {
  std::optional<std::vector<std::string>> codes = CodesByForm(kind, text);
  if (codes) return *std::move(codes);
  return common::WithReason(absl::NotFoundError(absl::StrCat("“", text, "” is a name")), kReasonName);
}

bool NeedsNames(const absl::Status& error) { return common::ReasonOf(error) == kReasonName; }

bool RefusesFields(const absl::Status& error, const std::vector<absl::string_view>& fields) {
  if (!absl::IsInvalidArgument(error)) return false;
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(error);
  return std::any_of(violations.begin(), violations.end(), [&](const common::FieldViolation& violation) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](absl::string_view field) { return absl::StartsWith(violation.field, field); });
  });
}

absl::StatusOr<TaxonomyNames> FetchNames(const Context& context) {
  CallOptions options = context.call_options();
  options.retry.give_up_after = absl::ZeroDuration();
  ASSIGN_OR_RETURN(const ClassifierClient client, ClassifierClient::Connect(context.classifier, options));
  ASSIGN_OR_RETURN(const classifier::v1::GetTaxonomyResponse taxonomy, client.GetTaxonomy({}));
  return TaxonomyNames(taxonomy);
}

absl::Status WithoutNames(const absl::Status& unread, const absl::Status& why) {
  return absl::FailedPreconditionError(absl::StrCat(
      unread.message(), ", and the classifier, which knows what it means, could not be asked: ", DescribeError(why),
      "; codes and ids (IR, geopolitics) need it not"));
}

}  // namespace internal
}  // namespace dateline::cli
