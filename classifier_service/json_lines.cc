#include "classifier_service/json_lines.h"

#include <zstd.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

using Json = nlohmann::json;

constexpr char kRightForm[] = "write each article as one JSON object on one line";

// Divides bytes that come piece by piece into lines.
class LineSplitter {
 public:
  // Gets a line and its number, from 1; nullopt for one that is too long, of which nothing is kept.
  using OnLine = absl::FunctionRef<absl::Status(std::optional<absl::string_view>, size_t)>;

  absl::Status Take(absl::string_view chunk, OnLine on_line) {
    while (true) {
      const size_t newline = chunk.find('\n');
      const absl::string_view piece = chunk.substr(0, newline);
      if (pending_.size() + piece.size() > kMaxJsonLineBytes) {
        too_long_ = true;
        pending_.clear();
      }
      if (!too_long_) {
        pending_.append(piece.data(), piece.size());
      }
      if (newline == absl::string_view::npos) {
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(End(on_line));
      chunk.remove_prefix(newline + 1);
    }
  }

  // What no line end ends is a line, too.
  absl::Status End(OnLine on_line) {
    absl::Status status =
        too_long_ ? on_line(std::nullopt, ++number_) : on_line(absl::string_view(pending_), ++number_);
    pending_.clear();
    too_long_ = false;
    return status;
  }

 private:
  std::string pending_;
  bool too_long_ = false;
  size_t number_ = 0;
};

absl::Status ForEachLine(const std::string& path, LineSplitter::OnLine on_line) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read \"", path, "\"; check the path and that the file exists"));
  }
  const bool packed = absl::EndsWith(path, ".zst");
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  std::string in(1 << 17, '\0');
  std::string out(1 << 18, '\0');
  LineSplitter lines;
  size_t state = 0;
  while (file) {
    file.read(in.data(), static_cast<std::streamsize>(in.size()));
    const auto count = static_cast<size_t>(file.gcount());
    if (!packed) {
      RETURN_IF_ERROR(lines.Take(absl::string_view(in.data(), count), on_line));
      continue;
    }
    ZSTD_inBuffer input = {in.data(), count, 0};
    while (input.pos < input.size) {
      ZSTD_outBuffer output = {out.data(), out.size(), 0};
      state = ZSTD_decompressStream(context.get(), &output, &input);
      if (ZSTD_isError(state) != 0) {
        return absl::DataLossError(absl::StrCat(path, ": corrupted (", ZSTD_getErrorName(state), "); fetch it again"));
      }
      RETURN_IF_ERROR(lines.Take(absl::string_view(out.data(), output.pos), on_line));
    }
  }
  if (packed && state != 0) {
    return absl::DataLossError(absl::StrCat(path, ": truncated; fetch it again"));
  }
  return lines.End(on_line);
}

// "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error while parsing object key - invalid
// literal; …": what follows the last " - ", or the place at least.
std::string ProblemOf(const Json::parse_error& error, size_t size) {
  const absl::string_view what = error.what();
  if (absl::StrContains(what, "ill-formed UTF-8")) {
    return absl::StrCat("is not UTF-8 near byte ", error.byte, "; convert the file, with iconv for example");
  }
  if (error.byte > size) {
    return absl::StrCat("ends in the middle of its JSON; ", kRightForm);
  }
  const size_t dash = what.rfind(" - ");
  const std::string reason =
      dash == absl::string_view::npos ? "" : absl::StrCat(": ", common::NormalizeLine(what.substr(dash + 3)));
  return absl::StrCat("malformed JSON at byte ", error.byte, reason, "; ", kRightForm);
}

absl::StatusOr<Json> Parse(absl::string_view line) {
  try {
    Json json = Json::parse(line.begin(), line.end());
    if (json.is_object()) {
      return json;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("is no JSON object but a JSON ", json.type_name(), "; ", kRightForm));
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(ProblemOf(error, line.size()));
  } catch (const Json::exception& error) {  // A number that no double holds.
    return absl::InvalidArgumentError(absl::StrCat("malformed JSON: ", common::NormalizeLine(error.what())));
  }
}

}  // namespace

absl::Status ForEachJsonLine(const std::string& path, absl::FunctionRef<absl::Status(const Json&)> on_object,
                             BrokenLines* broken) {
  const auto read = [&](std::optional<absl::string_view> line) -> absl::Status {
    if (!line.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("has more than ", kMaxJsonLineBytes, " bytes; ", kRightForm, ", or leave it out"));
    }
    const absl::string_view bare = absl::StripAsciiWhitespace(*line);
    if (bare.empty()) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const Json object, Parse(bare));
    return on_object(object);
  };
  return ForEachLine(path, [&](std::optional<absl::string_view> line, size_t number) -> absl::Status {
    absl::Status status = read(line);
    if (status.ok()) {
      return status;
    }
    status = absl::Status(status.code(), absl::StrCat(path, ": line ", number, ": ", status.message()));
    if (broken == nullptr) {
      return status;
    }
    constexpr size_t kProblemsKept = 100;
    if (++broken->count <= kProblemsKept) {
      broken->problems.emplace_back(status.message());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> StringField(const Json& object, const std::string& field) {
  const auto it = object.find(field);
  if (it == object.end() || it->is_null()) {
    return std::string();
  }
  if (!it->is_string()) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": must be a string, not a JSON ", it->type_name()));
  }
  return it->get<std::string>();
}

absl::StatusOr<std::vector<std::string>> StringsField(const Json& object, const std::string& field) {
  std::vector<std::string> strings;
  const auto it = object.find(field);
  if (it == object.end()) {
    return strings;
  }
  const auto wrong = [&] {
    return absl::InvalidArgumentError(absl::StrCat(field, ": must be a list of strings, such as [\"trade\"]"));
  };
  if (!it->is_array()) {
    return wrong();
  }
  for (const Json& one : *it) {
    if (!one.is_string()) {
      return wrong();
    }
    strings.push_back(one.get<std::string>());
  }
  return strings;
}

absl::StatusOr<std::string> IdField(const Json& object) {
  const auto it = object.find("id");
  if (it != object.end() && it->is_number_integer()) {
    return it->dump();
  }
  ASSIGN_OR_RETURN(std::string id, StringField(object, "id"));
  if (id.empty()) {
    return absl::InvalidArgumentError("no id; give each article one of its own");
  }
  return id;
}

}  // namespace dateline::classifier
