// What the user named on the command line, one article after another: files, folders, URLs, standard input.
#ifndef DATELINE_CLI_INPUT_H_
#define DATELINE_CLI_INPUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "cli/byte_source.h"
#include "cli/http_fetch.h"
#include "extraction/extraction.h"
#include "extraction/source_reader.h"

namespace dateline::cli {

// Standard input, as a place.
inline constexpr char kStandardInput[] = "-";

struct InputOptions {
  extraction::Format format = extraction::Format::kUnknown;  // kUnknown: told from each input's first bytes.
  std::string url = {};                                      // The address of a page that is not fetched from there.
  bool explain = false;                                      // Fill Extraction::blocks.
  // Give one item for each line of JSON Lines, in order: also for blank ones, as an error.
  bool every_line = false;
  FetchLimits fetch = {};
};

// One article, or why there is none.
struct InputItem {
  std::string source;    // A path, a URL or "-".
  std::string position;  // "line 12", "entry 3", "page"; empty if the source as a whole could not be read.
  std::string id;        // The input's own id, as far as it could be read: with `every_line` also beside an error.
  extraction::Format format = extraction::Format::kUnknown;
  absl::StatusOr<extraction::Extraction> extraction = absl::UnknownError("not read");
};

// Reads all inputs in order, holding one article (of a feed: one feed) in memory at a time. What cannot be read is an
// item with an error, and the rest is unharmed. Folders are read recursively in the order of their paths: hidden files
// and files whose names say that they hold no articles (pictures, scripts, …) are passed over. Not thread-safe.
class InputReader {
 public:
  // Lists the folders among `places`. Finds nothing wrong: that comes with the items.
  InputReader(const std::vector<std::string>& places, InputOptions options);
  InputReader(const InputReader&) = delete;
  InputReader& operator=(const InputReader&) = delete;

  // The next article; nullopt at the end, and once the process was interrupted (interrupt.h). May block.
  std::optional<InputItem> Next();

  // Whether Next() may have to wait for somebody to write: time to hand out what is held back.
  bool MayWait();

  int64_t bytes_read() const { return bytes_read_; }
  // The size of all inputs together, where it is known.
  std::optional<int64_t> total_bytes() const { return total_bytes_; }
  // Files in folders that were passed over because of their names.
  int64_t skipped_files() const { return skipped_files_; }

 private:
  struct Source {
    std::string place;
    absl::Status listing_error;  // Of a folder that could not be listed.
  };

  void List(const std::string& folder, int depth);
  absl::Status Open(const Source& source);
  absl::Status OpenDescriptor(int descriptor, bool owned);
  absl::Status OpenStream(extraction::ReadFunction read, extraction::SourceOptions source_options);
  std::optional<InputItem> NextOfSource();
  InputItem ParseLine(LineReader::Line line) const;
  void CloseSource();

  const InputOptions options_;
  std::vector<Source> sources_;
  size_t next_source_ = 0;
  // The source being read; both readers are null between sources.
  std::string place_;
  int descriptor_ = -1;  // Of a file or standard input; owned by the reader.
  extraction::Format format_ = extraction::Format::kUnknown;
  std::unique_ptr<extraction::SourceReader> reader_;
  std::unique_ptr<LineReader> lines_;  // JSON Lines.
  int64_t bytes_read_ = 0;
  std::optional<int64_t> total_bytes_ = 0;
  int64_t skipped_files_ = 0;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INPUT_H_
