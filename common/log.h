// Structured logs: one line an event, on stderr.
//
//   LogInfo("ready", {{"port", 50051}, {"version", "0.1.0"}});
//
// prints `2026-05-04T10:11:12.345Z INFO ready port=50051 version=0.1.0`, or the same as one JSON object. Values are
// escaped, so that what a user sent can never forge a line. Text of users (queries, titles, bodies) belongs at debug
// level only; ids, counts, codes and times at any.
//
// Every function is thread-safe; a line is written with one call, so lines never mix.
#ifndef DATELINE_COMMON_LOG_H_
#define DATELINE_COMMON_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace dateline::common {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// "debug", "info", "warning" or "error". InvalidArgument, naming the choices, for anything else.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name);

// One `name=value` of a line. Names are identifiers in snake_case; values of any kind below. Durations are printed in
// milliseconds, so name the field `..._ms`; times in UTC; a status as its code and message.
class LogField {
 public:
  LogField(absl::string_view name, bool value) : name_(name), value_(value ? "true" : "false"), quoted_(false) {}
  LogField(absl::string_view name, absl::string_view value) : name_(name), value_(value) {}
  LogField(absl::string_view name, const char* value) : name_(name), value_(value) {}
  LogField(absl::string_view name, const std::string& value) : name_(name), value_(value) {}
  LogField(absl::string_view name, double value);
  LogField(absl::string_view name, absl::Duration value);
  LogField(absl::string_view name, absl::Time value);
  LogField(absl::string_view name, const absl::Status& value);
  template <typename Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      LogField(absl::string_view name, Integer value)
      : name_(name), value_(std::to_string(value)), quoted_(false) {}

  absl::string_view name() const { return name_; }
  absl::string_view value() const { return value_; }
  // False for numbers and booleans, which JSON writes bare.
  bool quoted() const { return quoted_; }

 private:
  std::string name_;
  std::string value_;
  bool quoted_ = true;
};

struct LogOptions {
  LogLevel min_level = LogLevel::kInfo;  // Events below it are dropped.
  LogFormat format = LogFormat::kText;
};

// Applies to the whole process from the next line on. Call it once, early in main().
void ConfigureLog(const LogOptions& options);

// Sends lines (without the newline) to `sink` instead of stderr; an empty function restores stderr. For tests. `sink`
// is called by whichever thread logs, never by two at once.
void SetLogSink(std::function<void(absl::string_view line)> sink);

// True if an event at `level` would be written: worth asking before costly fields are computed.
bool LogEnabled(LogLevel level);

// Writes one event. `event` is a short name in snake_case.
void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields = {});

inline void LogDebug(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, event, fields);
}
inline void LogInfo(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, event, fields);
}
inline void LogWarning(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, event, fields);
}
inline void LogError(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, event, fields);
}

}  // namespace dateline::common

#endif  // DATELINE_COMMON_LOG_H_
