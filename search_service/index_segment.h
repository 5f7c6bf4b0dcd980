// A segment: documents that were written once, in a Xapian database of their own, and never change.
//
// A segment's folder holds the database and the file `rows`, which says what the documents are: the state of a row of
// the store that each shows. Which of them count is not the segment's business: of all documents of a row, in all
// segments, the one with the highest sequence does (index_set.h). A row that left the store is named among the
// segment's removals.
//
// A merge leaves gaps in the numbers of documents. A segment with gaps has an empty document as well, so that no term
// is in all of its documents: Xapian (1.4.22) reads the list of all documents for such a term where its frequency
// within documents is not asked for, but goes from one part of that list to the next by the term's own name, and then
// reports damage. Gaps and empty documents are the segment's vacant numbers.
#ifndef DATELINE_SEARCH_SERVICE_INDEX_SEGMENT_H_
#define DATELINE_SEARCH_SERVICE_INDEX_SEGMENT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "search_service/article.h"
#include "search_service/text_analysis.h"
#include "search_service/visible_prefix.h"

namespace dateline::search {

// What became of a row.
struct IndexChange {
  RowState state;
  const Article* article = nullptr;  // Null: it is gone.
};

// By a document's number, from 1 on.
using DocumentBitmap = std::vector<bool>;

// Immutable, so thread-safe.
class IndexSegment {
 public:
  // Writes a segment into the folder `folder`/`name`, which must not exist: the documents of those `changes` that have
  // an article, and the removals. Nothing is forced to disk, and nothing stays after an error.
  static absl::StatusOr<std::shared_ptr<const IndexSegment>> Build(const std::string& folder, const std::string& name,
                                                                   absl::Span<const IndexChange> changes,
                                                                   TextAnalyzer& analyzer);
  // One segment in place of several: all their documents but the `dead` ones (null: none is), which leave no trace, and
  // those removals for which `keep_removal` says so. Cancelled, at some point, once `cancelled` says so.
  struct Input {
    std::shared_ptr<const IndexSegment> segment;
    std::shared_ptr<const DocumentBitmap> dead;
  };
  static absl::StatusOr<std::shared_ptr<const IndexSegment>> Merge(
      const std::string& folder, const std::string& name, const std::vector<Input>& inputs,
      const std::function<bool(const RowState&)>& keep_removal, const std::function<bool()>& cancelled);
  // One that was written before. DataLoss if it is not all there: `bytes` is what its files had when it was written.
  static absl::StatusOr<std::shared_ptr<const IndexSegment>> Load(const std::string& folder, const std::string& name,
                                                                  int64_t bytes);
  // Removes the folder if Discard was called.
  ~IndexSegment();
  IndexSegment(const IndexSegment&) = delete;
  IndexSegment& operator=(const IndexSegment&) = delete;

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  // By document number, the first being 1: what it shows; row 0 where there is no such document.
  const std::vector<RowState>& documents() const { return documents_; }
  const std::vector<RowState>& removals() const { return removals_; }
  // Without vacant numbers.
  size_t document_count() const { return document_count_; }
  // The numbers at which there is no document, or none that shows anything.
  const DocumentBitmap& vacant() const { return vacant_; }
  // Of all its files.
  int64_t bytes() const { return bytes_; }

  // Forces all files to disk.
  absl::Status Sync() const;
  // SHA-256 over names and contents of all files: what tells that none has changed.
  absl::StatusOr<std::string> Digest() const;
  // The folder goes with the last who holds the segment.
  void Discard() const { discarded_ = true; }
  // Takes Discard back.
  void Keep() const { discarded_ = false; }

 private:
  IndexSegment(const std::string& folder, std::string name);
  absl::Status WriteRows() const;
  absl::Status Measure();
  // What follows from `documents_`.
  void CountDocuments();
  absl::StatusOr<std::vector<std::string>> Files() const;

  const std::string name_;
  const std::string path_;
  std::vector<RowState> documents_;
  std::vector<RowState> removals_;
  DocumentBitmap vacant_;
  size_t document_count_ = 0;
  int64_t bytes_ = 0;
  mutable std::atomic<bool> discarded_ = false;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INDEX_SEGMENT_H_
