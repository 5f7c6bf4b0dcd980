#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace dateline::cli {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(10);
constexpr absl::Duration kSampleSpacing = absl::Milliseconds(100);
constexpr absl::Duration kRedrawSpacing = absl::Milliseconds(100);
constexpr int kWidestBar = 30;

void WriteAll(int descriptor, const std::string& text) {
  // What a terminal does not take is not worth an error: the run goes on.
  [[maybe_unused]] const ssize_t written = write(descriptor, text.data(), text.size());
}

}  // namespace

void ProgressMeter::Record(absl::Time now, const Progress& progress) {
  total_bytes_ = progress.total_bytes;
  const Sample sample = {now, progress.items, progress.bytes};
  // The newest sample always stands; one that comes close upon another takes its place, so that the window stays small.
  if (samples_.size() > 1 && now - samples_[samples_.size() - 2].time < kSampleSpacing) {
    samples_.back() = sample;
  } else {
    samples_.push_back(sample);
  }
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow) samples_.pop_front();
}

double ProgressMeter::ItemsPerSecond() const {
  const double seconds = absl::ToDoubleSeconds(samples_.back().time - samples_.front().time);
  if (seconds <= 0) return 0;
  return static_cast<double>(samples_.back().items - samples_.front().items) / seconds;
}

std::optional<absl::Duration> ProgressMeter::Remaining() const {
  const absl::Duration elapsed = samples_.back().time - samples_.front().time;
  const int64_t bytes = samples_.back().bytes - samples_.front().bytes;
  if (!total_bytes_ || bytes <= 0 || elapsed <= absl::ZeroDuration()) return std::nullopt;
  const int64_t left = std::max<int64_t>(0, *total_bytes_ - samples_.back().bytes);
  return elapsed * (static_cast<double>(left) / static_cast<double>(bytes));
}

std::string FormatRemaining(absl::Duration duration) {
  const auto seconds = static_cast<int64_t>(std::ceil(std::max(0.0, absl::ToDoubleSeconds(duration))));
  if (seconds >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

std::string RenderProgress(const Progress& progress, const ProgressMeter& meter, int columns) {
  const double rate = meter.ItemsPerSecond();
  std::string text = absl::StrFormat("%d articles  %.*f/s", progress.items, rate < 10 ? 1 : 0, rate);
  if (progress.rejected > 0) absl::StrAppend(&text, "  ", progress.rejected, " rejected");
  if (!progress.total_bytes || *progress.total_bytes <= 0) return text.substr(0, std::max(columns, 0));

  const double share =
      std::clamp(static_cast<double>(progress.bytes) / static_cast<double>(*progress.total_bytes), 0.0, 1.0);
  std::string tail = absl::StrFormat(" %3d%%  %s", static_cast<int>(share * 100), text);
  if (const std::optional<absl::Duration> remaining = meter.Remaining()) {
    absl::StrAppend(&tail, "  ETA ", FormatRemaining(*remaining));
  }
  const int room = std::min(columns - static_cast<int>(tail.size()) - 2, kWidestBar);
  if (room < 5) return tail.substr(1, std::max(columns, 0));
  const int filled = static_cast<int>(share * room);
  std::string bar(filled, '=');
  if (filled < room) bar += '>';
  bar.resize(room, ' ');
  return absl::StrCat("[", bar, "]", tail);
}

ProgressBar::ProgressBar(int descriptor, bool enabled, int columns)
    : descriptor_(descriptor), enabled_(enabled), columns_(columns), meter_(absl::Now()) {}

void ProgressBar::Show(const Progress& progress) {
  if (!enabled_) return;
  const absl::Time now = absl::Now();
  meter_.Record(now, progress);
  if (visible_ && now - last_shown_ < kRedrawSpacing) return;
  last_shown_ = now;
  visible_ = true;
  // The last column stays free: some terminals wrap when it is written.
  WriteAll(descriptor_, absl::StrCat("\r", RenderProgress(progress, meter_, columns_ - 1), "\x1b[K"));
}

void ProgressBar::Clear() {
  if (!visible_) return;
  visible_ = false;
  WriteAll(descriptor_, "\r\x1b[K");
}

}  // namespace dateline::cli
