#include "search_service/maintenance.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "search_service/files.h"
#include "search_service/sqlite.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

// Articles that are read and written again at a time: with their bodies, of which the largest has 2 MB.
constexpr size_t kRebuildBatch = 64;
// Of the folder of a snapshot that is being made.
constexpr char kUnfinished[] = ".partial";
constexpr size_t kCompareBatch = 1'000;
// How long a check waits for the index to come to what was deleted meanwhile.
constexpr absl::Duration kCatchUp = absl::Seconds(30);

absl::Status Stopped() { return absl::CancelledError("stopped"); }

std::string Articles(int64_t count) { return count == 1 ? "1 article" : absl::StrCat(count, " articles"); }

}  // namespace

Maintenance::Maintenance(const ArticleStore& store, SearchIndex& index, std::string store_path, OnIndexer on_indexer)
    : store_(store), index_(index), store_path_(std::move(store_path)), on_indexer_(std::move(on_indexer)) {}

absl::StatusOr<std::string> Maintenance::Compact(JobList::Run& run) {
  const int64_t before = index_.segment_count();
  run.Report(0.0, absl::StrCat("merging ", before, " segments"));
  RETURN_IF_ERROR(index_.Compact([&run] { return run.cancelled(); }));
  RETURN_IF_ERROR(index_.Sync());
  return absl::StrCat(before, " segments merged; the index takes ", index_.DiskBytes(), " bytes");
}

absl::StatusOr<std::string> Maintenance::Rebuild(JobList::Run& run) {
  IndexInfo info;
  RETURN_IF_ERROR(store_.FillInfo(info));
  const auto total = std::max<int64_t>(info.article_count, 1);
  int64_t row = 0;
  int64_t done = 0;
  bool ended = false;
  const auto write_some = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<StoredArticle> heads, store_.ReadHeads(row, kRebuildBatch));
    std::vector<int64_t> rows;
    for (const StoredArticle& head : heads) rows.push_back(head.row);
    ASSIGN_OR_RETURN(const std::vector<std::optional<StoredArticle>> articles, store_.GetRows(rows, Parts::kBody));
    std::vector<IndexChange> changes;
    for (const std::optional<StoredArticle>& stored : articles) {
      if (stored) changes.push_back({{stored->row, stored->article.seq}, &stored->article});
    }
    RETURN_IF_ERROR(index_.Apply(changes, index_.applied_seq(), index_.visible_seq()));
    if (!rows.empty()) row = rows.back();
    done += static_cast<int64_t>(rows.size());
    ended = heads.size() < kRebuildBatch;
    return absl::OkStatus();
  };
  while (!ended) {
    if (run.cancelled()) return Stopped();
    RETURN_IF_ERROR(on_indexer_(write_some));
    run.Report(static_cast<double>(done) / static_cast<double>(total), absl::StrCat(done, " of ", Articles(total)));
  }
  RETURN_IF_ERROR(RemoveStrays(run));
  RETURN_IF_ERROR(index_.DropDead());
  RETURN_IF_ERROR(index_.Sync());
  return absl::StrCat(Articles(done), " written into the index again");
}

