// What was rejected, in a file: so that it can be corrected and ingested.
#ifndef DATELINE_CLI_REJECTED_FILE_H_
#define DATELINE_CLI_REJECTED_FILE_H_

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "cli/output.pb.h"
#include "common/mutex.h"
#include "dateline/article/v1/article.pb.h"

namespace dateline::cli {

// Where a record has the line that it was made of, if that is no JSON object: `dateline ingest` reads it in its place.
inline constexpr char kRejectedLine[] = "rejected_line";

// One line of JSON Lines: `article`, as far as it could be read (null: not at all), in the form that `dateline ingest`
// reads, and beside it under "rejection" the line's source, position, reason and message. Without an article the fields
// of `text`, the line of JSON Lines that holds none; `text` itself under kRejectedLine if it has no fields.
std::string RejectedRecord(const IngestLine& line, const article::v1::Article* article, const std::string& text = "");

// Lines are on disk, for all that a kill may do, once Add() has returned. Thread-safe.
class RejectedFile {
 public:
  // Whether `path` can be written, and is none of what is read: InvalidArgument if it is one of `places` or lies in
  // one, FailedPrecondition if it can't be written. What it holds stays until Clear().
  static absl::StatusOr<std::unique_ptr<RejectedFile>> Open(std::string path, const std::vector<std::string>& places);
  ~RejectedFile();
  RejectedFile(const RejectedFile&) = delete;
  RejectedFile& operator=(const RejectedFile&) = delete;

  // The run begins: what the run before has left goes.
  void Clear();
  void Add(const IngestLine& line, const article::v1::Article* article, const std::string& text = "");
  // The first error of any write.
  absl::Status status() const;

 private:
  RejectedFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  mutable common::Mutex mutex_;
  std::FILE* const file_ ABSL_PT_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_REJECTED_FILE_H_
