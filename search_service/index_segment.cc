#include "search_service/index_segment.h"

#include <xapian.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "search_service/files.h"
#include "search_service/index_document.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

constexpr char kRowsFile[] = "rows";
// Nothing waits for the disk: until a segment is forced to disk as a whole, the set that names it does not count after
// a boot. A segment is committed once, so that no state of before needs to stay readable.
constexpr int kFresh = Xapian::DB_CREATE | Xapian::DB_BACKEND_GLASS | Xapian::DB_NO_SYNC;
constexpr size_t kDigestChars = 64;

// While it commits values, Xapian (1.4.22) writes in a destructor, and an error there ends the process. So a disk must
// not turn out to be full then: room is taken before. Xapian's trees are at least half full; a small one has some
// blocks.
constexpr char kPostingsFile[] = "/postlist.glass";
constexpr int64_t kLeastRoom = 128 << 10;

absl::Status CommitWithRoom(Xapian::WritableDatabase& database, const std::string& path, int64_t bytes) {
  ASSIGN_OR_RETURN(const ReservedRoom room, ReservedRoom::Take(path + kPostingsFile, 2 * bytes + kLeastRoom));
  database.commit_transaction();
  return absl::OkStatus();
}

// At most, in the file of postings.
int64_t PostingBytesOf(const Xapian::Document& document) {
  constexpr size_t kPerEntry = 40;  // Of key, counts and numbers.
  size_t bytes = 0;
  for (auto term = document.termlist_begin(); term != document.termlist_end(); ++term) {
    bytes += (*term).size() + kPerEntry;
  }
  for (auto value = document.values_begin(); value != document.values_end(); ++value) {
    bytes += (*value).size() + kPerEntry;
  }
  return static_cast<int64_t>(bytes);
}

absl::Status Damaged(absl::string_view path) {
  return absl::DataLossError(absl::StrCat("the index is damaged: ", path, " is not as it was written"));
}

struct MergeCancelled {};

// Asks between the tables whether to go on.
class PatientCompactor final : public Xapian::Compactor {
 public:
  explicit PatientCompactor(const std::function<bool()>& cancelled) : cancelled_(cancelled) {}
  void set_status(const std::string&, const std::string&) override { Ask(); }
  void Ask() const {
    if (cancelled_ && cancelled_()) throw MergeCancelled();
  }

 private:
  const std::function<bool()>& cancelled_;
};

std::vector<RowState> ReadStates(const Xapian::Database& database) {
  std::vector<RowState> states(database.get_lastdocid());
  for (auto value = database.valuestream_begin(kRowSlot); value != database.valuestream_end(kRowSlot); ++value) {
    states[value.get_docid() - 1] = DecodeRowState(*value);
  }
  return states;
}

// Leaves the documents of `live` in the database at `path`, one for each row, and one empty document.
absl::Status RemoveAllBut(absl::flat_hash_map<int64_t, uint64_t> live, const std::string& path,
                          const PatientCompactor& compactor) {
  Xapian::WritableDatabase database(path, Xapian::DB_OPEN | Xapian::DB_NO_SYNC);
  database.begin_transaction();
  const std::vector<RowState> states = ReadStates(database);
  std::vector<Xapian::docid> numbers(database.postlist_begin(""), database.postlist_end(""));
  bool has_empty = false;
  for (const Xapian::docid number : numbers) {
    const RowState& state = states[number - 1];
    // After a rebuild there are two documents of one state of a row, which are alike: the first one stays.
    const auto found = live.find(state.row);
    if (found != live.end() && found->second == state.seq) {
      live.erase(found);
      continue;
    }
    if (has_empty) {
      database.delete_document(number);
    } else {
      database.replace_document(number, Xapian::Document());
      has_empty = true;
    }
    compactor.Ask();
  }
  // Every block may be written anew.
  std::error_code error;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path + kPostingsFile, error));
  if (error) return DiskError("read", path + kPostingsFile);
  return CommitWithRoom(database, path, bytes);
}

}  // namespace

IndexSegment::IndexSegment(const std::string& folder, std::string name)
    : name_(std::move(name)), path_(absl::StrCat(folder, "/", name_)) {}

