#include "cli/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "cli/interrupt.h"
#include "cli/inventory.h"
#include "cli/rejected_file.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"

namespace dateline::cli {
namespace {

// Deeper than anything that is not a loop.
constexpr int kDeepestFolder = 64;
// What the format is told from.
constexpr size_t kHeadBytes = 8 * 1024;
// Of a line that was rejected.
constexpr size_t kMaxLineKept = 1'000'000;

// How far sitemaps lead to others. The protocol knows one index above them; some sites have two.
constexpr int kDeepestSource = 3;

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

FileStamp StampOf(const struct stat& about) {
  return {.bytes = about.st_size, .modified_ns = absl::ToUnixNanos(absl::TimeFromTimespec(about.st_mtim))};
}

// The same from wherever the command is started.
std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::canonical(path, error);
  return error ? path : absolute.string();
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

// What an earlier run has rejected, and wrote into a file as it was, is read as what it is.
std::string UnwrappedLine(std::string text) {
  if (!absl::StrContains(text, absl::StrCat("\"", kRejectedLine, "\""))) return text;
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("rejection")) return text;
  const auto line = object.find(kRejectedLine);
  return line != object.end() && line->is_string() ? line->get<std::string>() : text;
}

// The same error, with what it is about before it.
absl::Status Located(const absl::Status& error, absl::string_view url) {
  return common::WithReason(absl::Status(error.code(), absl::StrCat(url, ": ", error.message())),
                            common::ReasonOf(error));
}

// What an article is known by.
extraction::Article NamesOf(const extraction::Article& article) {
  extraction::Article names;
  names.id = article.id;
  names.url = article.url;
  names.alternate_urls = article.alternate_urls;
  return names;
}

// The addresses by which an article was reached are addresses of it.
void AddUrls(const std::vector<std::string>& urls, extraction::Article* article) {
  for (const std::string& url : urls) {
    std::vector<std::string>& others = article->alternate_urls;
    if (url != article->url && std::find(others.begin(), others.end(), url) == others.end()) others.push_back(url);
  }
}

extraction::ReadFunction WholeText(std::string text) {
  return Replay(std::move(text), [](char* /*buffer*/, size_t /*size*/) -> absl::StatusOr<size_t> { return 0; });
}

extraction::ReadFunction FileReader(std::shared_ptr<std::FILE> file) {
  return [file = std::move(file)](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t got = std::fread(buffer, 1, size, file.get());
    if (got == 0 && std::ferror(file.get()) != 0) {
      return absl::DataLossError(absl::StrCat("cannot read the temporary file: ", std::strerror(errno)));
    }
    return got;
  };
}

}  // namespace

Checkpoint::Settings SettingsOf(const InputOptions& options) {
  const absl::string_view format =
      options.format == extraction::Format::kUnknown ? "auto" : extraction::FormatName(options.format);
  std::vector<std::string> mappings;
  for (const extraction::FieldMapping& mapping : options.field_map) {
    mappings.push_back(absl::StrCat(mapping.field, "=", mapping.path));
  }
  const absl::string_view follow = options.follow == Follow::kAuto     ? "auto"
                                   : options.follow == Follow::kAlways ? "always"
                                                                       : "never";
  return {{"--input_format", std::string(format)},
          {"--url", options.url},
          {"--site_rules", options.site_rules_digest},
          {"--map", absl::StrJoin(mappings, "\n")},
          {"--post_types", absl::StrJoin(options.post_types, ",")},
          {"--post_statuses", absl::StrJoin(options.post_statuses, ",")},
          {"--follow", std::string(follow)}};
}

absl::Status CheckUrlIsOfOne(const std::vector<std::string>& places, const InputOptions& options) {
  if (options.url.empty()) return absl::OkStatus();
  if (const absl::Status status = common::CanonicalUrl(options.url).status(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--", status.message()));
  }
  struct stat about = {};
  const bool is_folder = places.size() == 1 && stat(places.front().c_str(), &about) == 0 && S_ISDIR(about.st_mode);
  if (places.size() <= 1 && !is_folder) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--url is the address of one page, and ",
                   is_folder ? "a folder was named" : absl::StrCat(places.size(), " inputs were named"),
                   ": name one file, or leave --url out"));
}

