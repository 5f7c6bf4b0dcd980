#include "cli/byte_source.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "cli/interrupt.h"

namespace dateline::cli {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

// Closes a descriptor with the last of its owners.
class Descriptor {
 public:
  Descriptor(int value, bool owned) : value_(value), owned_(owned) {}
  ~Descriptor() {
    if (owned_) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  const int value_;
  const bool owned_;
};

// Waits until there is something to read or a signal came; poll() does not know regular files to ever block.
absl::Status AwaitReadable(int descriptor) {
  pollfd waits[2] = {{.fd = descriptor, .events = POLLIN, .revents = 0},
                     {.fd = InterruptDescriptor(), .events = POLLIN, .revents = 0}};
  while (true) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (poll(waits, 2, -1) > 0 && waits[0].revents != 0) return absl::OkStatus();
    if (errno != EINTR && errno != EAGAIN && waits[1].revents == 0) {
      return absl::InternalError(absl::StrCat("cannot wait for input: ", std::strerror(errno)));
    }
  }
}

}  // namespace

extraction::ReadFunction DescriptorReader(int descriptor, bool owned, std::function<void(size_t)> on_read) {
  auto held = std::make_shared<Descriptor>(descriptor, owned);
  return [held, on_read = std::move(on_read)](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    while (true) {
      if (absl::Status status = AwaitReadable(held->value()); !status.ok()) return status;
      const ssize_t got = read(held->value(), buffer, size);
      if (got >= 0) {
        on_read(static_cast<size_t>(got));
        return static_cast<size_t>(got);
      }
      if (errno != EINTR && errno != EAGAIN) {
        return absl::DataLossError(absl::StrCat("cannot read: ", std::strerror(errno)));
      }
    }
  };
}

extraction::ReadFunction Replay(std::string head, extraction::ReadFunction rest) {
  return [head = std::move(head), used = size_t{0}, rest = std::move(rest)](
             char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
    if (used == head.size()) return rest(buffer, size);
    const size_t bytes = std::min(size, head.size() - used);
    std::memcpy(buffer, head.data() + used, bytes);
    used += bytes;
    return bytes;
  };
}

bool IsReadable(int descriptor) {
  pollfd wait = {.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&wait, 1, 0) > 0;
}

LineReader::LineReader(extraction::ReadFunction read, size_t max_line_bytes)
    : read_(std::move(read)), max_line_bytes_(max_line_bytes) {}

std::optional<size_t> LineReader::FindLineEnd() {
  const size_t end = buffer_.find('\n', std::max(begin_, searched_));
  if (end != std::string::npos) {
    searched_ = end;
    return end;
  }
  searched_ = buffer_.size();
  return std::nullopt;
}

bool LineReader::HasLine() { return FindLineEnd().has_value() || (ended_ && begin_ < buffer_.size()); }

std::optional<LineReader::Line> LineReader::Next() {
  const auto too_long = [this]() -> Line {
    return {++number_,
            absl::ResourceExhaustedError(absl::StrCat("the line is longer than ", max_line_bytes_, " bytes"))};
  };
  while (true) {
    if (const std::optional<size_t> end = FindLineEnd()) {
      std::string text = buffer_.substr(begin_, *end - begin_);
      begin_ = *end + 1;
      searched_ = begin_;
      if (std::exchange(skipping_, false)) return too_long();
      if (text.size() > max_line_bytes_) return too_long();
      if (!text.empty() && text.back() == '\r') text.pop_back();
      return Line{++number_, std::move(text)};
    }
    if (ended_) {
      if (std::exchange(skipping_, false)) return too_long();
      if (begin_ == buffer_.size()) return std::nullopt;
      Line line{++number_, buffer_.substr(begin_)};
      buffer_.clear();
      begin_ = searched_ = 0;
      return line;
    }
    if (skipping_ || buffer_.size() - begin_ > max_line_bytes_) {
      skipping_ = true;
      begin_ = buffer_.size();
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched_ = buffer_.size();
    const size_t old_size = buffer_.size();
    buffer_.resize(old_size + kReadBytes);
    const absl::StatusOr<size_t> got = read_(buffer_.data() + old_size, kReadBytes);
    buffer_.resize(old_size + got.value_or(0));
    if (got.ok() && *got > 0) continue;
    ended_ = true;
    if (!got.ok()) {
      // What came before the failure is not a whole line: nobody can tell what it would have been.
      buffer_.clear();
      skipping_ = false;
      searched_ = 0;
      return Line{++number_, got.status()};
    }
  }
}

}  // namespace dateline::cli
