// Messages as JSON, by protobuf's own mapping (lowerCamelCase, times as RFC 3339).
#ifndef DATELINE_CLI_JSON_OUTPUT_H_
#define DATELINE_CLI_JSON_OUTPUT_H_

#include <string>

#include "google/protobuf/message.h"

namespace dateline::cli {

enum class JsonLayout {
  kLine,    // All on one line.
  kPretty,  // Indented, for people.
};

enum class JsonFields {
  kSet,  // As the mapping does by default: empty lists, empty strings and zeros are left out.
  kAll,  // They are there: a program may count on every list.
};

// `message` as JSON, ending in a line end. Strings of messages are UTF-8 and maps have string keys, so this cannot
// fail.
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout, JsonFields fields);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_JSON_OUTPUT_H_
