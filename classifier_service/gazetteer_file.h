// The rows of a gazetteer's file, and of an overlay that is laid over them. What the columns mean, gazetteer.h says.
#ifndef DATELINE_CLASSIFIER_SERVICE_GAZETTEER_FILE_H_
#define DATELINE_CLASSIFIER_SERVICE_GAZETTEER_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "classifier_service/gazetteer.h"
#include "common/error.h"

namespace dateline::classifier {

// One row.
struct GazetteerRow {
  absl::string_view source;  // The path of its file, for messages; outlives the row.
  size_t line = 0;           // From 1.
  std::string surface;
  std::string target;
  std::string language;
  std::optional<GazetteerKind> kind;  // None: MEMBER, GIVEN or SURNAME, or `remove` without a kind.
  bool member = false;
  bool surname = false;
  int from_year = 0;
  int to_year = 0;
  uint16_t flags = 0;  // Of GazetteerEntry::Flag.
  bool display = false;
  bool no_match = false;
  bool alias = false;
  bool successor = false;
  bool remove = false;    // Overlays only.
  bool any_kind = false;  // `remove` without a kind.
};

// Whether this has the form of a region code: two capital letters. Groups have lower-case ids.
bool IsRegionCode(absl::string_view text);

// "overlay.tsv:7".
std::string PlaceOf(const GazetteerRow& row);

// Everything that is wrong with files of a gazetteer, in the order in which it was found. Not thread-safe.
class GazetteerProblems {
 public:
  // `place` is a path, or "PATH:LINE"; `problem` says what is wrong and what would be right.
  void Add(std::string place, std::string problem);
  // The same for what is odd and yet can be taken.
  void Warn(absl::string_view place, absl::string_view problem);

  // A row that names this target could not be read: what is missing about it may be in that row, and is no news.
  void AddSuspect(absl::string_view target) { suspects_.insert(std::string(target)); }
  bool IsSuspect(const std::string& target) const { return suspects_.count(target) != 0; }

  // OK if nothing was added. Otherwise InvalidArgument: its message is the first problem and how many more there are,
  // its field violations (common/error.h) are the first kMaxListed, with places as fields.
  absl::Status status() const;

  // "PLACE: PROBLEM" each; at most kMaxListed.
  const std::vector<std::string>& warnings() const { return warnings_; }

  static constexpr size_t kMaxListed = 100;

 private:
  std::vector<common::FieldViolation> problems_;
  size_t count_ = 0;
  std::vector<std::string> warnings_;
  std::set<std::string> suspects_;
};

// Reads a file of at most `max_bytes`. NotFound if there is none or it can't be read, InvalidArgument if it is no
// regular file or larger; each names `path` and the remedy.
absl::StatusOr<std::string> ReadGazetteerFile(const std::string& path, size_t max_bytes);

enum class GazetteerFileRole { kShipped, kOverlay };

// The rows of `text`, in its order; `source` outlives them. What can't be read is a problem, and left out. An overlay
// may begin with a byte order mark and a row of headings, and leave out empty columns at the end of a row.
std::vector<GazetteerRow> ParseGazetteerRows(absl::string_view text, absl::string_view source, GazetteerFileRole role,
                                             GazetteerProblems& problems);

// Lays `overlay` over `shipped`: its rows come first, so that they are the usual meanings; those with the flag `remove`
// take shipped rows away, and others take the place of shipped rows of the same surface and target. Rows of the overlay
// that make no sense, alone or beside another of them, are problems or, where they may, warnings.
std::vector<GazetteerRow> LayOver(std::vector<GazetteerRow> shipped, std::vector<GazetteerRow> overlay,
                                  GazetteerProblems& problems);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_GAZETTEER_FILE_H_
