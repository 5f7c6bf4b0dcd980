#include "search_service/snapshot.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/text_format.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "search_service/files.h"
#include "search_service/maintenance.h"
#include "search_service/sqlite.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

namespace fs = std::filesystem;

constexpr char kRefusalsFile[] = "purged.keys";

absl::StatusOr<storage::v1::Snapshot> ReadDescription(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kSnapshotFile);
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  storage::v1::Snapshot description;
  if (!file || !google::protobuf::TextFormat::ParseFromString(text, &description)) {
    return absl::DataLossError(absl::StrCat(folder, " is no snapshot: ", path, " is missing or damaged"));
  }
  return description;
}

using Refusals = std::map<std::string, absl::Time>;

// False if there is no such file.
bool ReadRefusalsFile(const std::string& path, Refusals& refusals) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t micros = 0;
    if (!parts.first.empty() && absl::SimpleAtoi(parts.second, &micros)) {
      refusals.emplace(parts.first, absl::FromUnixMicros(micros));
    }
  }
  return true;
}

// Empties the write-ahead log of the store and reads what it refuses. Any error: it is damaged.
absl::Status CloseOldStore(const std::string& path, Refusals& refusals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SqlConnection> connection, SqlConnection::Open(path, /*read_only=*/false));
  RETURN_IF_ERROR(connection->Execute("PRAGMA wal_checkpoint(TRUNCATE)", "reading the old store"));
  ASSIGN_OR_RETURN(SqlStatement select, connection->Prepare("SELECT key, time FROM purged"));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return absl::OkStatus();
    refusals.emplace(select.Text(0), absl::FromUnixMicros(select.Int(1)));
  }
}

// Hard links, so that at no moment it is missing where it was.
absl::Status KeepOldStore(const std::string& store, const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return DiskError("make", folder);
  for (const std::string suffix : {"", "-wal"}) {
    const std::string path = store + suffix;
    if (!fs::exists(path, error)) continue;
    const std::string kept = absl::StrCat(folder, "/articles.db", suffix);
    fs::create_hard_link(path, kept, error);
    if (error) RETURN_IF_ERROR(CopyFile(path, kept));
  }
  RETURN_IF_ERROR(SyncPath(folder));
  // Of the store that is to come they would be taken for the log.
  for (const std::string suffix : {"-wal", "-shm"}) fs::remove(store + suffix, error);
  return SyncPath(fs::path(store).parent_path().string());
}

std::string Parent(const std::string& folder) {
  return fs::absolute(folder + "/.").lexically_normal().parent_path().parent_path().string();
}

}  // namespace

absl::Status CheckSnapshot(const std::string& folder, const std::function<bool()>& cancelled) {
  ASSIGN_OR_RETURN(const storage::v1::Snapshot description, ReadDescription(folder));
  const std::string copy = absl::StrCat(folder, "/", kSnapshotStore);
  ASSIGN_OR_RETURN(const std::string digest, DigestOfFile(copy));
  if (digest != description.sha256()) {
    return absl::DataLossError(absl::StrCat(copy, " is damaged: it is not as it was made; use another snapshot"));
  }
  return CheckDatabase(copy, /*quick=*/true, cancelled);
}

absl::Status WriteRefusals(const ArticleStore& store, const std::string& data_dir) {
  ASSIGN_OR_RETURN(const std::vector<ArticleStore::Refusal> refusals, store.ReadRefusals());
  if (refusals.empty()) return absl::OkStatus();
  std::string text;
  for (const ArticleStore::Refusal& refusal : refusals) {
    absl::StrAppend(&text, refusal.key, " ", absl::ToUnixMicros(refusal.time), "\n");
  }
  const std::string folder = absl::StrCat(data_dir, "/snapshots");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return DiskError("make", folder);
  return ReplaceFile(absl::StrCat(folder, "/", kRefusalsFile), text, /*durable=*/true);
}

absl::StatusOr<RestoredSnapshot> RestoreSnapshot(const std::string& folder, const std::string& data_dir) {
  ASSIGN_OR_RETURN(const storage::v1::Snapshot description, ReadDescription(folder));
  if (description.store_version() > kStoreVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the snapshot ", folder, " is of store version ", description.store_version(),
                     "; this program knows versions up to ", kStoreVersion, ": use a newer one"));
  }
  RETURN_IF_ERROR(CheckSnapshot(folder, {}));
  std::error_code error;
  fs::create_directories(data_dir, error);
  if (error) return DiskError("make", data_dir);
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(data_dir));

  RestoredSnapshot result;
  Refusals refusals;
  const std::string store_path = absl::StrCat(data_dir, "/articles.db");
  const bool had_store = fs::exists(store_path, error);
  const bool readable = had_store && CloseOldStore(store_path, refusals).ok();
  bool noted = false;
  for (const std::string& beside : {absl::StrCat(data_dir, "/snapshots"), Parent(folder)}) {
    noted = ReadRefusalsFile(absl::StrCat(beside, "/", kRefusalsFile), refusals) || noted;
  }
  result.purges_unknown = !readable && !noted;

  const std::string partial = absl::StrCat(data_dir, "/restoring");
  fs::remove_all(partial, error);
  fs::create_directories(partial, error);
  if (error) return DiskError("make", partial);
  const absl::Cleanup remove_partial = [&partial] {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
  };
  const std::string copy = absl::StrCat(partial, "/articles.db");
  RETURN_IF_ERROR(CopyFile(absl::StrCat(folder, "/", kSnapshotStore), copy));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<ArticleStore> store, ArticleStore::Open(copy));
    std::vector<ArticleStore::Refusal> list;
    for (const auto& [key, time] : refusals) list.push_back({key, time});
    ASSIGN_OR_RETURN(result.erased_count, store->BecomeAnother(list, absl::Now()));
    IndexInfo info;
    RETURN_IF_ERROR(store->FillInfo(info));
    result.article_count = info.article_count;
  }
  RETURN_IF_ERROR(SyncPath(copy));
  if (fs::exists(copy + "-wal", error) && fs::file_size(copy + "-wal", error) > 0) {
    return absl::InternalError("the restored store was not closed in full");
  }
  if (had_store) {
    result.set_aside =
        absl::StrCat(data_dir, "/replaced-", absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::UTCTimeZone()));
    RETURN_IF_ERROR(KeepOldStore(store_path, result.set_aside));
  }
  fs::rename(copy, store_path, error);
  if (error) return DiskError("replace", store_path);
  RETURN_IF_ERROR(SyncPath(data_dir));
  return result;
}

}  // namespace dateline::search