InputReader::InputReader(const std::vector<std::string>& places, InputOptions options)
    : options_(std::move(options)),
      mappings_used_(std::make_shared<std::vector<bool>>(options_.field_map.size())),
      fetcher_(options_.fetch, Interrupted) {
  for (const std::string& place : places) {
    struct stat about = {};
    if (place == kStandardInput || common::LooksLikeUrl(place)) {
      total_bytes_.reset();
      seen_urls_.insert(std::hash<std::string>()(common::WithoutUserInfo(place)));
      sources_.push_back({place, absl::OkStatus(), 0, std::nullopt});
    } else if (stat(place.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) {
      const size_t before = sources_.size();
      List(place, 0);
      if (sources_.size() == before) empty_folders_.push_back(place);
    } else {
      // A pipe or a device has no size; a missing file is an error when its turn comes.
      if (!S_ISREG(about.st_mode) && about.st_mode != 0) total_bytes_.reset();
      if (total_bytes_) *total_bytes_ += about.st_size;
      sources_.push_back({place, absl::OkStatus(), 0, std::nullopt});
    }
  }
}

void InputReader::List(const std::string& folder, int depth) {
  DIR* const directory = depth < kDeepestFolder ? opendir(folder.c_str()) : nullptr;
  if (directory == nullptr) {
    sources_.push_back(
        {folder,
         depth < kDeepestFolder ? FileError(errno) : absl::FailedPreconditionError("the folders are nested too deeply"),
         0, std::nullopt});
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
    if (!S_ISREG(about.st_mode) || !extraction::MayHoldArticles(name)) {
      ++skipped_files_;
      continue;
    }
    if (total_bytes_) *total_bytes_ += about.st_size;
    sources_.push_back({path, absl::OkStatus(), 0, std::nullopt});
  }
}

extraction::Options InputReader::ExtractOptions() const {
  extraction::Options extract;
  extract.explain = options_.explain;
  extract.locate = options_.locate;
  extract.rejected = options_.rejected;
  extract.site_rules = options_.site_rules.get();
  return extract;
}

absl::Status InputReader::OpenStream(extraction::ReadFunction read, extraction::SourceOptions source_options) {
  // What another source leads to is what it is, whatever the user says of what he names.
  source_options.format = depth_ == 0 ? options_.format : extraction::Format::kUnknown;
  source_options.extract = ExtractOptions();
  source_options.field_map = options_.field_map;
  source_options.mappings_used = mappings_used_;
  source_options.post_types = options_.post_types;
  source_options.post_statuses = options_.post_statuses;
  if (source_options.format == extraction::Format::kUnknown) {
    std::string head(kHeadBytes, '\0');
    size_t size = 0;
    while (size < head.size() && !IsWholeJsonLine(absl::string_view(head).substr(0, size))) {
      ASSIGN_OR_RETURN(const size_t got, read(head.data() + size, head.size() - size));
      if (got == 0) break;
      size += got;
    }
    head.resize(size);
    // Web pages and feeds say what they are in their media type, too: the reader looks at that. It reads UTF-16 as
    // well, in which no line ends where a byte says so.
    if (!extraction::BeginsAsUtf16(head) &&
        extraction::DetectFormat(source_options.path, head) == extraction::Format::kJsonLines) {
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
  place_ = common::WithoutUserInfo(source.place);
  depth_ = source.depth;
  modified_ = source.modified;
  failed_ = false;
  latest_only_ = false;
  good_items_ = 0;
  file_ = 0;
  file_answered_ = 0;
  file_items_ = 0;
  following_ = options_.follow == Follow::kAlways;
  RETURN_IF_ERROR(source.listing_error);
  if (place_ == kStandardInput) {
    // A program that was started without one has /dev/null there, for writing (common/program.h).
    const int mode = fcntl(STDIN_FILENO, F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_WRONLY) {
      return absl::FailedPreconditionError("it is closed; pipe something into the command, or name a file");
    }
    return OpenDescriptor(STDIN_FILENO, /*owned=*/false);
  }
  if (common::LooksLikeUrl(place_)) return OpenUrl(source);
  const int descriptor = open(place_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT && absl::StrContains(place_, "://")) {
    return absl::NotFoundError("is no file, and of addresses only those with http:// and https:// are fetched");
  }
  if (descriptor < 0) return FileError(errno);
  if (!BeginFile(descriptor)) {
    close(descriptor);
    return absl::OkStatus();
  }
  return OpenDescriptor(descriptor, /*owned=*/true);
}

bool InputReader::BeginFile(int descriptor) {
  struct stat about = {};
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) return true;
  file_stamp_ = StampOf(about);
  const auto pass_over = [this] {
    if (total_bytes_) *total_bytes_ -= file_stamp_.bytes;
    return false;
  };
  // A clock that is ahead must not keep a file waiting for ever.
  const absl::Duration age = absl::Now() - absl::FromUnixNanos(file_stamp_.modified_ns);
  if (absl::AbsDuration(age) < options_.settling) return pass_over();
  if (options_.read_before != nullptr) {
    const auto [known, is_new] = options_.read_before->try_emplace(place_, file_stamp_);
    if (!is_new && known->second == file_stamp_) return pass_over();
    known->second = file_stamp_;
  }
  if (options_.checkpoint == nullptr) return true;
  const std::string path = AbsolutePath(place_);
  if (options_.checkpoint->IsTaken(path, file_stamp_)) {
    ++unchanged_files_;
    return pass_over();
  }
  const Checkpoint::Reading reading = options_.checkpoint->Begin(path, file_stamp_);
  file_ = reading.handle;
  file_answered_ = reading.answered;
  return true;
}

void InputReader::EndFile() {
  if (file_ == 0) return;
  // One that changed while it was read is read again, and so is one that names other sources: whether these have
  // changed is not for it to say.
  struct stat about = {};
  if (stat(place_.c_str(), &about) != 0 || !(StampOf(about) == file_stamp_) || !found_.empty()) return;
  options_.checkpoint->End(file_, file_items_);
}

bool InputReader::HasChanged(const std::string& url, const std::optional<absl::Time>& modified) const {
  if (options_.fetch_state == nullptr || !modified) return true;
  const std::optional<absl::Time> known = options_.fetch_state->Find(url).modified;
  return !known || *known < *modified;
}

bool InputReader::IsInPlace(const extraction::Link& link, const std::string& id) const {
  if (options_.fetch_state == nullptr || !options_.fetch_state->Has(link.url)) return false;
  if (!options_.is_stored || options_.fetch_state->Find(link.url).refused) return true;
  return options_.is_stored(id, link.url);
}

absl::Status InputReader::OpenUrl(const Source& source) {
  following_ = options_.follow != Follow::kNever;
  // Who must know all that a source names reads it however little it has changed.
  const bool read_anyway = options_.inventory != nullptr || options_.fetch_state == nullptr;
  if (source.depth > 0 && !read_anyway && !HasChanged(place_, source.modified)) {
    ++unchanged_;
    return absl::OkStatus();
  }
  const FetchState::Entry known = read_anyway ? FetchState::Entry() : options_.fetch_state->Find(place_);
  ASSIGN_OR_RETURN(FetchedPage page, source.depth == 0
                                         ? fetcher_.FetchNamed(source.place, known.validators, options_.format)
                                         : fetcher_.FetchFoundSource(place_, known.validators));
  bytes_read_ += page.size;
  // Not every server says by itself that nothing has changed.
  digest_ = page.content.empty() ? "" : common::Hash128Hex(page.content);
  if (page.not_modified || (!digest_.empty() && digest_ == known.digest)) {
    ++unchanged_;
    return absl::OkStatus();
  }
  extraction::SourceOptions source_options;
  source_options.path = place_;
  source_options.media_type = page.media_type;
  source_options.url = page.url;
  source_options.fetch_time = page.fetch_time;
  extraction::ReadFunction read =
      page.file != nullptr ? FileReader(std::move(page.file)) : WholeText(std::move(page.content));
  fetched_ = std::move(page);
  return OpenStream(std::move(read), std::move(source_options));
}

void InputReader::CloseSource() {
  if (reader_ != nullptr) {
    skipped_files_ += reader_->skipped();
    for (const std::string& note : reader_->notes()) {
      if (source_notes_.size() < extraction::SourceReader::kMaxNotes) {
        source_notes_.push_back(absl::StrCat(place_, " ", note));
      }
    }
  }
  if (options_.inventory != nullptr && (reader_ != nullptr || lines_ != nullptr)) {
    const bool may_be_feed = format_ == extraction::Format::kFeed || format_ == extraction::Format::kJson;
    // One without entries doesn't say whether it would have all of them.
    if (latest_only_ || (may_be_feed && good_items_ == 0)) options_.inventory->AddLatestOnly();
    const bool is_list =
        latest_only_ || format_ == extraction::Format::kFeed || format_ == extraction::Format::kSitemap;
    options_.inventory->AddSource(is_list);
  }
  // A source that had errors is asked for again as a whole the next time, and so is one that names others: whether they
  // have changed is not for it to say.
  if (fetched_ && options_.fetch_state != nullptr && !failed_ && found_.empty() && !Interrupted()) {
    options_.fetch_state->Remember(place_,
                                   {.validators = fetched_->validators, .modified = modified_, .digest = digest_});
  }
  sources_.insert(sources_.begin() + static_cast<std::ptrdiff_t>(next_source_), found_.begin(), found_.end());
  found_.clear();
  fetched_.reset();
  reader_.reset();
  lines_.reset();
  descriptor_ = -1;
  format_ = extraction::Format::kUnknown;
}

extraction::SourceItem InputReader::ParseLine(LineReader::Line line, std::string* id) const {
  extraction::SourceItem item;
  item.number = line.number;
  item.position = absl::StrCat("line ", line.number);
  item.format = extraction::Format::kJsonLines;
  item.extraction = absl::InvalidArgumentError("the line is empty; one JSON object is expected on each");
  if (!line.text.ok()) {
    item.extraction = line.text.status();
    item.cuts_off = !absl::IsResourceExhausted(line.text.status());  // But for a line that is too long.
    return item;
  }
  extraction::SourceOptions source_options;
  source_options.format = extraction::Format::kJsonLines;
  source_options.extract = ExtractOptions();
  source_options.field_map = options_.field_map;
  source_options.mappings_used = mappings_used_;
  if (absl::StripAsciiWhitespace(*line.text).empty()) return item;
  const auto reader = extraction::SourceReader::Open(WholeText(*line.text), source_options);
  if (!reader.ok()) {
    item.extraction = reader.status();
  } else if (std::optional<extraction::SourceItem> read = (*reader)->Next()) {
    item.extraction = std::move(read->extraction);
    item.link = std::move(read->link);
  }
  *id = item.extraction.ok() ? item.extraction->article.id : IdOfLine(*line.text);
  return item;
}

std::optional<InputItem> InputReader::NextOfSource() {
  while (!Interrupted()) {
    std::optional<extraction::SourceItem> read;
    std::string id;
    std::string text;
    const bool answered = file_items_ < file_answered_;
    if (lines_ != nullptr) {
      std::optional<LineReader::Line> line = lines_->Next();
      if (!line) return std::nullopt;
      if (!options_.every_line && line->text.ok() && absl::StripAsciiWhitespace(*line->text).empty()) continue;
      if (line->text.ok()) line->text = UnwrappedLine(*std::move(line->text));
      if (!answered) {
        if (line->text.ok()) text = *line->text;
        read = ParseLine(*std::move(line), &id);
      }
    } else {
      read = reader_->Next();
      if (!read) return std::nullopt;
      if (read->extraction.ok()) id = read->extraction->article.id;
    }
    ++file_items_;
    if (answered) {
      ++answered_before_;
      continue;
    }
    latest_only_ = latest_only_ || read->latest_only;
    good_items_ += read->extraction.ok() ? 1 : 0;
    TellInventory(*read, id);
    InputItem item{.source = place_,
                   .position = std::move(read->position),
                   .id = std::move(id),
                   .format = read->format,
                   .summary_only = false,
                   .extraction = std::move(read->extraction),
                   .cuts_off = read->cuts_off,
                   .file = file_,
                   .number = file_items_};
    if (!item.extraction.ok() && text.size() <= kMaxLineKept && common::IsValidUtf8(text)) item.line = std::move(text);
    records_read_ = records_read_ || item.format == extraction::Format::kJsonLines ||
                    item.format == extraction::Format::kJson || item.format == extraction::Format::kCsv;
    if (item.extraction.ok() && read->link) {
      const extraction::Article named = NamesOf(item.extraction->article);
      std::optional<InputItem> followed = FollowLink(*read->link, std::move(item));
      if (options_.inventory != nullptr && read->link->kind == extraction::Link::Kind::kPage) {
        TellInventory(named, *read->link, followed ? &*followed : nullptr);
      }
      if (!followed) {
        if (file_ != 0) {
          options_.checkpoint->Answered(file_, file_items_, read->link->kind == extraction::Link::Kind::kPage);
        }
        if (reader_ == nullptr && lines_ == nullptr) return std::nullopt;
        continue;
      }
      item = *std::move(followed);
    } else if (item.extraction.ok() && fetched_ &&
               (item.format == extraction::Format::kHtml || item.format == extraction::Format::kText ||
                item.format == extraction::Format::kPdf)) {
      AddUrls(fetched_->redirects, &item.extraction->article);
    }
    item.summary_only = item.summary_only || (item.extraction.ok() && item.extraction->is_stub);
    failed_ = failed_ || !item.extraction.ok();
    return item;
  }
  return std::nullopt;
}

void InputReader::TellInventory(const extraction::SourceItem& item, const std::string& id) {
  if (options_.inventory == nullptr || item.link) return;
  if (item.extraction.ok()) {
    options_.inventory->Add(item.extraction->article);
  } else if (!id.empty()) {
    options_.inventory->AddId(id);
  } else if (common::LooksLikeUrl(place_) && item.position == "page") {
    options_.inventory->AddUrl(place_);
  } else {
    options_.inventory->AddUnreadable();
  }
}

void InputReader::TellInventory(const extraction::Article& named, const extraction::Link& link,
                                const InputItem* followed) const {
  // What a place names and nobody can read any more is gone. All else is there, whether it was read or not.
  if (followed != nullptr && !followed->gone.empty()) {
    options_.inventory->AddGone(link.url);
    return;
  }
  options_.inventory->AddUrl(link.url);
  options_.inventory->AddId(named.id);
  options_.inventory->AddUrl(named.url);
  for (const std::string& url : named.alternate_urls) options_.inventory->AddUrl(url);
  if (followed != nullptr && followed->extraction.ok()) options_.inventory->Add(followed->extraction->article);
}

std::optional<InputItem> InputReader::FollowLink(const extraction::Link& link, InputItem item) {
  const bool is_source = link.kind == extraction::Link::Kind::kSource;
  const bool is_address_alone = is_source || item.format == extraction::Format::kSitemap;
  const bool too_deep = following_ && is_source && depth_ >= kDeepestSource;
  if (too_deep && seen_urls_.count(std::hash<std::string>()(link.url)) > 0) return std::nullopt;
  if (following_ && !too_deep && fetches_ < options_.max_fetches) {
    if (!is_source) return FetchPage(link, std::move(item));
    QueueSource(link);
    return std::nullopt;
  }
  const extraction::Article& article = item.extraction->article;
  if (!is_address_alone && (!article.title.empty() || !article.body.empty())) {
    item.summary_only = true;
    ++summaries_;
    return item;
  }
  if (too_deep) {
    item.extraction = common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("is an index of sitemaps within ", kDeepestSource,
                                                   " others, and what it names was not fetched; name it yourself")),
        "TOO_DEEP");
  } else if (following_) {
    item.extraction = common::WithReason(
        absl::ResourceExhaustedError(absl::StrCat(
            "more than ", options_.max_fetches,
            " pages were named, and those from here on were not fetched; --max_fetches takes a higher number")),
        "TOO_MANY_FETCHES");
  } else {
    item.extraction = common::WithReason(
        absl::FailedPreconditionError(
            is_address_alone ? "is a sitemap, which holds addresses and no text; --follow always fetches them"
                             : "has an address but no text; --follow always fetches its page"),
        "NOT_FETCHED");
  }
  // Said once: what follows in a sitemap is more of the same.
  if (is_address_alone) {
    if (!following_) item.position.clear();
    item.cuts_off = true;
    failed_ = true;
    CloseSource();
  }
  return item;
}

