#include "common/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dateline::common {
namespace {

constexpr absl::string_view kReasonUrl = "dateline/reason";
constexpr absl::string_view kMetadataUrl = "dateline/metadata";
constexpr absl::string_view kFieldsUrl = "dateline/field_violations";
constexpr absl::string_view kRetryUrl = "dateline/retry_delay";

// A payload is a list of strings, each as "LENGTH:BYTES". It never leaves the process.
std::string Encode(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) {
    absl::StrAppend(&out, value.size(), ":", value);
  }
  return out;
}

std::vector<std::string> Decode(absl::string_view bytes) {
  std::vector<std::string> values;
  while (!bytes.empty()) {
    const size_t colon = bytes.find(':');
    size_t size = 0;
    if (colon == absl::string_view::npos || !absl::SimpleAtoi(bytes.substr(0, colon), &size) ||
        size > bytes.size() - colon - 1) {
      return {};
    }
    values.emplace_back(bytes.substr(colon + 1, size));
    bytes.remove_prefix(colon + 1 + size);
  }
  return values;
}

std::vector<std::string> Get(const absl::Status& status, absl::string_view url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? Decode(std::string(*payload)) : std::vector<std::string>();
}

absl::Status Set(absl::Status status, absl::string_view url, const std::vector<std::string>& values) {
  if (!status.ok()) {
    // A view: clang since 18 gives the constructor from a string another name than the compiler of Debian's Abseil.
    status.SetPayload(url, absl::Cord(absl::string_view(Encode(values))));
  }
  return status;
}

}  // namespace

absl::Status InvalidField(absl::string_view field, absl::string_view description) {
  return InvalidFields({{std::string(field), std::string(description)}});
}

absl::Status InvalidFields(const std::vector<FieldViolation>& violations) {
  if (violations.empty()) {
    return absl::OkStatus();
  }
  const std::string message = absl::StrJoin(violations, "; ", [](std::string* out, const FieldViolation& violation) {
    absl::StrAppend(out, violation.field, ": ", violation.description);
  });
  return WithFieldViolations(absl::InvalidArgumentError(message), violations);
}

absl::Status ResourceExhausted(absl::string_view message, absl::Duration retry_delay) {
  return WithRetryDelay(absl::ResourceExhaustedError(message), retry_delay);
}

absl::Status Unavailable(absl::string_view message, absl::Duration retry_delay) {
  return WithRetryDelay(absl::UnavailableError(message), retry_delay);
}

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  return Set(std::move(status), kReasonUrl, {std::string(reason)});
}

absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value) {
  std::map<std::string, std::string> metadata = MetadataOf(status);
  metadata[std::string(key)] = std::string(value);
  std::vector<std::string> values;
  for (const auto& [name, text] : metadata) {
    values.push_back(name);
    values.push_back(text);
  }
  return Set(std::move(status), kMetadataUrl, values);
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration retry_delay) {
  return Set(std::move(status), kRetryUrl, {absl::StrCat(absl::ToInt64Nanoseconds(retry_delay))});
}

absl::Status WithFieldViolations(absl::Status status, const std::vector<FieldViolation>& violations) {
  std::vector<std::string> values;
  for (const FieldViolation& violation : violations) {
    values.push_back(violation.field);
    values.push_back(violation.description);
  }
  return Set(std::move(status), kFieldsUrl, values);
}

absl::Status WithFieldPrefix(absl::Status status, absl::string_view prefix) {
  if (status.ok()) {
    return status;
  }
  std::vector<FieldViolation> violations = FieldViolationsOf(status);
  for (FieldViolation& violation : violations) {
    violation.field = absl::StrCat(prefix, ".", violation.field);
  }
  absl::Status prefixed(status.code(), absl::StrCat(prefix, ".", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { prefixed.SetPayload(url, payload); });
  return violations.empty() ? prefixed : WithFieldViolations(std::move(prefixed), violations);
}

std::string ReasonOf(const absl::Status& status) {
  if (status.ok()) {
    return "";
  }
  std::vector<std::string> values = Get(status, kReasonUrl);
  return values.size() == 1 ? std::move(values.front()) : absl::StatusCodeToString(status.code());
}

std::map<std::string, std::string> MetadataOf(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  const std::vector<std::string> values = Get(status, kMetadataUrl);
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    metadata[values[i]] = values[i + 1];
  }
  return metadata;
}

std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const std::vector<std::string> values = Get(status, kFieldsUrl);
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    violations.push_back({values[i], values[i + 1]});
  }
  return violations;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const std::vector<std::string> values = Get(status, kRetryUrl);
  int64_t nanoseconds = 0;
  if (values.size() != 1 || !absl::SimpleAtoi(values.front(), &nanoseconds)) {
    return std::nullopt;
  }
  return absl::Nanoseconds(nanoseconds);
}

}  // namespace dateline::common
