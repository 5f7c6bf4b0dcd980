#include "cli/checkpoint.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "common/status_macros.h"

namespace dateline::cli {
namespace {

constexpr char kHeader[] = "dateline checkpoint 2\n";
// Of before checkpoints said of which collection they are.
constexpr char kUnboundHeader[] = "dateline checkpoint 1\n";
constexpr absl::string_view kOf = "of ";
constexpr absl::string_view kWith = "with ";
constexpr absl::string_view kTaken = "taken";
// Often enough that little is sent again after a kill, and seldom enough to cost nothing.
constexpr absl::Duration kBetweenWrites = absl::Milliseconds(20);

// "of TOKEN", "with FLAG VALUE".
std::string CollectionLine(const std::string& token) {
  return token.empty() ? "" : absl::StrCat(kOf, absl::Utf8SafeCEscape(token), "\n");
}

// "taken BYTES MODIFIED - FILE", "begun BYTES MODIFIED ANSWERED FILE". The name comes last, and has no line end in it
// once it is escaped.
std::string Line(const std::string& file, const FileStamp& stamp, std::optional<int64_t> answered) {
  return absl::StrCat(answered ? "begun" : kTaken, " ", stamp.bytes, " ", stamp.modified_ns, " ",
                      answered ? absl::StrCat(*answered) : "-", " ", absl::Utf8SafeCEscape(file), "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpoint>> Checkpoint::Load(std::string path, Access access) {
  RETURN_IF_ERROR(CheckIsFile(path));
  std::unique_ptr<Checkpoint> checkpoint(new Checkpoint(std::move(path)));
  if (access == Access::kWrite) {
    ASSIGN_OR_RETURN(checkpoint->lock_, FileLock::Take(checkpoint->path_));
  }
  ASSIGN_OR_RETURN(const std::string text,
                   ReadSmallFile(checkpoint->path_, kMaxBytes, "remove it to take all files again"));
  const common::MutexLock lock(checkpoint->mutex_);
  if (!text.empty()) RETURN_IF_ERROR(checkpoint->Parse(text));
  if (access == Access::kWrite) RETURN_IF_ERROR(checkpoint->Rewrite());
  return checkpoint;
}

Checkpoint::~Checkpoint() {
  const common::MutexLock lock(mutex_);
  Write();
  if (out_ != nullptr) std::fclose(out_);
}

absl::Status Checkpoint::Rewrite() {
  RETURN_IF_ERROR(ReplaceFile(path_, Text()));
  if (out_ != nullptr) std::fclose(out_);
  out_ = std::fopen(path_.c_str(), "ae");
  if (out_ != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
}

absl::Status Checkpoint::StartAnew(Settings settings) {
  const common::MutexLock lock(mutex_);
  known_.clear();
  collection_.clear();
  settings_ = std::move(settings);
  return lock_ == nullptr ? absl::OkStatus() : Rewrite();
}

bool Checkpoint::empty() const {
  const common::MutexLock lock(mutex_);
  return known_.empty();
}

std::string Checkpoint::collection() const {
  const common::MutexLock lock(mutex_);
  return collection_;
}

void Checkpoint::SetCollection(std::string commit_token) {
  const common::MutexLock lock(mutex_);
  if (commit_token.empty() || commit_token == collection_) return;
  collection_ = std::move(commit_token);
  collection_unwritten_ = true;
}

absl::Status Checkpoint::Parse(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kHeader) && !absl::ConsumePrefix(&text, kUnboundHeader)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_,
        ": is no checkpoint, or one of another version; name another file, or remove it to take all files again"));
  }
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  lines.pop_back();  // Nothing, or what a kill has left of a line.
  int64_t number = 1;
  for (const absl::string_view line : lines) {
    ++number;
    if (!ParseLine(line)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ", line ", number, ": is damaged; remove the file to take all files again"));
    }
  }
  return absl::OkStatus();
}

