// How far a job has come with each of its files, kept in a file: so that a run that was killed goes on where it was.
#ifndef DATELINE_CLI_CHECKPOINT_H_
#define DATELINE_CLI_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "cli/state_file.h"
#include "common/mutex.h"

namespace dateline::cli {

// The state of a file by which it is known to be the same.
struct FileStamp {
  int64_t bytes = 0;
  int64_t modified_ns = 0;  // Since 1970.
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// A file is remembered as taken once it was read to its end and all of its items are answered; until then how many of
// its items, from the first on, are. An item that was not taken ends both: it comes again each time, and so does what
// follows it, until it is mended. What is known of a file holds as long as its stamp does.
//
// It is of one collection, in a state that is named by a commit token, and of the settings that it was begun with: who
// loads it asks whether these still hold, and lets it start anew if not.
//
// The file has a line for each step, appended as answers come: what a killed process has written stays, and the end of
// a line that was cut short is passed over. It is written anew, without what is out of date, when it is loaded.
//
// Thread-safe. Of several on one path, in whatever processes, one is at work at a time.
class Checkpoint {
 public:
  enum class Access {
    kWrite,
    kRead,  // Nothing is written, and another run may be at work.
  };

  // Reads `path`; a file that isn't there, or is empty, is an empty one, and is made. InvalidArgument if it holds
  // something else, is no file, or is longer than kMaxBytes. FailedPrecondition if it can't be read or written, or
  // while another one of that path is alive.
  static absl::StatusOr<std::unique_ptr<Checkpoint>> Load(std::string path, Access access = Access::kWrite);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  static constexpr size_t kMaxBytes = 200'000'000;

  // What decides what articles come out of a file, beside what is in it: flags, and what they were set to.
  using Settings = std::map<std::string, std::string>;

  // Whether it knows of no file.
  bool empty() const;
  const Settings& settings() const { return settings_; }
  // The commit token that covers all that was answered; empty if there is none.
  std::string collection() const;
  // Forgets all. For before the first Begin(). Errors as of Load().
  absl::Status StartAnew(Settings settings);
  // What was answered until now, and is from now on until the next call, is covered by this token.
  void SetCollection(std::string commit_token);

  // Whether all of a file was taken.
  bool IsTaken(const std::string& file, const FileStamp& stamp) const;

  struct Reading {
    int64_t handle = 0;    // For the functions below; never 0.
    int64_t answered = 0;  // So many items at its beginning were answered before, and count as answered.
  };
  // A file begins to be read.
  Reading Begin(const std::string& file, const FileStamp& stamp);
  // The item `number`, from 1, is done with, in whatever order. `taken`: it needs not be read again.
  void Answered(int64_t handle, int64_t number, bool taken);
  // The file was read to its end, unchanged, and had so many items.
  void End(int64_t handle, int64_t items);

  // Writes what is not written yet. The first error of any write, after which nothing is written any more.
  absl::Status Flush();

 private:
  struct Known {
    FileStamp stamp;
    int64_t answered = 0;
    bool taken = false;
  };
  struct Open {
    std::string file;
    FileStamp stamp;
    int64_t answered = 0;                                   // The prefix.
    std::set<int64_t> ahead = {};                           // Answered beyond it.
    int64_t refused = std::numeric_limits<int64_t>::max();  // The first that was not taken: the prefix ends there.
    int64_t items = -1;                                     // All of them, once known.
    bool unwritten = false;                                 // `answered` has grown since it was written.
  };

  explicit Checkpoint(std::string path) : path_(std::move(path)) {}
  absl::Status Parse(absl::string_view text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ParseLine(absl::string_view line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes the file anew, and goes on at its end.
  absl::Status Rewrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Text() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves the prefix of one of `open_` as far as it goes.
  void Advance(int64_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  std::shared_ptr<FileLock> lock_;
  Settings settings_;
  mutable common::Mutex mutex_;
  std::FILE* out_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Null: nothing is written.
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_write_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, Open> open_ ABSL_GUARDED_BY(mutex_);  // By handle.
  int64_t last_handle_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string unwritten_ ABSL_GUARDED_BY(mutex_);  // Lines of files that are taken.
  std::string collection_ ABSL_GUARDED_BY(mutex_);
  bool collection_unwritten_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_CHECKPOINT_H_