absl::Status Maintenance::RemoveStrays(JobList::Run& run) {
  const std::vector<RowState> states = index_.States();
  for (size_t begin = 0; begin < states.size(); begin += kCompareBatch) {
    if (run.cancelled()) return Stopped();
    RETURN_IF_ERROR(on_indexer_([&]() -> absl::Status {
      std::vector<int64_t> rows;
      const size_t end = std::min(states.size(), begin + kCompareBatch);
      for (size_t i = begin; i < end; ++i) rows.push_back(states[i].row);
      ASSIGN_OR_RETURN(const std::vector<std::optional<StoredArticle>> heads, store_.GetRows(rows, Parts::kHead));
      std::vector<IndexChange> removals;
      for (size_t i = 0; i < heads.size(); ++i) {
        // Above the document's own sequence, and not above that of whatever the row becomes.
        if (!heads[i]) removals.push_back({{rows[i], states[begin + i].seq + 1}, nullptr});
      }
      if (removals.empty()) return absl::OkStatus();
      return index_.Apply(removals, index_.applied_seq(), index_.visible_seq());
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Maintenance::Check(JobList::Run& run, bool full) {
  run.Report(0.0, "checking the article store");
  RETURN_IF_ERROR(CheckDatabase(store_path_, /*quick=*/!full, [&run] { return run.cancelled(); }));
  if (run.cancelled()) return Stopped();
  run.Report(0.5, "checking the files of the index");
  if (absl::Status verified = index_.Verify([&run] { return run.cancelled(); }); !verified.ok()) {
    if (absl::IsDataLoss(verified)) index_.ReportDamage();
    return verified;
  }
  if (!full) return std::string("no damage found");
  return Compare(run);
}

absl::StatusOr<std::string> Maintenance::Snapshot(JobList::Run& run, const std::string& path) {
  constexpr int kAttempts = 5;
  for (int i = 0; i < kAttempts; ++i) {
    ASSIGN_OR_RETURN(const SnapshotMade made, MakeSnapshot(run, path));
    // What was purged before it was finished must not be in it; what is purged later finds it made before.
    ASSIGN_OR_RETURN(const std::vector<ArticleStore::Refusal> now, store_.ReadRefusals());
    const bool purged_since = std::any_of(now.begin(), now.end(), [&](const ArticleStore::Refusal& refusal) {
      return !made.refused.contains(refusal.key);
    });
    if (!purged_since) return absl::StrCat(Articles(made.article_count), " in ", path);
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return DiskError("remove", path);
  }
  return absl::AbortedError(
      absl::StrCat("articles were purged while the snapshot was made, ", kAttempts, " times over; order it again"));
}

absl::StatusOr<Maintenance::SnapshotMade> Maintenance::MakeSnapshot(JobList::Run& run, const std::string& path) {
  const auto cancelled = [&run] { return run.cancelled(); };
  const std::string partial = path + kUnfinished;
  std::error_code error;
  std::filesystem::remove_all(partial, error);
  std::filesystem::create_directories(partial, error);
  if (error) return DiskError("make", partial);
  const absl::Cleanup remove_partial = [&partial] {
    std::error_code ignored;
    std::filesystem::remove_all(partial, ignored);
  };
  SnapshotMade made;
  run.Report(0.0, "copying the article store");
  const std::string copy = absl::StrCat(partial, "/", kSnapshotStore);
  {
    // It reads only, but SQLite wants to be allowed more than that for writing the copy.
    ASSIGN_OR_RETURN(const std::unique_ptr<SqlConnection> connection,
                     SqlConnection::Open(store_path_, /*read_only=*/false));
    connection->CancelWhen(cancelled);
    ASSIGN_OR_RETURN(SqlStatement vacuum, connection->Prepare("VACUUM INTO ?"));
    RETURN_IF_ERROR(vacuum.Bind(copy).Run());
  }
  run.Report(0.5, "checking the copy");
  RETURN_IF_ERROR(CheckDatabase(copy, /*quick=*/false, cancelled));
  storage::v1::Snapshot description;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<SqlConnection> connection, SqlConnection::Open(copy, /*read_only=*/true));
    ASSIGN_OR_RETURN(SqlStatement count, connection->Prepare("SELECT count(*) FROM articles WHERE deleted = 0"));
    ASSIGN_OR_RETURN(const bool counted, count.Step());
    ASSIGN_OR_RETURN(SqlStatement last, connection->Prepare("SELECT coalesce(max(seq), 0) FROM articles"));
    ASSIGN_OR_RETURN(const bool found, last.Step());
    if (!counted || !found) return absl::DataLossError("the copy of the article store can't be read");
    made.article_count = count.Int(0);
    description.set_article_count(made.article_count);
    description.set_last_seq(static_cast<uint64_t>(last.Int(0)));
    ASSIGN_OR_RETURN(SqlStatement refused, connection->Prepare("SELECT key FROM purged"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, refused.Step());
      if (!more) break;
      made.refused.insert(refused.Text(0));
    }
  }
  description.set_log_uuid(store_.log_uuid());
  description.set_store_version(kStoreVersion);
  description.set_made_by(common::kVersion);
  description.set_time(absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone()));
  ASSIGN_OR_RETURN(*description.mutable_sha256(), DigestOfFile(copy));
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(description, &text)) return absl::InternalError("snapshot");
  const std::string described = absl::StrCat(partial, "/", kSnapshotFile);
  std::ofstream file(described, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return DiskError("write", described);
  for (const std::string& synced : {copy, described, partial}) RETURN_IF_ERROR(SyncPath(synced));
  if (run.cancelled()) return Stopped();
  std::filesystem::rename(partial, path, error);
  if (error) return DiskError("make", path);
  RETURN_IF_ERROR(SyncPath(std::filesystem::path(path).parent_path().string()));
  return made;
}

void RemoveUnfinishedSnapshots(const std::string& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (absl::EndsWith(entry.path().filename().string(), kUnfinished)) unfinished.push_back(entry.path());
  }
  for (const std::filesystem::path& path : unfinished) std::filesystem::remove_all(path, error);
}

absl::StatusOr<std::string> Maintenance::Compare(JobList::Run& run) {
  // Taken first: what the index has not come to yet is no difference.
  const uint64_t applied = index_.applied_seq();
  absl::flat_hash_map<int64_t, uint64_t> indexed;
  for (const RowState& state : index_.States()) indexed.emplace(state.row, state.seq);
  const auto total = std::max<size_t>(indexed.size(), 1);
  int64_t row = 0;
  int64_t count = 0;
  int64_t damaged = 0;
  int64_t altered = 0;
  int64_t missing = 0;
  int64_t different = 0;
  while (true) {
    if (run.cancelled()) return Stopped();
    ASSIGN_OR_RETURN(const std::vector<StoredArticle> heads, store_.ReadHeads(row, kCompareBatch));
    for (const StoredArticle& stored : heads) {
      const auto found = indexed.find(stored.row);
      ASSIGN_OR_RETURN(const bool as_written, store_.IsAsWritten(stored.row));
      if (!as_written) ++altered;
      if (stored.damaged) {
        ++damaged;
      } else if (found == indexed.end()) {
        if (stored.article.seq <= applied) ++missing;
      } else if (found->second != stored.article.seq && stored.article.seq <= applied) {
        ++different;
      }
      if (found != indexed.end()) indexed.erase(found);
    }
    count += static_cast<int64_t>(heads.size());
    run.Report(0.6 + 0.4 * static_cast<double>(count) / static_cast<double>(total),
               absl::StrCat("compared ", Articles(count)));
    if (heads.size() < kCompareBatch) break;
    row = heads.back().row;
  }
  // What is left was deleted meanwhile, or should not be there.
  int64_t strays = 0;
  if (!indexed.empty()) {
    const uint64_t last = store_.last_seq();
    const absl::Time limit = absl::Now() + kCatchUp;
    while (index_.applied_seq() < last && absl::Now() < limit && !run.cancelled())
      absl::SleepFor(absl::Milliseconds(20));
    for (const RowState& state : index_.States()) {
      const auto found = indexed.find(state.row);
      if (found != indexed.end() && found->second == state.seq) ++strays;
    }
  }
  if (missing + different + strays > 0) index_.ReportDamage();
  if (damaged + altered + missing + different + strays == 0) {
    return absl::StrCat("no damage found; the index has all ", Articles(count));
  }
  std::string problem;
  const auto add = [&problem](int64_t number, absl::string_view what) {
    if (number > 0) absl::StrAppend(&problem, problem.empty() ? "" : ", ", Articles(number), " ", what);
  };
  add(damaged, "can't be read in the store (send them again, or delete them)");
  add(altered,
      "with another text in the store than was written (restore a snapshot, or delete them and send them again)");
  add(missing, "missing in the index");
  add(different, "not as stored in the index");
  add(strays, "in the index but not in the store");
  if (missing + different + strays > 0) absl::StrAppend(&problem, "; RebuildIndex mends the index");
  return absl::DataLossError(problem);
}

absl::Status CheckDatabase(const std::string& path, bool quick, const std::function<bool()>& cancelled) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SqlConnection> connection, SqlConnection::Open(path, /*read_only=*/true));
  connection->CancelWhen(cancelled);
  ASSIGN_OR_RETURN(SqlStatement check,
                   connection->Prepare(quick ? "PRAGMA quick_check(3)" : "PRAGMA integrity_check(3)"));
  std::string problems;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, check.Step());
    if (!found) break;
    const std::string line = check.Text(0);
    if (line != "ok") absl::StrAppend(&problems, problems.empty() ? "" : "; ", line);
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the article store ", path, " is damaged: ", problems,
                                          "; restore a snapshot, or put a backup copy in its place"));
}

}  // namespace dateline::search
