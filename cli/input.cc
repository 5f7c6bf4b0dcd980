#include "cli/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "cli/interrupt.h"
#include "common/error.h"
#include "common/status_macros.h"
#include "common/url.h"
#include "extraction/json_lines.h"

namespace dateline::cli {
namespace {

// Deeper than anything that is not a loop.
constexpr int kDeepestFolder = 64;
// What the format is told from.
constexpr size_t kHeadBytes = 8 * 1024;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Names of files in folders that may hold articles. A page saved by a browser has a folder of scripts and pictures
// beside it, and a checkout has files that speak about articles: the names tell them apart. A file that the user names
// is read whatever it is called.
bool MayHoldArticles(absl::string_view name) {
  static constexpr absl::string_view kEndings[] = {".html", ".htm", ".xhtml", ".shtml", ".txt",   ".text",
                                                   ".xml",  ".rss", ".atom",  ".rdf",   ".jsonl", ".ndjson"};
  const std::string lower = absl::AsciiStrToLower(name);
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&lower](absl::string_view ending) { return absl::EndsWith(lower, ending); });
}

absl::Status FileError(int error) {
  switch (error) {
    case ENOENT:
      return absl::NotFoundError("there is no such file or folder");
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError("may not be read");
    default:
      return absl::FailedPreconditionError(absl::StrCat("cannot be opened: ", std::strerror(error)));
  }
}

// Whether the first line of JSON Lines is there: enough to know the format, and whoever writes the next line may be
// waiting for the answer to it.
bool IsWholeJsonLine(absl::string_view head) {
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(head), "{") && absl::StrContains(head, '\n');
}

// The id of a line that is no article, so that whoever sent it can tell which it was.
std::string IdOfLine(absl::string_view line) {
  const nlohmann::json object = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return "";
  const auto id = object.find("id");
  if (id == object.end()) return "";
  if (id->is_string()) return id->get<std::string>();
  return id->is_number() ? id->dump() : "";
}

extraction::ReadFunction WholeText(std::string text) {
  return Replay(std::move(text), [](char* /*buffer*/, size_t /*size*/) -> absl::StatusOr<size_t> { return 0; });
}

}  // namespace

InputReader::InputReader(const std::vector<std::string>& places, InputOptions options) : options_(std::move(options)) {
  for (const std::string& place : places) {
    struct stat about = {};
    if (place == kStandardInput || common::LooksLikeUrl(place)) {
      total_bytes_.reset();
      sources_.push_back({place, absl::OkStatus()});
    } else if (stat(place.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) {
      List(place, 0);
    } else {
      // A pipe or a device has no size; a missing file is an error when its turn comes.
      if (!S_ISREG(about.st_mode) && about.st_mode != 0) total_bytes_.reset();
      if (total_bytes_) *total_bytes_ += about.st_size;
      sources_.push_back({place, absl::OkStatus()});
    }
  }
}

void InputReader::List(const std::string& folder, int depth) {
  DIR* const directory = depth < kDeepestFolder ? opendir(folder.c_str()) : nullptr;
  if (directory == nullptr) {
    sources_.push_back({folder, depth < kDeepestFolder
                                    ? FileError(errno)
                                    : absl::FailedPreconditionError("the folders are nested too deeply")});
    return;
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (Interrupted()) return;
    const std::string path = absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
    struct stat about = {};
    if (lstat(path.c_str(), &about) != 0) continue;  // Gone since it was listed.
    if (S_ISDIR(about.st_mode)) {
      List(path, depth + 1);
      continue;
    }
    // Links to files are followed, links to folders are not: they may lead round in a circle.
    if (S_ISLNK(about.st_mode) && (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode))) {
      ++skipped_files_;
      continue;
    }
    if (!S_ISREG(about.st_mode) || !MayHoldArticles(name)) {
      ++skipped_files_;
      continue;
    }
    if (total_bytes_) *total_bytes_ += about.st_size;
    sources_.push_back({path, absl::OkStatus()});
  }
}

