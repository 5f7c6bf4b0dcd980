// Reads files of JSON Lines to train on and measure with: one article a line, plain or packed with zstd.
#ifndef DATELINE_CLASSIFIER_SERVICE_JSON_LINES_H_
#define DATELINE_CLASSIFIER_SERVICE_JSON_LINES_H_

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace dateline::classifier {

// A longer line is broken: no article has so much.
inline constexpr size_t kMaxJsonLineBytes = 64'000'000;

// Lines of a file that could not be used.
struct BrokenLines {
  size_t count = 0;
  std::vector<std::string> problems;  // The first 100: "FILE: line 12: …".
};

// Calls `on_object` with the object of each line; blank lines are passed over. NotFound if there is no such file,
// DataLoss if what packs it is damaged. A line that is no object, or that `on_object` returns an error for, ends it
// with "FILE: line 12: …" and the remedy; with `broken`, such lines are put there, and the rest is read.
absl::Status ForEachJsonLine(const std::string& path, absl::FunctionRef<absl::Status(const nlohmann::json&)> on_object,
                             BrokenLines* broken = nullptr);

// The string in `field`, empty if it is absent or null. InvalidArgument, naming it, if it holds something else.
absl::StatusOr<std::string> StringField(const nlohmann::json& object, const std::string& field);

// The strings in the list `field`, none if it is absent. InvalidArgument, naming it, if it holds something else.
absl::StatusOr<std::vector<std::string>> StringsField(const nlohmann::json& object, const std::string& field);

// The string or whole number in `id`: what names an article. InvalidArgument if there is none.
absl::StatusOr<std::string> IdField(const nlohmann::json& object);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_JSON_LINES_H_