bool Checkpoint::ParseLine(absl::string_view line) {
  if (absl::ConsumePrefix(&line, kOf)) return absl::CUnescape(line, &collection_);
  if (absl::ConsumePrefix(&line, kWith)) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    return words.size() == 2 && absl::CUnescape(words[1], &settings_[words[0]]);
  }
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 4));
  Known about;
  std::string file;
  about.taken = words[0] == kTaken;
  const bool sound = words.size() == 5 && absl::SimpleAtoi(words[1], &about.stamp.bytes) &&
                     absl::SimpleAtoi(words[2], &about.stamp.modified_ns) &&
                     (about.taken || absl::SimpleAtoi(words[3], &about.answered)) && absl::CUnescape(words[4], &file);
  if (!sound) return false;
  Known& known = known_[file];
  // Of a file that a run was told twice, whichever reading came farther.
  const bool goes_back = known.stamp == about.stamp && !about.taken && (known.taken || known.answered > about.answered);
  if (!goes_back) known = about;
  return true;
}

std::string Checkpoint::Text() const {
  std::string text = kHeader;
  for (const auto& [flag, value] : settings_) {
    absl::StrAppend(&text, kWith, flag, " ", absl::Utf8SafeCEscape(value), "\n");
  }
  text += CollectionLine(collection_);
  for (const auto& [file, about] : known_) {
    text += Line(file, about.stamp, about.taken ? std::nullopt : std::optional(about.answered));
  }
  return text;
}

bool Checkpoint::IsTaken(const std::string& file, const FileStamp& stamp) const {
  const common::MutexLock lock(mutex_);
  const auto found = known_.find(file);
  return found != known_.end() && found->second.taken && found->second.stamp == stamp;
}

Checkpoint::Reading Checkpoint::Begin(const std::string& file, const FileStamp& stamp) {
  const common::MutexLock lock(mutex_);
  const auto found = known_.find(file);
  Open open{.file = file, .stamp = stamp};
  if (found != known_.end() && found->second.stamp == stamp) open.answered = found->second.answered;
  const Reading reading{.handle = ++last_handle_, .answered = open.answered};
  open_.emplace(reading.handle, std::move(open));
  return reading;
}

void Checkpoint::Answered(int64_t handle, int64_t number, bool taken) {
  const common::MutexLock lock(mutex_);
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  Open& open = found->second;
  if (number <= open.answered || number >= open.refused) return;
  if (taken) {
    open.ahead.insert(number);
  } else {
    open.refused = number;
    open.ahead.erase(open.ahead.lower_bound(number), open.ahead.end());
  }
  Advance(handle);
}

void Checkpoint::End(int64_t handle, int64_t items) {
  const common::MutexLock lock(mutex_);
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  found->second.items = items;
  Advance(handle);
}

void Checkpoint::Advance(int64_t handle) {
  Open& open = open_.at(handle);
  while (!open.ahead.empty() && *open.ahead.begin() == open.answered + 1) {
    open.ahead.erase(open.ahead.begin());
    ++open.answered;
    open.unwritten = true;
  }
  const bool taken = open.answered == open.items;
  if (taken || open.unwritten) known_[open.file] = {.stamp = open.stamp, .answered = open.answered, .taken = taken};
  if (taken) {
    unwritten_ += Line(open.file, open.stamp, std::nullopt);
    open_.erase(handle);
  }
  if (taken || absl::Now() - last_write_ >= kBetweenWrites) Write();
}

void Checkpoint::Write() {
  for (auto& [handle, open] : open_) {
    if (std::exchange(open.unwritten, false)) unwritten_ += Line(open.file, open.stamp, open.answered);
  }
  last_write_ = absl::Now();
  std::string lines = std::exchange(unwritten_, "");
  // First: of what is known to be answered it is always known by whom.
  if (std::exchange(collection_unwritten_, false)) lines.insert(0, CollectionLine(collection_));
  if (out_ == nullptr || lines.empty() || !status_.ok()) return;
  if (std::fwrite(lines.data(), 1, lines.size(), out_) != lines.size() || std::fflush(out_) != 0) {
    status_ = absl::FailedPreconditionError(absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
  }
}

absl::Status Checkpoint::Flush() {
  const common::MutexLock lock(mutex_);
  Write();
  return status_;
}

}  // namespace dateline::cli