void InputReader::QueueSource(const extraction::Link& link) {
  if (!seen_urls_.insert(std::hash<std::string>()(link.url)).second) return;
  ++fetches_;
  found_.push_back({link.url, absl::OkStatus(), depth_ + 1, link.modified});
}

std::optional<InputItem> InputReader::FetchPage(const extraction::Link& link, InputItem item) {
  // A sitemap and the feed beside it name the same pages; what a feed says of an article is worth having all the same.
  if (!seen_urls_.insert(std::hash<std::string>()(link.url)).second && item.format == extraction::Format::kSitemap) {
    return std::nullopt;
  }
  const bool known_before = options_.fetch_state != nullptr && options_.fetch_state->Has(link.url);
  const bool in_place = IsInPlace(link, item.extraction->article.id);
  if (in_place && !HasChanged(link.url, link.modified)) {
    ++unchanged_;
    return std::nullopt;
  }
  ++fetches_;
  const Validators known = in_place ? options_.fetch_state->Find(link.url).validators : Validators();
  absl::StatusOr<FetchedPage> page = fetcher_.FetchFound(link.url, known);
  if (!page.ok()) {
    // Once it is back, it is to be read, even if it is what it was.
    if (absl::IsNotFound(page.status()) && options_.fetch_state != nullptr) options_.fetch_state->Forget(link.url);
    if (item.extraction->article.body.empty()) {
      item.extraction = Located(page.status(), link.url);
      if (absl::IsNotFound(page.status())) item.gone = link.url;
    } else {
      item.summary_only = true;
      item.extraction->warnings.push_back(absl::StrCat("body: ", link.url, ": ", page.status().message()));
      item.unfinished = true;  // Another time it may be there.
      failed_ = true;
    }
    return item;
  }
  if (page->not_modified) {
    ++unchanged_;
    return std::nullopt;
  }
  bytes_read_ += static_cast<int64_t>(page->content.size());
  extraction::Document document;
  document.content = std::move(page->content);
  document.media_type = page->media_type;
  document.url = page->url;
  document.fetch_time = page->fetch_time;
  const std::string summary = item.extraction->article.body;
  item.extraction = extraction::CompleteFromPage(*std::move(item.extraction), document, ExtractOptions());
  if (!item.extraction.ok()) {
    item.extraction = Located(item.extraction.status(), link.url);
    return item;
  }
  item.summary_only = item.extraction->is_stub || (!summary.empty() && item.extraction->article.body == summary);
  AddUrls(page->redirects, &item.extraction->article);
  item.id = item.extraction->article.id;
  if (options_.fetch_state != nullptr) {
    options_.fetch_state->Remember(link.url, {.validators = page->validators, .modified = link.modified});
    item.state_url = link.url;
    item.missed = known_before && !in_place;
  }
  return item;
}

