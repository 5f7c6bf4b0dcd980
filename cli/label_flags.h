// Flags that take countries, groups and issues, by code, id or name; and requests that are made of them.
#ifndef DATELINE_CLI_LABEL_FLAGS_H_
#define DATELINE_CLI_LABEL_FLAGS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

#include "CLI/CLI.hpp"
#include "cli/command.h"
#include "cli/taxonomy_names.h"

namespace dateline::cli {

// What was given to --country, --group and --issue.
struct LabelTexts {
  std::vector<std::string> countries;
  std::vector<std::string> groups;
  std::vector<std::string> issues;
  bool empty() const { return countries.empty() && groups.empty() && issues.empty(); }
};

// A flag that may be repeated; each value is one text, commas and all. An empty value is a usage error.
CLI::Option* AddTexts(CLI::App& command, const std::string& name, const std::string& type,
                      std::vector<std::string>& target, const std::string& help);

// Makes codes and ids of what was typed; an error of its own kind (NeedsNames) if it can't tell what a name means.
using LabelReader = std::function<absl::StatusOr<std::vector<std::string>>(LabelKind kind, absl::string_view text)>;

// Appends to `values` what `texts`, given to `flag`, mean.
absl::Status AddLabels(LabelKind kind, absl::string_view flag, const std::vector<std::string>& texts,
                       const LabelReader& read, google::protobuf::RepeatedPtrField<std::string>* values);

// The condition of a filter that articles with these labels pass: of countries and groups any, and of issues any.
// Joined with `filter`; either may be empty.
absl::StatusOr<std::string> FilterOf(const LabelTexts& texts, const std::string& filter, const LabelReader& read);

namespace internal {
absl::StatusOr<std::vector<std::string>> ReadByForm(LabelKind kind, absl::string_view text);
bool NeedsNames(const absl::Status& error);
// Whether the service refused one of these fields of the request, or a part of it.
bool RefusesFields(const absl::Status& error, const std::vector<absl::string_view>& fields);
// One attempt: who waits for an answer is not kept from its error.
absl::StatusOr<TaxonomyNames> FetchNames(const Context& context);
absl::Status WithoutNames(const absl::Status& unread, const absl::Status& why);
}  // namespace internal

// Calls `ask` with a reader for labels and gives its answer. Codes and ids are taken as they are, which needs no
// classifier; only where one has another form, or the service doesn't know one that stands in `fields` of the request,
// its taxonomy is asked what they mean, and `ask` is called again.
template <typename Ask>
auto AskWithNames(const Context& context, const std::vector<absl::string_view>& fields, const Ask& ask)
    -> decltype(ask(std::declval<const LabelReader&>())) {
  auto answer = ask(LabelReader(internal::ReadByForm));
  const bool unread = internal::NeedsNames(answer.status());
  if (answer.ok() || (!unread && !internal::RefusesFields(answer.status(), fields))) return answer;
  const absl::StatusOr<TaxonomyNames> names = internal::FetchNames(context);
  if (names.ok()) {
    return ask(LabelReader([&names](LabelKind kind, absl::string_view text) { return names->Codes(kind, text); }));
  }
  if (unread) return internal::WithoutNames(answer.status(), names.status());
  return answer;
}

}  // namespace dateline::cli

#endif  // DATELINE_CLI_LABEL_FLAGS_H_
