#include "common/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/mutex.h"

namespace dateline::common {
namespace {

struct Level {
  LogLevel level;
  absl::string_view name;   // In flags and JSON.
  absl::string_view upper;  // In text lines.
};
constexpr std::array<Level, 4> kLevels = {{{LogLevel::kDebug, "debug", "DEBUG"},
                                           {LogLevel::kInfo, "info", "INFO"},
                                           {LogLevel::kWarning, "warning", "WARNING"},
                                           {LogLevel::kError, "error", "ERROR"}}};

std::atomic<LogLevel>& MinLevel() {
  static std::atomic<LogLevel> level{LogLevel::kInfo};
  return level;
}

std::atomic<LogFormat>& Format() {
  static std::atomic<LogFormat> format{LogFormat::kText};
  return format;
}

struct Sink {
  Mutex mutex;
  std::function<void(absl::string_view)> function ABSL_GUARDED_BY(mutex);
};

// Never destroyed: threads may still log while the process exits.
Sink& TheSink() {
  static Sink& sink = *new Sink;
  return sink;
}

const Level& Describe(LogLevel level) { return kLevels.at(static_cast<size_t>(level)); }

// Escapes quotes, backslashes and control characters: valid both in our text lines and in JSON.
void AppendQuoted(absl::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

bool NeedsQuotes(absl::string_view text) {
  if (text.empty()) {
    return true;
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '=' || c == 0x7f) {
      return true;
    }
  }
  return false;
}

void AppendText(const LogField& field, std::string& line) {
  absl::StrAppend(&line, " ", field.name(), "=");
  if (field.quoted() && NeedsQuotes(field.value())) {
    AppendQuoted(field.value(), line);
  } else {
    absl::StrAppend(&line, field.value());
  }
}

void AppendJson(absl::string_view name, absl::string_view value, bool quoted, std::string& line) {
  line.push_back(line.empty() ? '{' : ',');
  AppendQuoted(name, line);
  line.push_back(':');
  if (quoted) {
    AppendQuoted(value, line);
  } else {
    absl::StrAppend(&line, value);
  }
}

// A log that can't be written is no reason to stop serving: errors other than an interruption end the attempt.
void WriteToStderr(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name) {
  for (const Level& level : kLevels) {
    if (level.name == name) {
      return level.level;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level '", name, "' is unknown: use debug, info, warning or error"));
}

LogField::LogField(absl::string_view name, double value)
    : name_(name),
      value_(std::isfinite(value) ? absl::StrFormat("%.6g", value) : "null"),  // JSON has no NaN and no infinity.
      quoted_(false) {}

LogField::LogField(absl::string_view name, absl::Duration value) : LogField(name, absl::ToDoubleMilliseconds(value)) {}

LogField::LogField(absl::string_view name, absl::Time value) : name_(name), value_(TimeText(value)) {}

LogField::LogField(absl::string_view name, const absl::Status& value)
    : name_(name),
      value_(value.ok() ? "OK" : absl::StrCat(absl::StatusCodeToString(value.code()), ": ", value.message())) {}

void ConfigureLog(const LogOptions& options) {
  MinLevel().store(options.min_level, std::memory_order_relaxed);
  Format().store(options.format, std::memory_order_relaxed);
}

void SetLogSink(std::function<void(absl::string_view line)> sink) {
  Sink& target = TheSink();
  const MutexLock lock(target.mutex);
  target.function = std::move(sink);
}

bool LogEnabled(LogLevel level) { return level >= MinLevel().load(std::memory_order_relaxed); }

void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) {
    return;
  }
  const Level& description = Describe(level);
  const std::string now = TimeText(absl::Now());
  std::string line;
  if (Format().load(std::memory_order_relaxed) == LogFormat::kJson) {
    AppendJson("time", now, true, line);
    AppendJson("level", description.name, true, line);
    AppendJson("event", event, true, line);
    for (const LogField& field : fields) {
      AppendJson(field.name(), field.value(), field.quoted(), line);
    }
    line.push_back('}');
  } else {
    absl::StrAppend(&line, now, " ", description.upper, " ", event);
    for (const LogField& field : fields) {
      AppendText(field, line);
    }
  }
  Sink& sink = TheSink();
  const MutexLock lock(sink.mutex);
  if (sink.function) {
    sink.function(line);
    return;
  }
  line.push_back('\n');
  WriteToStderr(line);
}

}  // namespace dateline::common