std::optional<InputItem> InputReader::Next() {
  while (!Interrupted()) {
    if (reader_ != nullptr || lines_ != nullptr) {
      std::optional<InputItem> item = NextOfSource();
      if (Interrupted()) break;  // The item may be what the signal left of it.
      if (item) return item;
      if (reader_ != nullptr || lines_ != nullptr) EndFile();
      CloseSource();
    }
    if (next_source_ == sources_.size()) return std::nullopt;
    const Source source = sources_[next_source_++];  // A copy: what the source names is put after it.
    const absl::Status opened = Open(source);
    if (!opened.ok() && !Interrupted()) {
      if (options_.inventory != nullptr) {
        options_.inventory->AddUrl(place_);
        if (!common::LooksLikeUrl(place_)) options_.inventory->AddUnreadable();
      }
      failed_ = true;
      CloseSource();
      return InputItem{.source = place_,
                       .position = "",
                       .id = "",
                       .format = extraction::Format::kUnknown,
                       .summary_only = false,
                       .extraction = opened,
                       // Not for want of an article in it, but because nobody could look.
                       .cuts_off = !absl::IsInvalidArgument(opened)};
    }
  }
  CloseSource();
  return std::nullopt;
}

absl::Status InputReader::LookForPage(const std::string& url) {
  if (fetches_ >= options_.max_fetches) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.max_fetches, " pages were asked for; --max_fetches takes a higher number"));
  }
  ++fetches_;
  return fetcher_
      .FetchFound(url, options_.fetch_state == nullptr ? Validators() : options_.fetch_state->Find(url).validators)
      .status();
}