absl::Status InputReader::OpenStream(extraction::ReadFunction read, extraction::SourceOptions source_options) {
  source_options.format = options_.format;
  source_options.extract.explain = options_.explain;
  if (source_options.format == extraction::Format::kUnknown) {
    std::string head(kHeadBytes, '\0');
    size_t size = 0;
    while (size < head.size() && !IsWholeJsonLine(absl::string_view(head).substr(0, size))) {
      ASSIGN_OR_RETURN(const size_t got, read(head.data() + size, head.size() - size));
      if (got == 0) break;
      size += got;
    }
    head.resize(size);
    // Web pages and feeds say what they are in their media type, too: the reader looks at that.
    if (extraction::DetectFormat(source_options.path, head) == extraction::Format::kJsonLines) {
      source_options.format = extraction::Format::kJsonLines;
    }
    read = Replay(std::move(head), std::move(read));
  }
  // Line by line, so that each is answered when it has come, however long the next one takes.
  if (source_options.format == extraction::Format::kJsonLines) {
    format_ = extraction::Format::kJsonLines;
    lines_ = std::make_unique<LineReader>(std::move(read), source_options.max_item_bytes);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(reader_, extraction::SourceReader::Open(std::move(read), std::move(source_options)));
  format_ = reader_->format();
  return absl::OkStatus();
}

absl::Status InputReader::OpenDescriptor(int descriptor, bool owned) {
  descriptor_ = descriptor;
  extraction::SourceOptions source_options;
  source_options.path = place_;
  source_options.url = options_.url;
  return OpenStream(
      DescriptorReader(descriptor, owned, [this](size_t bytes) { bytes_read_ += static_cast<int64_t>(bytes); }),
      std::move(source_options));
}

absl::Status InputReader::Open(const Source& source) {
  place_ = source.place;
  RETURN_IF_ERROR(source.listing_error);
  if (place_ == kStandardInput) {
    // A program that was started without one has /dev/null there, for writing (common/program.h).
    const int mode = fcntl(STDIN_FILENO, F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_WRONLY) {
      return absl::FailedPreconditionError("it is closed; pipe something into the command, or name a file");
    }
    return OpenDescriptor(STDIN_FILENO, /*owned=*/false);
  }
  if (common::LooksLikeUrl(place_)) {
    ASSIGN_OR_RETURN(FetchedPage page, FetchPage(place_, options_.fetch, Interrupted));
    bytes_read_ += static_cast<int64_t>(page.content.size());
    extraction::SourceOptions source_options;
    source_options.path = place_;
    source_options.media_type = page.media_type;
    source_options.url = page.url;
    source_options.fetch_time = page.fetch_time;
    return OpenStream(WholeText(std::move(page.content)), std::move(source_options));
  }
  const int descriptor = open(place_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(errno);
  return OpenDescriptor(descriptor, /*owned=*/true);
}

void InputReader::CloseSource() {
  reader_.reset();
  lines_.reset();
  descriptor_ = -1;
  format_ = extraction::Format::kUnknown;
}

InputItem InputReader::ParseLine(LineReader::Line line) const {
  InputItem item{.source = place_,
                 .position = absl::StrCat("line ", line.number),
                 .id = "",
                 .format = extraction::Format::kJsonLines,
                 .extraction = absl::InvalidArgumentError("the line is empty; one JSON object is expected on each")};
  if (!line.text.ok()) {
    item.extraction = line.text.status();
    return item;
  }
  absl::string_view text = *line.text;
  if (line.number == 1) absl::ConsumePrefix(&text, kByteOrderMark);
  if (absl::StripAsciiWhitespace(text).empty()) return item;
  item.extraction = extraction::ReadJsonArticle(text, absl::Now());
  item.id = item.extraction.ok() ? item.extraction->article.id : IdOfLine(text);
  return item;
}

std::optional<InputItem> InputReader::NextOfSource() {
  if (lines_ != nullptr) {
    while (std::optional<LineReader::Line> line = lines_->Next()) {
      if (!options_.every_line && line->text.ok() && absl::StripAsciiWhitespace(*line->text).empty()) continue;
      return ParseLine(*std::move(line));
    }
    return std::nullopt;
  }
  std::optional<extraction::SourceItem> read = reader_->Next();
  if (!read) return std::nullopt;
  InputItem item{.source = place_,
                 .position = std::move(read->position),
                 .id = "",
                 .format = format_,
                 .extraction = std::move(read->extraction)};
  if (item.extraction.ok()) item.id = item.extraction->article.id;
  return item;
}

std::optional<InputItem> InputReader::Next() {
  while (!Interrupted()) {
    if (reader_ != nullptr || lines_ != nullptr) {
      std::optional<InputItem> item = NextOfSource();
      if (Interrupted()) break;  // The item may be what the signal left of it.
      if (item) return item;
      CloseSource();
    }
    if (next_source_ == sources_.size()) return std::nullopt;
    const absl::Status opened = Open(sources_[next_source_++]);
    if (!opened.ok() && !Interrupted()) {
      CloseSource();
      return InputItem{
          .source = place_, .position = "", .id = "", .format = extraction::Format::kUnknown, .extraction = opened};
    }
  }
  CloseSource();
  return std::nullopt;
}

bool InputReader::MayWait() {
  if (lines_ == nullptr || descriptor_ < 0) return false;
  return !lines_->HasLine() && !IsReadable(descriptor_);
}

}  // namespace dateline::cli
