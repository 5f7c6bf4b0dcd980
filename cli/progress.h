// How far a run has come: the rate, the time that is left, and the line that shows them.
#ifndef DATELINE_CLI_PROGRESS_H_
#define DATELINE_CLI_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace dateline::cli {

struct Progress {
  int64_t items = 0;                        // Answered.
  int64_t rejected = 0;                     // Of those.
  int64_t bytes = 0;                        // Read from the inputs.
  std::optional<int64_t> total_bytes = {};  // Of all inputs; absent where they don't say (standard input, a URL).
};

// Rates over the last ten seconds, so that a change of pace shows, and a pause does not spoil the rest. Times must not
// fall. Not thread-safe.
class ProgressMeter {
 public:
  explicit ProgressMeter(absl::Time start) { samples_.push_back({start, 0, 0}); }

  void Record(absl::Time now, const Progress& progress);
  // Items a second; 0 before there is anything to judge by.
  double ItemsPerSecond() const;
  // How long the bytes that are left will take at the current pace; absent without a total or without a pace.
  std::optional<absl::Duration> Remaining() const;

 private:
  struct Sample {
    absl::Time time;
    int64_t items = 0;
    int64_t bytes = 0;
  };

  std::deque<Sample> samples_;  // Never empty; oldest first.
  std::optional<int64_t> total_bytes_;
};

// "0:07", "12:34", "3:02:01"; rounds up, so that what is left never shows as nothing.
std::string FormatRemaining(absl::Duration duration);

// One line without line end, at most `columns` wide: a bar where the total is known, counts, rate, time left.
std::string RenderProgress(const Progress& progress, const ProgressMeter& meter, int columns);

// Shows the line on a terminal, at most ten times a second. Where `enabled` is false it writes nothing at all.
// Not thread-safe.
class ProgressBar {
 public:
  // `descriptor` stays open and the caller's.
  ProgressBar(int descriptor, bool enabled, int columns);
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(const Progress& progress);
  // Takes the line off, so that something else can be written; the next Show() brings it back.
  void Clear();

 private:
  const int descriptor_;
  const bool enabled_;
  const int columns_;
  ProgressMeter meter_;
  absl::Time last_shown_ = absl::InfinitePast();
  bool visible_ = false;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_PROGRESS_H_