std::vector<std::string> InputReader::Notes() const {
  std::vector<std::string> notes = source_notes_;
  for (const std::string& folder : empty_folders_) {
    notes.push_back(
        absl::StrCat(folder, " holds no files whose names say that they may hold articles (.html .txt .xml ",
                     ".jsonl ...)", skipped_files_ > 0 ? "; others are read if they are named one by one" : ""));
  }
  for (size_t i = 0; records_read_ && !Interrupted() && i < mappings_used_->size(); ++i) {
    const extraction::FieldMapping& mapping = options_.field_map[i];
    if (!(*mappings_used_)[i] && mapping.field != "items") {
      notes.push_back(
          absl::StrCat("--map ", mapping.field, "=", mapping.path, ": nothing was found there in any record"));
    }
  }
  if (summaries_ > 0) {
    notes.push_back(absl::StrCat(
        summaries_,
        summaries_ == 1 ? " article is a summary, whose page was not fetched; "
                        : " articles are summaries, whose pages were not fetched; ",
        fetches_ >= options_.max_fetches ? "--max_fetches takes a higher number" : "--follow always fetches them"));
  }
  return notes;
}

bool InputReader::MayWait() {
  if (lines_ == nullptr || descriptor_ < 0) return false;
  return !lines_->HasLine() && !IsReadable(descriptor_);
}

}  // namespace dateline::cli