IndexSegment::~IndexSegment() {
  if (!discarded_) return;
  std::error_code ignored;  // What stays is removed at the next start.
  std::filesystem::remove_all(path_, ignored);
}

absl::StatusOr<std::vector<std::string>> IndexSegment::Files() const {
  std::vector<std::string> files;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    // Xapian's lock file says nothing, and comes and goes.
    if (entry->path().filename() != "flintlock") files.push_back(entry->path().string());
  }
  if (error) return DiskError("list", path_);
  std::sort(files.begin(), files.end());
  return files;
}

absl::Status IndexSegment::Measure() {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, Files());
  bytes_ = 0;
  for (const std::string& file : files) {
    std::error_code error;
    bytes_ += static_cast<int64_t>(std::filesystem::file_size(file, error));
    if (error) return DiskError("read", file);
  }
  return absl::OkStatus();
}

void IndexSegment::CountDocuments() {
  vacant_.assign(documents_.size() + 1, false);
  document_count_ = documents_.size();
  for (size_t i = 0; i < documents_.size(); ++i) {
    if (documents_[i].row != 0) continue;
    vacant_[i + 1] = true;
    --document_count_;
  }
}

absl::Status IndexSegment::WriteRows() const {
  storage::v1::SegmentRows rows;
  for (const RowState& state : documents_) {
    rows.add_rows(state.row);
    rows.add_seqs(state.seq);
  }
  for (const RowState& state : removals_) {
    rows.add_removed_rows(state.row);
    rows.add_removed_seqs(state.seq);
  }
  const std::string content = rows.SerializeAsString();
  const std::string path = absl::StrCat(path_, "/", kRowsFile);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content << common::Sha256Hex(content);
  file.close();
  return file ? absl::OkStatus() : DiskError("write", path);
}

absl::StatusOr<std::shared_ptr<const IndexSegment>> IndexSegment::Build(const std::string& folder,
                                                                        const std::string& name,
                                                                        absl::Span<const IndexChange> changes,
                                                                        TextAnalyzer& analyzer) {
  auto segment = absl::WrapUnique(new IndexSegment(folder, name));
  // Until all is well.
  segment->Discard();
  try {
    std::optional<Xapian::WritableDatabase> database;
    int64_t bytes = 0;
    std::error_code error;
    std::filesystem::create_directories(segment->path_, error);
    if (error) return DiskError("make", segment->path_);
    for (const IndexChange& change : changes) {
      if (change.article == nullptr) {
        segment->removals_.push_back(change.state);
        continue;
      }
      if (!database) {
        database.emplace(segment->path_, kFresh);
        database->begin_transaction();
      }
      const Xapian::Document document = MakeDocument(change.state, *change.article, analyzer);
      bytes += PostingBytesOf(document);
      database->add_document(document);
      segment->documents_.push_back(change.state);
    }
    if (database) RETURN_IF_ERROR(CommitWithRoom(*database, segment->path_, bytes));
  } catch (...) {
    return CaughtIndexError();
  }
  segment->CountDocuments();
  RETURN_IF_ERROR(segment->WriteRows());
  RETURN_IF_ERROR(segment->Measure());
  segment->discarded_ = false;
  return std::shared_ptr<const IndexSegment>(std::move(segment));
}

