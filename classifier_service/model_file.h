// The envelope of model files: eight bytes that say what it is, then a zstd frame with checksum that holds a serialised
// message. How files are read, packed and put in place is the same for all models; what is in them, each knows itself.
#ifndef DATELINE_CLASSIFIER_SERVICE_MODEL_FILE_H_
#define DATELINE_CLASSIFIER_SERVICE_MODEL_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::classifier {

// One kind of model file.
struct ModelFileKind {
  absl::string_view name;    // As messages call it: "issue model".
  absl::string_view magic;   // Eight bytes.
  absl::string_view remedy;  // What to do about a file that can't be used; ends each message.
  int compression_level = 0;
  size_t max_file_bytes = 0;     // A larger file is none of this kind.
  size_t max_message_bytes = 0;  // Nor is one that unpacks to more.
};

// DataLoss, and FailedPrecondition for a file that is whole but of another kind or version: "NAME SOURCE: WHAT;
// REMEDY".
absl::Status CorruptModel(const ModelFileKind& kind, absl::string_view source, absl::string_view what);
absl::Status ForeignModel(const ModelFileKind& kind, absl::string_view source, absl::string_view what);

// The bytes of the file. The same message gives the same bytes.
std::string PackModel(const ModelFileKind& kind, absl::string_view message);

// The reverse. `source` is the path, for messages. FailedPrecondition if the bytes are of another kind, DataLoss if
// they are truncated or corrupted.
absl::StatusOr<std::string> UnpackModel(const ModelFileKind& kind, absl::string_view bytes, absl::string_view source);

// All bytes of the file at `path`: NotFound if it can't be read, FailedPrecondition if it is too large.
absl::StatusOr<std::string> ReadModelFile(const ModelFileKind& kind, const std::string& path);

// Writes a new file and renames it into place, so that no reader sees half of it. Unavailable, with what to check, if
// it can't.
absl::Status WriteModelFile(const ModelFileKind& kind, const std::string& path, absl::string_view bytes);

// Puts the file `from` in the place of `to`. Unavailable if it can't.
absl::Status RenameModelFile(const ModelFileKind& kind, const std::string& from, const std::string& to);

// Keeps the file at `path`, if there is one, as PATH.previous, in the place of what was kept before. Unavailable if it
// can't.
absl::Status KeepPreviousModel(const ModelFileKind& kind, const std::string& path);

// Swaps the file at `path` and PATH.previous, so that doing it twice changes nothing. NotFound if nothing was kept,
// Unavailable if it can't. Whether both are models, the caller has seen to.
absl::Status SwapWithPreviousModel(const ModelFileKind& kind, const std::string& path);

// PATH.previous; NotFound if there is none.
absl::StatusOr<std::string> PreviousModelPath(const std::string& path);

// Whether the file at `path` begins as one of this kind does. It may be damaged behind that.
bool SaysItIs(const ModelFileKind& kind, const std::string& path);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_MODEL_FILE_H_
