// Bytes and lines from files and standard input, bounded in memory and ended by Ctrl-C.
#ifndef DATELINE_CLI_BYTE_SOURCE_H_
#define DATELINE_CLI_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "extraction/source_reader.h"

namespace dateline::cli {

// Reads a descriptor until its end, an error, or an interruption (interrupt.h), which is Cancelled. `on_read` is told
// how many bytes came. With `owned` the descriptor is closed with the last copy of the function.
extraction::ReadFunction DescriptorReader(int descriptor, bool owned, std::function<void(size_t bytes)> on_read);

// `head` first, then what `rest` gives.
extraction::ReadFunction Replay(std::string head, extraction::ReadFunction rest);

// Whether a read would return at once: bytes, the end or an error.
bool IsReadable(int descriptor);

// Lines, each with its number. Not thread-safe.
class LineReader {
 public:
  struct Line {
    int64_t number = 0;  // From 1.
    // Without the line end. ResourceExhausted for a line longer than the limit: it is passed over, others are unharmed.
    absl::StatusOr<std::string> text = absl::UnknownError("not read");
  };

  // Holds at most one line of `max_line_bytes` in memory, and a little more.
  LineReader(extraction::ReadFunction read, size_t max_line_bytes);

  // The next line; nullopt at the end. A failed read is the last line, as an error. "a\nb" has two lines, and so has
  // "a\nb\n"; "a\n\n" has two, of which the second is empty.
  std::optional<Line> Next();

  // Whether Next() has a whole line at hand and will not read.
  bool HasLine();

 private:
  std::optional<size_t> FindLineEnd();

  extraction::ReadFunction read_;
  const size_t max_line_bytes_;
  std::string buffer_;
  size_t begin_ = 0;       // Of what is unread in `buffer_`.
  size_t searched_ = 0;    // There is no line end between `begin_` and here.
  bool skipping_ = false;  // Within a line that is too long.
  bool ended_ = false;
  int64_t number_ = 0;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_BYTE_SOURCE_H_