absl::StatusOr<std::shared_ptr<const IndexSegment>> IndexSegment::Merge(
    const std::string& folder, const std::string& name, const std::vector<Input>& inputs,
    const std::function<bool(const RowState&)>& keep_removal, const std::function<bool()>& cancelled) {
  auto segment = absl::WrapUnique(new IndexSegment(folder, name));
  segment->Discard();
  absl::flat_hash_map<int64_t, uint64_t> live;
  bool any_dead = false;
  for (const Input& input : inputs) {
    const std::vector<RowState>& documents = input.segment->documents();
    for (size_t i = 0; i < documents.size(); ++i) {
      if (documents[i].row == 0) continue;
      if (input.dead != nullptr && (*input.dead)[i + 1]) {
        any_dead = true;
      } else {
        live.emplace(documents[i].row, documents[i].seq);
      }
    }
    for (const RowState& removal : input.segment->removals()) {
      if (keep_removal(removal)) segment->removals_.push_back(removal);
    }
  }
  const std::string partial = segment->path_ + ".partial";
  const absl::Cleanup remove_partial = [&partial] {
    std::error_code ignored;
    std::filesystem::remove_all(partial, ignored);
  };
  try {
    PatientCompactor compactor(cancelled);
    std::error_code error;
    if (live.empty()) {
      std::filesystem::create_directories(segment->path_, error);
      if (error) return DiskError("make", segment->path_);
    } else {
      Xapian::Database all;
      for (const Input& input : inputs) {
        if (input.segment->document_count() > 0) all.add_database(Xapian::Database(input.segment->path_));
      }
      all.compact(any_dead ? partial : segment->path_, 0, 0, compactor);
      if (any_dead) {
        RETURN_IF_ERROR(RemoveAllBut(live, partial, compactor));
        // What was deleted stands in blocks that are free now: only what is copied out of there leaves it behind.
        Xapian::Database(partial).compact(segment->path_, 0, 0, compactor);
      }
      segment->documents_ = ReadStates(Xapian::Database(segment->path_));
    }
  } catch (const MergeCancelled&) {
    return absl::CancelledError("the merge was cancelled");
  } catch (...) {
    return CaughtIndexError();
  }
  segment->CountDocuments();
  if (segment->document_count_ != live.size()) {
    return absl::DataLossError(
        absl::StrCat("the index is damaged: merging ", live.size(), " documents gave ", segment->document_count_));
  }
  RETURN_IF_ERROR(segment->WriteRows());
  RETURN_IF_ERROR(segment->Measure());
  segment->discarded_ = false;
  return std::shared_ptr<const IndexSegment>(std::move(segment));
}

absl::StatusOr<std::shared_ptr<const IndexSegment>> IndexSegment::Load(const std::string& folder,
                                                                       const std::string& name, int64_t bytes) {
  auto segment = absl::WrapUnique(new IndexSegment(folder, name));
  const std::string path = absl::StrCat(segment->path_, "/", kRowsFile);
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file || content.size() < kDigestChars) return Damaged(path);
  const std::string digest = content.substr(content.size() - kDigestChars);
  content.resize(content.size() - kDigestChars);
  storage::v1::SegmentRows rows;
  if (common::Sha256Hex(content) != digest || !rows.ParseFromString(content) || rows.rows_size() != rows.seqs_size() ||
      rows.removed_rows_size() != rows.removed_seqs_size()) {
    return Damaged(path);
  }
  for (int i = 0; i < rows.rows_size(); ++i) segment->documents_.push_back({rows.rows(i), rows.seqs(i)});
  for (int i = 0; i < rows.removed_rows_size(); ++i) {
    segment->removals_.push_back({rows.removed_rows(i), rows.removed_seqs(i)});
  }
  segment->CountDocuments();
  RETURN_IF_ERROR(segment->Measure());
  if (segment->bytes_ != bytes) return Damaged(segment->path_);
  if (segment->document_count_ > 0) {
    try {
      const Xapian::Database database(segment->path_);
      const size_t vacant = segment->documents_.size() - segment->document_count_;
      const size_t empty = database.get_doccount() - segment->document_count_;
      if (database.get_lastdocid() != segment->documents_.size() || empty > vacant || (empty == 0) != (vacant == 0)) {
        return Damaged(segment->path_);
      }
    } catch (...) {
      return CaughtIndexError();
    }
  }
  return std::shared_ptr<const IndexSegment>(std::move(segment));
}

absl::Status IndexSegment::Sync() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, Files());
  for (const std::string& file : files) RETURN_IF_ERROR(SyncPath(file));
  return SyncPath(path_);
}

absl::StatusOr<std::string> IndexSegment::Digest() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, Files());
  std::string all;
  for (const std::string& path : files) {
    ASSIGN_OR_RETURN(const std::string digest, DigestOfFile(path));
    absl::StrAppend(&all, std::filesystem::path(path).filename().string(), " ", digest, "\n");
  }
  return common::Sha256Hex(all);
}

}  // namespace dateline::search
