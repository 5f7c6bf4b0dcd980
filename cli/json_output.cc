#include "cli/json_output.h"

#include "google/protobuf/util/json_util.h"

namespace dateline::cli {

std::string ToJson(const google::protobuf::Message& message, JsonLayout layout, JsonFields fields) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = layout == JsonLayout::kPretty;
  options.always_print_primitive_fields = fields == JsonFields::kAll;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) json = "{}";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

}  // namespace dateline::cli
