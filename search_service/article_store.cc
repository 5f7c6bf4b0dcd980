#include "search_service/article_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"
#include "search_service/article_codec.h"

namespace dateline::search {
namespace {

constexpr char kSchema[] = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles(
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  seq INTEGER NOT NULL,
  content_seq INTEGER NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  label_state INTEGER NOT NULL,
  label_attempts INTEGER NOT NULL DEFAULT 0,
  update_time INTEGER,
  content_hash TEXT NOT NULL,
  text_hash TEXT NOT NULL,
  etag TEXT NOT NULL,
  title TEXT NOT NULL,
  head BLOB NOT NULL,
  labels BLOB NOT NULL,
  create_seq INTEGER NOT NULL DEFAULT 0,
  correct_seq INTEGER NOT NULL DEFAULT 0,
  change_time INTEGER,
  embargo INTEGER,
  labelled_by TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS articles_by_seq ON articles(seq);
CREATE INDEX IF NOT EXISTS articles_pending ON articles(content_seq) WHERE label_state = 1 AND deleted = 0;
CREATE INDEX IF NOT EXISTS articles_failed ON articles(row) WHERE label_state = 3 AND deleted = 0;
CREATE INDEX IF NOT EXISTS articles_deleted ON articles(row) WHERE deleted = 1;
CREATE TABLE IF NOT EXISTS texts(row INTEGER PRIMARY KEY, body TEXT NOT NULL, evidence BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS urls(key TEXT NOT NULL, row INTEGER NOT NULL, own INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(key, row)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS urls_by_row ON urls(row);
CREATE TABLE IF NOT EXISTS unmapped(kind TEXT NOT NULL, name TEXT NOT NULL, row INTEGER NOT NULL,
  PRIMARY KEY(kind, name, row)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unmapped_by_row ON unmapped(row);
CREATE TABLE IF NOT EXISTS purged(key TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions(row INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
  keys TEXT NOT NULL, title TEXT NOT NULL, head BLOB NOT NULL, body TEXT);
CREATE INDEX IF NOT EXISTS versions_by_row ON versions(row);
CREATE INDEX IF NOT EXISTS versions_by_time ON versions(time);
CREATE TABLE IF NOT EXISTS label_history(row INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
  labels BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS label_history_by_row ON label_history(row);
CREATE TABLE IF NOT EXISTS sketches(row INTEGER PRIMARY KEY, sketch BLOB NOT NULL, head INTEGER);
CREATE INDEX IF NOT EXISTS sketches_by_head ON sketches(head) WHERE head IS NOT NULL;
)";

// On columns that older versions lack: after they were added.
constexpr char kLateSchema[] =
    "CREATE INDEX IF NOT EXISTS articles_embargo ON articles(embargo) WHERE embargo IS NOT NULL";

// One read connection costs a few hundred KB; more than this are not kept when idle.
constexpr size_t kMaxIdleReaders = 32;

constexpr char kHeadColumns[] =
    "a.row, a.id, a.seq, a.content_seq, a.deleted, a.label_state, a.label_attempts, a.content_hash, a.etag, a.title, "
    "a.head, a.labels";

std::string NewUuid() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

// What purges and lookups by URL go by: never the URL itself, which a purge must not keep.
std::string UrlKey(absl::string_view canonical_url) { return common::Hash128Hex(absl::StrCat("url:", canonical_url)); }
std::string IdKey(absl::string_view id) { return common::Hash128Hex(absl::StrCat("id:", id)); }

// Empty where `url` is none.
std::string KeyOfUrl(absl::string_view url) {
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
  return canonical.ok() ? UrlKey(*canonical) : std::string();
}

// Of the URLs that an article has, each once, its own first.
struct ArticleUrlKey {
  std::string key;
  bool own = false;
};
std::vector<ArticleUrlKey> UrlKeys(const Article& article) {
  std::vector<ArticleUrlKey> keys;
  const auto add = [&](absl::string_view url, bool own) {
    std::string key = KeyOfUrl(url);
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const ArticleUrlKey& one) { return one.key == key; });
    if (!key.empty() && !known) keys.push_back({std::move(key), own});
  };
  if (!article.url.empty()) add(article.url, /*own=*/true);
  for (const std::string& url : article.alternate_urls) add(url, /*own=*/false);
  return keys;
}

// What the classifier reads: labels stay as long as it is the same.
std::string TextHash(const Article& article) {
  return common::Hash128Hex(absl::StrCat(article.title.size(), ":", article.title, article.body.size(), ":",
                                         article.body, article.language_detected ? "" : article.language_code, ":",
                                         article.publish_time ? absl::ToUnixMicros(*article.publish_time) : 0));
}

// Changes with the caller's fields and with what an editor decided; never with tagging.
std::string EtagOf(const Article& article) {
  std::string all = absl::StrCat(article.content_hash, ":", article.replaced_dimensions);
  for (const Label& label : article.labels) {
    if (label.source == LabelSource::kEditor) {
      absl::StrAppend(&all, ":", static_cast<int>(label.dimension), ".", label.id, ".", static_cast<int>(label.verdict),
                      ".", label.primary);
    }
  }
  return common::Hash128Hex(all).substr(0, 16);
}

// Reads the columns of kHeadColumns.
void ReadHead(const SqlStatement& statement, StoredArticle& stored) {
  Article& article = stored.article;
  stored.row = statement.Int(0);
  article.id = statement.Text(1);
  article.seq = static_cast<uint64_t>(statement.Int(2));
  article.content_seq = static_cast<uint64_t>(statement.Int(3));
  stored.deleted = statement.Int(4) != 0;
  if (stored.deleted) {
    // Nothing but the URL is in it, and without that a tombstone is as good.
    if (!DecodeHead(statement.Blob(10), article).ok()) article.url.clear();
    return;
  }
  article.label_state = static_cast<LabelState>(statement.Int(5));
  stored.label_attempts = static_cast<int>(statement.Int(6));
  article.content_hash = statement.Text(7);
  article.etag = statement.Text(8);
  article.title = statement.Text(9);
  // SQLite keeps any bytes; what is no text couldn't be sent.
  const bool is_text = common::IsValidUtf8(article.id) && common::IsValidUtf8(article.content_hash) &&
                       common::IsValidUtf8(article.etag) && common::IsValidUtf8(article.title);
  stored.damaged =
      !is_text || !DecodeHead(statement.Blob(10), article).ok() || !DecodeLabels(statement.Blob(11), article).ok();
}

absl::Status ReadTexts(SqlConnection& connection, Parts parts, StoredArticle& stored) {
  if (parts == Parts::kHead || stored.deleted) return absl::OkStatus();
  const char* sql = parts == Parts::kBody       ? "SELECT body FROM texts WHERE row = ?"
                    : parts == Parts::kEvidence ? "SELECT evidence FROM texts WHERE row = ?"
                                                : "SELECT body, evidence FROM texts WHERE row = ?";
  ASSIGN_OR_RETURN(SqlStatement statement, connection.Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, statement.Bind(stored.row).Step());
  if (!found) {
    stored.damaged = true;
    return absl::OkStatus();
  }
  if (parts != Parts::kEvidence) {
    stored.article.body = statement.Text(0);
    stored.damaged = stored.damaged || !common::IsValidUtf8(stored.article.body);
  }
  if (parts != Parts::kBody) {
    const std::string evidence = statement.Blob(parts == Parts::kAll ? 1 : 0);
    stored.damaged = !DecodeEvidence(evidence, stored.article).ok() || stored.damaged;
  }
  return statement.Run();  // Ends the read.
}

constexpr char kSelectById[] =
    "SELECT a.row, a.id, a.seq, a.content_seq, a.deleted, a.label_state, a.label_attempts, a.content_hash, a.etag, "
    "a.title, a.head, a.labels, a.text_hash FROM articles a WHERE a.id = ?";
constexpr char kSelectByUrl[] =
    "SELECT a.row, a.id, a.seq, a.content_seq, a.deleted, a.label_state, a.label_attempts, a.content_hash, a.etag, "
    "a.title, a.head, a.labels, a.text_hash FROM articles a JOIN urls u ON u.row = a.row WHERE u.key = ? AND a.deleted "
    "= 0 ORDER BY u.own DESC, a.content_seq DESC LIMIT 1";
// With tombstones.
constexpr char kSelectAllByUrl[] =
    "SELECT a.row, a.id, a.seq, a.content_seq, a.deleted, a.label_state, a.label_attempts, a.content_hash, a.etag, "
    "a.title, a.head, a.labels FROM articles a JOIN urls u ON u.row = a.row WHERE u.key = ? ORDER BY a.row";
constexpr char kSelectByRow[] =
    "SELECT a.row, a.id, a.seq, a.content_seq, a.deleted, a.label_state, a.label_attempts, a.content_hash, a.etag, "
    "a.title, a.head, a.labels, a.text_hash FROM articles a WHERE a.row = ?";

absl::StatusOr<std::vector<StoredArticle>> SelectHeads(SqlConnection& connection, int64_t after_row,
                                                       size_t max_articles) {
  static const std::string* const kSql = new std::string(absl::StrCat(
      "SELECT ", kHeadColumns, " FROM articles a WHERE a.row > ? AND a.deleted = 0 ORDER BY a.row LIMIT ?"));
  ASSIGN_OR_RETURN(SqlStatement select, connection.Prepare(kSql->c_str()));
  select.Bind(after_row).Bind(static_cast<int64_t>(max_articles));
  std::vector<StoredArticle> result;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return result;
    ReadHead(select, result.emplace_back());
  }
}

std::optional<int64_t> MicrosOf(const std::optional<absl::Time>& time) {
  return time ? std::optional(absl::ToUnixMicros(*time)) : std::nullopt;
}

struct Existing {
  StoredArticle stored;
  std::string text_hash;
};

absl::StatusOr<std::optional<Existing>> SelectOne(SqlConnection& connection, const char* sql, absl::string_view key) {
  ASSIGN_OR_RETURN(SqlStatement statement, connection.Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, statement.Bind(key).Step());
  if (!found) return std::nullopt;
  Existing existing;
  ReadHead(statement, existing.stored);
  existing.text_hash = statement.Text(12);
  RETURN_IF_ERROR(statement.Run());  // Ends the read.
  return existing;
}

// By id, else by URL; tombstones are found by id only, and where no article has that URL.
absl::StatusOr<std::optional<Existing>> SelectExisting(SqlConnection& connection, absl::string_view id_or_url) {
  ASSIGN_OR_RETURN(std::optional<Existing> found, SelectOne(connection, kSelectById, id_or_url));
  if ((found && !found->stored.deleted) || !common::LooksLikeUrl(id_or_url)) return found;
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(id_or_url);
  if (!canonical.ok()) return found;
  ASSIGN_OR_RETURN(std::optional<Existing> by_url, SelectOne(connection, kSelectByUrl, UrlKey(*canonical)));
  return by_url ? std::move(by_url) : std::move(found);
}

bool IsRetired(const Taxonomy& taxonomy, const Label& label) {
  const TaxonomyEntry* entry = taxonomy.Find(label.dimension, label.id);
  return entry != nullptr && !entry->replaced_by.empty();
}

// Whether labels differ in nothing that searches go by. Versions, times and evidence may.
bool SameLabels(const std::vector<Label>& a, const std::vector<Label>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Label& x, const Label& y) {
    return x.source == y.source && x.verdict == y.verdict && x.dimension == y.dimension && x.id == y.id &&
           x.score == y.score && x.primary == y.primary;
  });
}

// Puts in the place of labels with retired ids those with the ids that stand for them today. Where two of one source
// then mean the same, the one that was given as it is stays, and is primary if the other was.
void FollowReplacements(const Taxonomy& taxonomy, std::vector<Label>& labels) {
  std::set<std::tuple<LabelSource, Dimension, std::string>> taken;
  bool any_retired = false;
  for (const Label& label : labels) {
    if (IsRetired(taxonomy, label)) {
      any_retired = true;
    } else {
      taken.emplace(label.source, label.dimension, label.id);
    }
  }
  if (!any_retired) return;
  std::set<std::tuple<LabelSource, Dimension, std::string>> primary;
  std::vector<Label> result;
  for (Label& label : labels) {
    const std::vector<std::string> current = taxonomy.Current(label.dimension, label.id);
    // Retired ids that lead in a circle lead nowhere: better an odd label than none.
    if (!IsRetired(taxonomy, label) || current.empty()) {
      result.push_back(std::move(label));
      continue;
    }
    for (const std::string& id : current) {
      if (!taken.emplace(label.source, label.dimension, id).second) {
        if (std::exchange(label.primary, false)) primary.emplace(label.source, label.dimension, id);
        continue;
      }
      Label& follower = result.emplace_back(label);
      follower.id = id;
      follower.taxonomy_version = taxonomy.data().taxonomy_version;
      label.primary = false;  // One of them is enough.
    }
  }
  for (Label& label : result) {
    if (primary.contains({label.source, label.dimension, label.id})) label.primary = true;
  }
  labels = std::move(result);
}

// Whether two lists say the same of the article, whenever and by whatever version it was said.
bool SameTargets(const std::vector<Label>& a, const std::vector<Label>& b) {
  const auto targets = [](const std::vector<Label>& labels) {
    std::set<std::tuple<LabelSource, LabelVerdict, Dimension, absl::string_view>> result;
    for (const Label& label : labels) result.emplace(label.source, label.verdict, label.dimension, label.id);
    return result;
  };
  return targets(a) == targets(b);
}

// The kSource labels that `source_labels` lead to, beside those that were given; what leads nowhere is left in
// `unmapped`.
void MapSourceLabels(const Taxonomy& taxonomy, absl::Time now, Article& article, std::vector<SourceLabel>& unmapped) {
  std::erase_if(article.labels, IsMapped);
  for (const SourceLabel& source_label : article.source_labels) {
    const std::vector<Taxonomy::Target> targets = taxonomy.MapSourceLabel(source_label);
    if (targets.empty()) unmapped.push_back(source_label);
    for (const Taxonomy::Target& target : targets) {
      const bool known = std::any_of(article.labels.begin(), article.labels.end(), [&](const Label& label) {
        return label.source == LabelSource::kSource && label.dimension == target.dimension && label.id == target.id;
      });
      if (known) continue;
      Label label;
      label.dimension = target.dimension;
      label.id = target.id;
      label.source = LabelSource::kSource;
      label.taxonomy_version = taxonomy.data().taxonomy_version;
      label.label_time = absl::FromUnixMicros(absl::ToUnixMicros(now));
      Evidence evidence;
      evidence.text = source_label.name;
      evidence.kind = kSourceLabelEvidence;
      evidence.weight = 1.0;
      label.evidence.push_back(std::move(evidence));
      article.labels.push_back(std::move(label));
    }
  }
}

// The end of an embargo that is still to be told; nullopt for none.
std::optional<int64_t> EmbargoOf(const Article& article, absl::Time now) {
  if (!article.visible_from || *article.visible_from <= now) return std::nullopt;
  return absl::ToUnixMicros(*article.visible_from);
}

absl::Status NoSuchArticle(absl::string_view id_or_url) {
  return common::WithReason(absl::NotFoundError(absl::StrCat("no article has the id or URL \"", id_or_url, "\"")),
                            kReasonNotFound);
}

absl::Status EtagMismatch() {
  return common::WithReason(absl::AbortedError("etag: the stored article has another one; read it again and decide"),
                            kReasonEtagMismatch);
}

absl::Status DamagedArticle(absl::string_view id) {
  return absl::DataLossError(absl::StrCat("article ", id, " is damaged in the store; send it again, or delete it"));
}

int64_t FileBytes(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<int64_t>(info.st_size) : 0;
}

}  // namespace

// A read connection for the length of one call, inside one read transaction.
class ArticleStore::ReadLease {
 public:
  ReadLease(const ArticleStore* store, std::unique_ptr<SqlConnection> connection)
      : store_(store), connection_(std::move(connection)) {}
  ReadLease(ReadLease&&) = default;
  ReadLease& operator=(ReadLease&&) = delete;
  ~ReadLease() {
    if (connection_ == nullptr) return;
    connection_->ResetStatements();
    if (!connection_->Execute("COMMIT").ok()) return;
    const common::MutexLock lock(store_->mutex_);
    if (store_->idle_readers_.size() < kMaxIdleReaders) store_->idle_readers_.push_back(std::move(connection_));
  }
  SqlConnection& operator*() const { return *connection_; }
  SqlConnection* operator->() const { return connection_.get(); }

 private:
  const ArticleStore* store_;
  std::unique_ptr<SqlConnection> connection_;
};

absl::StatusOr<std::unique_ptr<ArticleStore>> ArticleStore::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqlConnection> writer, SqlConnection::Open(path, /*read_only=*/false));
  auto store = absl::WrapUnique(new ArticleStore(path, std::move(writer)));
  RETURN_IF_ERROR(store->Prepare());
  return store;
}

ArticleStore::ArticleStore(std::string path, std::unique_ptr<SqlConnection> writer)
    : path_(std::move(path)), writer_(std::move(writer)) {}

ArticleStore::~ArticleStore() = default;

absl::Status ArticleStore::Prepare() {
  // secure_delete: what is deleted is overwritten, so that a purge leaves no text in free pages.
  RETURN_IF_ERROR(
      writer_->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
                       "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16000",
                       absl::StrCat("opening ", path_)));
  int64_t version = 0;
  {
    ASSIGN_OR_RETURN(SqlStatement statement, writer_->Prepare("PRAGMA user_version"));
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (found) version = statement.Int(0);
    RETURN_IF_ERROR(statement.Run());
  }
  if (version > kStoreVersion) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " is of version ", version,
                                                      "; this program knows versions up to ", kStoreVersion,
                                                      ": start a newer one"));
  }
  RETURN_IF_ERROR(writer_->Execute("BEGIN IMMEDIATE"));
  RETURN_IF_ERROR(writer_->Execute(kSchema, absl::StrCat("making the tables of ", path_)));
  if (version == 1) {
    RETURN_IF_ERROR(writer_->Execute("ALTER TABLE urls ADD COLUMN own INTEGER NOT NULL DEFAULT 0"));
    RETURN_IF_ERROR(MarkOwnUrls());
  }
  if (version == 1 || version == 2) {
    RETURN_IF_ERROR(
        writer_->Execute("ALTER TABLE articles ADD COLUMN create_seq INTEGER NOT NULL DEFAULT 0; "
                         "ALTER TABLE articles ADD COLUMN correct_seq INTEGER NOT NULL DEFAULT 0; "
                         "ALTER TABLE articles ADD COLUMN change_time INTEGER; "
                         "ALTER TABLE articles ADD COLUMN embargo INTEGER; "
                         // As if each had come with its last content: it did, but for those updated since.
                         "UPDATE articles SET create_seq = content_seq"));
    RETURN_IF_ERROR(NoteEmbargoes(absl::Now()));
  }
  if (version >= 1 && version <= 3) {
    RETURN_IF_ERROR(writer_->Execute("ALTER TABLE articles ADD COLUMN labelled_by TEXT NOT NULL DEFAULT ''"));
  }
  RETURN_IF_ERROR(writer_->Execute(kLateSchema, absl::StrCat("making the tables of ", path_)));
  if (version >= 1 && version <= 3) RETURN_IF_ERROR(LinkAll(absl::Now()));
  RETURN_IF_ERROR(writer_->Execute("PRAGMA user_version=4"));
  static_assert(kStoreVersion == 4, "set user_version above, and migrate");
  {
    ASSIGN_OR_RETURN(SqlStatement statement,
                     writer_->Prepare("INSERT OR IGNORE INTO meta(key, value) VALUES('log_uuid', ?)"));
    RETURN_IF_ERROR(statement.Bind(NewUuid()).Run());
  }
  RETURN_IF_ERROR(writer_->Execute("COMMIT"));
  RETURN_IF_ERROR(LoadSketches());
  RETURN_IF_ERROR(FindNextEmbargo());
  ASSIGN_OR_RETURN(SqlStatement statement, writer_->Prepare("SELECT (SELECT value FROM meta WHERE key = 'log_uuid'), "
                                                            "(SELECT COALESCE(MAX(seq), 0) FROM articles)"));
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return absl::DataLossError(absl::StrCat(path_, " has lost its identity; put a backup copy in its place"));
  log_uuid_ = statement.Text(0);
  next_seq_ = static_cast<uint64_t>(statement.Int(1)) + 1;
  RETURN_IF_ERROR(statement.Run());
  const common::MutexLock lock(mutex_);
  last_seq_ = next_seq_ - 1;
  return absl::OkStatus();
}

absl::Status ArticleStore::Begin() {
  // A rollback that failed left its transaction open, in which no other can begin.
  if (writer_->in_transaction()) Rollback();
  if (sketches_lost_) RETURN_IF_ERROR(LoadSketches());
  moves_.clear();
  sketched_.clear();
  return writer_->Execute("BEGIN IMMEDIATE");
}

absl::Status ArticleStore::Commit() {
  RETURN_IF_ERROR(writer_->Execute("COMMIT"));
  {
    const common::MutexLock lock(mutex_);
    last_seq_ = next_seq_ - 1;
  }
  // The write-ahead log still holds the purged text. The commit itself is done: a reader that hinders this, for as long
  // as it reads, delays it to the next commit.
  if (erase_log_) erase_log_ = !TruncateLog();
  return absl::OkStatus();
}

bool ArticleStore::TruncateLog() {
  // A statement of this connection that was not read to its end would lock its tables.
  writer_->ResetStatements();
  absl::StatusOr<SqlStatement> statement = writer_->Prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!statement.ok()) return false;
  const absl::StatusOr<bool> row = statement->Step();
  const bool done = row.ok() && *row && statement->Int(0) == 0;  // The first column: 1 if a reader was in the way.
  writer_->ResetStatements();
  return done;
}

absl::Status ArticleStore::Savepoint() {
  savepoint_seq_ = next_seq_;
  savepoint_moves_ = moves_.size();
  savepoint_sketched_ = sketched_.size();
  return writer_->Execute("SAVEPOINT one");
}

absl::Status ArticleStore::ReleaseSavepoint() { return writer_->Execute("RELEASE one"); }

absl::Status ArticleStore::RollbackToSavepoint() {
  next_seq_ = savepoint_seq_;
  moves_.resize(savepoint_moves_);
  next_embargo_ = absl::InfinitePast();  // It may have been told in vain.
  RETURN_IF_ERROR(writer_->Execute("ROLLBACK TO one; RELEASE one"));
  return RestoreSketches(savepoint_sketched_);
}

void ArticleStore::Rollback() {
  // Where an error came between two steps of a statement, it is still reading.
  writer_->ResetStatements();
  // Fails where SQLite has rolled back by itself already: the state is the same.
  (void)writer_->Execute("ROLLBACK");
  sketches_lost_ = writer_->in_transaction() || !RestoreSketches(0).ok();
  moves_.clear();
  next_embargo_ = absl::InfinitePast();  // It may have been told in vain.
  const common::MutexLock lock(mutex_);
  next_seq_ = last_seq_ + 1;
}

uint64_t ArticleStore::last_seq() const {
  const common::MutexLock lock(mutex_);
  return last_seq_;
}

absl::StatusOr<bool> ArticleStore::IsPurged(const Article& article) {
  std::vector<std::string> keys = {IdKey(article.id)};
  for (ArticleUrlKey& url : UrlKeys(article)) keys.push_back(std::move(url.key));
  for (const std::string& key : keys) {
    ASSIGN_OR_RETURN(SqlStatement statement, writer_->Prepare("SELECT 1 FROM purged WHERE key = ?"));
    ASSIGN_OR_RETURN(const bool found, statement.Bind(key).Step());
    if (found) {
      RETURN_IF_ERROR(statement.Run());
      return true;
    }
  }
  return false;
}

absl::Status ArticleStore::RememberPurged(absl::string_view key, absl::Time now) {
  ASSIGN_OR_RETURN(SqlStatement statement, writer_->Prepare("INSERT OR IGNORE INTO purged(key, time) VALUES(?, ?)"));
  return statement.Bind(key).Bind(absl::ToUnixMicros(now)).Run();
}

absl::Status ArticleStore::LoadSketches() {
  sketches_ = SketchIndex();
  sketches_lost_ = true;
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT row, sketch FROM sketches ORDER BY row"));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) break;
    // One that can't be read proposes nobody.
    if (const std::optional<Sketch> sketch = Sketch::Decode(select.Blob(1))) sketches_.Put(select.Int(0), *sketch);
  }
  sketches_lost_ = false;
  return absl::OkStatus();
}

absl::Status ArticleStore::RestoreSketches(size_t from) {
  sketches_lost_ = true;
  for (size_t i = from; i < sketched_.size(); ++i) {
    ASSIGN_OR_RETURN(const std::optional<Sketch> sketch, ReadSketch(sketched_[i]));
    if (sketch) {
      sketches_.Put(sketched_[i], *sketch);
    } else {
      sketches_.Remove(sketched_[i]);
    }
  }
  sketched_.resize(from);
  sketches_lost_ = false;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Sketch>> ArticleStore::ReadSketch(int64_t row) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT sketch FROM sketches WHERE row = ?"));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  std::optional<Sketch> sketch;
  if (found) sketch = Sketch::Decode(select.Blob(0));
  RETURN_IF_ERROR(select.Run());
  return sketch;
}

absl::StatusOr<int64_t> ArticleStore::ReadHeadRow(int64_t row) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT head FROM sketches WHERE row = ?"));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  const int64_t head = found ? select.OptionalInt(0).value_or(0) : 0;
  RETURN_IF_ERROR(select.Run());
  return head;
}

absl::StatusOr<bool> ArticleStore::IsAnother(int64_t row, absl::string_view body) {
  if (row == 0) return true;
  const Shingles shingles(body);
  ASSIGN_OR_RETURN(const std::optional<Sketch> before, ReadSketch(row));
  if (!shingles.enough() || !before) return shingles.enough() || before.has_value();
  return before->Resemblance(shingles.MakeSketch()) < kNearDuplicate;
}

absl::StatusOr<ArticleStore::Likeness> ArticleStore::FindLikeness(int64_t row, absl::string_view body, absl::Time now) {
  // A sketch of 64 is off by 0.06 on average; what it proposes is compared in full, but not without end.
  constexpr double kSketchSlack = 0.15;
  constexpr size_t kMaxCompared = 8;
  Likeness likeness;
  const Shingles shingles(body);
  if (!shingles.enough()) return likeness;
  likeness.sketch = shingles.MakeSketch();
  for (const SketchIndex::Match& match :
       sketches_.Find(*likeness.sketch, kNearDuplicate - kSketchSlack, kMaxCompared + 1)) {
    if (match.row == row) continue;
    ASSIGN_OR_RETURN(SqlStatement text, writer_->Prepare("SELECT body FROM texts WHERE row = ?"));
    ASSIGN_OR_RETURN(const bool has_text, text.Bind(match.row).Step());
    const double resemblance = has_text ? shingles.Resemblance(Shingles(text.Text(0))) : 0.0;
    RETURN_IF_ERROR(text.Run());
    if (resemblance < kNearDuplicate) continue;
    ASSIGN_OR_RETURN(const int64_t head_row, ReadHeadRow(match.row));
    ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare(kSelectByRow));
    ASSIGN_OR_RETURN(const bool found, select.Bind(head_row != 0 ? head_row : match.row).Step());
    StoredArticle head;
    if (found) ReadHead(select, head);
    RETURN_IF_ERROR(select.Run());
    if (!found || head.deleted || head.row == row || EmbargoOf(head.article, now)) continue;
    likeness.head_row = head.row;
    likeness.head_id = head.article.id;
    return likeness;
  }
  return likeness;
}

absl::Status ArticleStore::WriteLikeness(int64_t row, const Likeness& likeness) {
  sketched_.push_back(row);
  if (!likeness.sketch) {
    sketches_.Remove(row);
    ASSIGN_OR_RETURN(SqlStatement remove, writer_->Prepare("DELETE FROM sketches WHERE row = ?"));
    return remove.Bind(row).Run();
  }
  sketches_.Put(row, *likeness.sketch);
  ASSIGN_OR_RETURN(SqlStatement write,
                   writer_->Prepare("INSERT OR REPLACE INTO sketches(row, sketch, head) VALUES(?, ?, ?)"));
  return write.Bind(row)
      .BindBlob(likeness.sketch->Encode())
      .BindOptional(likeness.head_row != 0 ? std::optional(likeness.head_row) : std::nullopt)
      .Run();
}

absl::Status ArticleStore::LeaveGroup(int64_t row, absl::Time now) {
  RETURN_IF_ERROR(WriteLikeness(row, {}));
  struct Member {
    int64_t row;
    std::string id;
    bool hidden;
  };
  std::vector<Member> members;
  {
    ASSIGN_OR_RETURN(SqlStatement select,
                     writer_->Prepare("SELECT a.row, a.id, a.embargo IS NOT NULL FROM sketches s JOIN articles a ON "
                                      "a.row = s.row WHERE s.head = ? ORDER BY a.create_seq, a.row"));
    select.Bind(row);
    while (true) {
      ASSIGN_OR_RETURN(const bool found, select.Step());
      if (!found) break;
      members.push_back({select.Int(0), select.Text(1), select.Int(2) != 0});
    }
  }
  if (members.empty()) return absl::OkStatus();
  auto head = std::find_if(members.begin(), members.end(), [](const Member& member) { return !member.hidden; });
  if (head == members.end()) head = members.begin();
  for (const Member& member : members) {
    const bool is_head = member.row == head->row;
    RETURN_IF_ERROR(SetHead(member.row, is_head ? 0 : head->row, is_head ? std::string() : head->id, now));
  }
  return absl::OkStatus();
}

absl::Status ArticleStore::SetHead(int64_t row, int64_t head_row, const std::string& head_id, absl::Time now) {
  ASSIGN_OR_RETURN(SqlStatement link, writer_->Prepare("UPDATE sketches SET head = ? WHERE row = ?"));
  RETURN_IF_ERROR(link.BindOptional(head_row != 0 ? std::optional(head_row) : std::nullopt).Bind(row).Run());
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare(kSelectByRow));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  StoredArticle stored;
  if (found) ReadHead(select, stored);
  RETURN_IF_ERROR(select.Run());
  if (!found || stored.deleted || stored.damaged)
    return absl::OkStatus();  // It can't be written again, nor is it shown.
  stored.article.duplicate_of = head_id;
  return RewriteHead(stored, /*new_content=*/false, now).status();
}

absl::Status ArticleStore::LinkAll(absl::Time now) {
  constexpr size_t kBatch = 500;
  for (int64_t after_row = 0;;) {
    ASSIGN_OR_RETURN(std::vector<StoredArticle> batch, SelectHeads(*writer_, after_row, kBatch));
    for (StoredArticle& stored : batch) {
      RETURN_IF_ERROR(ReadTexts(*writer_, Parts::kBody, stored));
      if (stored.damaged) continue;
      ASSIGN_OR_RETURN(const Likeness likeness, FindLikeness(stored.row, stored.article.body, now));
      RETURN_IF_ERROR(WriteLikeness(stored.row, likeness));
      if (likeness.head_row == 0) continue;
      stored.article.duplicate_of = likeness.head_id;
      // No change that readers of the log must see: nobody was told otherwise.
      ASSIGN_OR_RETURN(SqlStatement write, writer_->Prepare("UPDATE articles SET head = ? WHERE row = ?"));
      RETURN_IF_ERROR(write.BindBlob(EncodeArticle(stored.article).head).Bind(stored.row).Run());
    }
    if (batch.size() < kBatch) return absl::OkStatus();
    after_row = batch.back().row;
  }
}

absl::Status ArticleStore::WriteUrls(int64_t row, const Article& article) {
  ASSIGN_OR_RETURN(SqlStatement remove, writer_->Prepare("DELETE FROM urls WHERE row = ?"));
  RETURN_IF_ERROR(remove.Bind(row).Run());
  for (const ArticleUrlKey& url : UrlKeys(article)) {
    ASSIGN_OR_RETURN(SqlStatement insert, writer_->Prepare("INSERT INTO urls(key, row, own) VALUES(?, ?, ?)"));
    RETURN_IF_ERROR(insert.Bind(url.key).Bind(row).Bind(int64_t{url.own}).Run());
  }
  return absl::OkStatus();
}

absl::Status ArticleStore::MarkOwnUrls() {
  constexpr size_t kBatch = 500;
  for (int64_t after_row = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<StoredArticle> batch, SelectHeads(*writer_, after_row, kBatch));
    for (const StoredArticle& stored : batch) {
      ASSIGN_OR_RETURN(SqlStatement mark, writer_->Prepare("UPDATE urls SET own = 1 WHERE key = ? AND row = ?"));
      RETURN_IF_ERROR(mark.Bind(KeyOfUrl(stored.article.url)).Bind(stored.row).Run());
    }
    if (batch.size() < kBatch) return absl::OkStatus();
    after_row = batch.back().row;
  }
}

absl::Status ArticleStore::NoteEmbargoes(absl::Time now) {
  constexpr size_t kBatch = 500;
  for (int64_t after_row = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<StoredArticle> batch, SelectHeads(*writer_, after_row, kBatch));
    for (const StoredArticle& stored : batch) {
      const std::optional<int64_t> embargo = EmbargoOf(stored.article, now);
      if (!embargo) continue;
      ASSIGN_OR_RETURN(SqlStatement note, writer_->Prepare("UPDATE articles SET embargo = ? WHERE row = ?"));
      RETURN_IF_ERROR(note.Bind(*embargo).Bind(stored.row).Run());
    }
    if (batch.size() < kBatch) return absl::OkStatus();
    after_row = batch.back().row;
  }
}

absl::Status ArticleStore::FindNextEmbargo() {
  ASSIGN_OR_RETURN(SqlStatement select,
                   writer_->Prepare("SELECT MIN(embargo) FROM articles WHERE embargo IS NOT NULL"));
  ASSIGN_OR_RETURN(const bool found, select.Step());
  const std::optional<int64_t> next = found ? select.OptionalInt(0) : std::nullopt;
  next_embargo_ = next ? absl::FromUnixMicros(*next) : absl::InfiniteFuture();
  return select.Run();
}

absl::Status ArticleStore::ReleaseEmbargoes(absl::Time now, size_t max_articles) {
  std::vector<std::pair<int64_t, uint64_t>> ended;  // Rows, and where they were.
  {
    ASSIGN_OR_RETURN(SqlStatement select,
                     writer_->Prepare("SELECT row, seq FROM articles WHERE embargo IS NOT NULL AND "
                                      "embargo <= ? ORDER BY embargo LIMIT ?"));
    select.Bind(absl::ToUnixMicros(now)).Bind(static_cast<int64_t>(max_articles));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, select.Step());
      if (!found) break;
      ended.emplace_back(select.Int(0), static_cast<uint64_t>(select.Int(1)));
    }
  }
  for (const auto& [row, old_seq] : ended) {
    const uint64_t seq = next_seq_++;
    ASSIGN_OR_RETURN(SqlStatement release, writer_->Prepare("UPDATE articles SET seq = ?1, create_seq = ?1, "
                                                            "change_time = embargo, embargo = NULL WHERE row = ?2"));
    RETURN_IF_ERROR(release.Bind(static_cast<int64_t>(seq)).Bind(row).Run());
    moves_.push_back({row, old_seq, seq});
    // The same text may have come from elsewhere meanwhile, and nobody could be told whom it repeats.
    ASSIGN_OR_RETURN(const int64_t head, ReadHeadRow(row));
    if (head != 0) continue;
    ASSIGN_OR_RETURN(SqlStatement text, writer_->Prepare("SELECT body FROM texts WHERE row = ?"));
    ASSIGN_OR_RETURN(const bool has_text, text.Bind(row).Step());
    const std::string body = has_text ? text.Text(0) : std::string();
    RETURN_IF_ERROR(text.Run());
    ASSIGN_OR_RETURN(const Likeness likeness, FindLikeness(row, body, now));
    if (likeness.head_row != 0) RETURN_IF_ERROR(SetHead(row, likeness.head_row, likeness.head_id, now));
  }
  return FindNextEmbargo();
}

absl::Status ArticleStore::KeepVersion(int64_t row, bool same_text, absl::Time now) {
  // With the hashes of its URLs: a purge of one of them finds it.
  ASSIGN_OR_RETURN(SqlStatement keep,
                   writer_->Prepare("INSERT INTO versions(row, seq, time, keys, title, head, body) SELECT a.row, "
                                    "a.content_seq, ?1, (SELECT COALESCE(GROUP_CONCAT(key, ' '), '') FROM urls WHERE "
                                    "row = a.row), a.title, a.head, CASE WHEN ?2 THEN NULL ELSE t.body END FROM "
                                    "articles a JOIN texts t ON t.row = a.row WHERE a.row = ?3 AND a.deleted = 0"));
  return keep.Bind(absl::ToUnixMicros(now)).Bind(int64_t{same_text}).Bind(row).Run();
}

absl::Status ArticleStore::KeepLabels(int64_t row, absl::string_view new_labels, absl::Time now) {
  ASSIGN_OR_RETURN(
      SqlStatement keep,
      writer_->Prepare("INSERT INTO label_history(row, seq, time, labels) SELECT row, seq, ?1, labels FROM "
                       "articles WHERE row = ?2 AND deleted = 0 AND labels <> ?3 AND LENGTH(labels) > 0"));
  return keep.Bind(absl::ToUnixMicros(now)).Bind(row).BindBlob(new_labels).Run();
}

absl::Status ArticleStore::ForgetHistory(int64_t row) {
  for (const char* sql : {"DELETE FROM versions WHERE row = ?", "DELETE FROM label_history WHERE row = ?"}) {
    ASSIGN_OR_RETURN(SqlStatement forget, writer_->Prepare(sql));
    RETURN_IF_ERROR(forget.Bind(row).Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ArticleStore::PruneHistory(absl::Time now, size_t max_rows) {
  bool more = false;
  for (const char* sql :
       {"DELETE FROM versions WHERE rowid IN (SELECT rowid FROM versions WHERE time < ? ORDER BY time LIMIT ?)",
        "DELETE FROM label_history WHERE rowid IN (SELECT h.rowid FROM articles a JOIN label_history h ON h.row = "
        "a.row "
        "WHERE a.deleted = 1 AND h.time < ? LIMIT ?)"}) {
    ASSIGN_OR_RETURN(SqlStatement prune, writer_->Prepare(sql));
    RETURN_IF_ERROR(prune.Bind(absl::ToUnixMicros(now - kVersionAge)).Bind(static_cast<int64_t>(max_rows)).Run());
    more = more || writer_->changes() >= static_cast<int64_t>(max_rows);
  }
  return more;
}

absl::Status ArticleStore::WriteUnmapped(int64_t row, const std::vector<SourceLabel>& unmapped) {
  ASSIGN_OR_RETURN(SqlStatement remove, writer_->Prepare("DELETE FROM unmapped WHERE row = ?"));
  RETURN_IF_ERROR(remove.Bind(row).Run());
  for (const SourceLabel& label : unmapped) {
    ASSIGN_OR_RETURN(SqlStatement insert,
                     writer_->Prepare("INSERT OR IGNORE INTO unmapped(kind, name, row) VALUES(?, ?, ?)"));
    RETURN_IF_ERROR(insert.Bind(label.kind).Bind(label.name).Bind(row).Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> ArticleStore::LatestUpdateTime(int64_t row) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT update_time FROM articles WHERE row = ?"));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  const std::optional<int64_t> latest = found ? select.OptionalInt(0) : std::nullopt;
  RETURN_IF_ERROR(select.Run());
  return latest;
}

absl::StatusOr<ArticleStore::PutResult> ArticleStore::Put(const Article& incoming, const Taxonomy& taxonomy,
                                                          absl::Time now) {
  PutResult result;
  ASSIGN_OR_RETURN(const bool purged, IsPurged(incoming));
  if (purged) {
    result.error = common::WithReason(
        absl::FailedPreconditionError("the article was purged; an administrator must lift that before it is taken"),
        kReasonPurged);
    return result;
  }
  ASSIGN_OR_RETURN(std::optional<Existing> existing, SelectOne(*writer_, kSelectById, incoming.id));
  const bool alive = existing && !existing->stored.deleted;
  if (!incoming.etag.empty() && (!alive || existing->stored.article.etag != incoming.etag)) {
    result.error = common::WithReason(
        absl::AbortedError(alive ? "etag: the stored article has another one; read it again and decide"
                                 : "etag: there is no such article to replace"),
        kReasonEtagMismatch);
    return result;
  }
  if (alive) {
    const Article& stored = existing->stored.article;
    result.row = existing->stored.row;
    result.seq = stored.seq;
    ASSIGN_OR_RETURN(const std::optional<int64_t> latest, LatestUpdateTime(existing->stored.row));
    const std::optional<int64_t> offered = MicrosOf(incoming.update_time);
    const bool older = latest && offered && *offered < *latest;
    RETURN_IF_ERROR(ReadTexts(*writer_, Parts::kEvidence, existing->stored));
    result.duplicate_of = stored.duplicate_of;
    if (stored.content_hash == incoming.content_hash && !existing->stored.damaged) {
      // That the article was still the same then is kept, for versions between the two are older than it.
      if (offered && (!latest || *offered > *latest)) {
        ASSIGN_OR_RETURN(SqlStatement confirm, writer_->Prepare("UPDATE articles SET update_time = ? WHERE row = ?"));
        RETURN_IF_ERROR(confirm.Bind(*offered).Bind(existing->stored.row).Run());
      }
      result.outcome = IngestOutcome::kUnchanged;
      return result;
    }
    if (older) {
      result.outcome = IngestOutcome::kStale;
      return result;
    }
  }

  Article article = incoming;
  const std::string text_hash = TextHash(article);
  article.create_time = alive && !existing->stored.damaged ? existing->stored.article.create_time : now;
  article.label_state = LabelState::kPending;
  article.country_outcome = article.issue_outcome = TagOutcome::kUnspecified;
  article.replaced_dimensions = 0;
  int attempts = 0;
  if (alive) {
    // Of a damaged one only what an editor said is kept, as far as it can be read.
    const bool same_text = existing->text_hash == text_hash && !existing->stored.damaged;
    Article& stored = existing->stored.article;
    article.replaced_dimensions = stored.replaced_dimensions;
    if (same_text) {
      article.label_state = stored.label_state;
      article.country_outcome = stored.country_outcome;
      article.issue_outcome = stored.issue_outcome;
      attempts = existing->stored.label_attempts;
      if (article.language_code.empty() && stored.language_detected) {
        article.language_code = stored.language_code;
        article.language_detected = true;
      }
    }
    for (Label& label : stored.labels) {
      const bool stays =
          label.source == LabelSource::kEditor || (label.source == LabelSource::kClassifier && same_text);
      const bool given = std::any_of(article.labels.begin(), article.labels.end(), [&](const Label& other) {
        return other.source == label.source && other.dimension == label.dimension && other.id == label.id;
      });
      if (!stays || given) continue;
      if (!same_text) label.evidence.clear();
      article.labels.push_back(std::move(label));
    }
  }
  for (Label& label : article.labels) {
    if (!label.label_time) label.label_time = absl::FromUnixMicros(absl::ToUnixMicros(now));
    if (label.taxonomy_version.empty()) label.taxonomy_version = taxonomy.data().taxonomy_version;
  }
  FollowReplacements(taxonomy, article.labels);
  std::vector<SourceLabel> unmapped;
  MapSourceLabels(taxonomy, now, article, unmapped);
  article.etag = EtagOf(article);
  // A text that was merely mended repeats whom it repeated.
  std::optional<Likeness> likeness;
  ASSIGN_OR_RETURN(const bool another, IsAnother(alive ? existing->stored.row : 0, article.body));
  if (another) {
    if (alive) RETURN_IF_ERROR(LeaveGroup(existing->stored.row, now));
    ASSIGN_OR_RETURN(likeness, FindLikeness(alive ? existing->stored.row : 0, article.body, now));
  }
  article.duplicate_of = likeness ? likeness->head_id : existing->stored.article.duplicate_of;

  const uint64_t seq = next_seq_++;
  const std::optional<int64_t> embargo = EmbargoOf(article, now);
  if (embargo) next_embargo_ = std::min(next_embargo_, absl::FromUnixMicros(*embargo));
  // What nobody was to see until now is as new to those who follow the log as what has just come.
  uint64_t create_seq = seq;
  uint64_t correct_seq = 0;
  if (alive && !embargo) {
    ASSIGN_OR_RETURN(SqlStatement select,
                     writer_->Prepare("SELECT embargo, create_seq, correct_seq FROM articles WHERE row = ?"));
    ASSIGN_OR_RETURN(const bool found, select.Bind(existing->stored.row).Step());
    if (found && !select.OptionalInt(0)) create_seq = static_cast<uint64_t>(select.Int(1));
    if (found) correct_seq = static_cast<uint64_t>(select.Int(2));
    RETURN_IF_ERROR(select.Run());
  }
  const EncodedArticle encoded = EncodeArticle(article);
  const std::optional<int64_t> update_time = MicrosOf(article.update_time);
  static constexpr char kInsert[] =
      "INSERT INTO articles(id, seq, content_seq, label_state, label_attempts, update_time, content_hash, text_hash, "
      "etag, title, head, labels, create_seq, correct_seq, change_time, embargo) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?)";
  static constexpr char kUpdate[] =
      "UPDATE articles SET id = ?, seq = ?, content_seq = ?, label_state = ?, label_attempts = ?, update_time = ?, "
      "content_hash = ?, text_hash = ?, etag = ?, title = ?, head = ?, labels = ?, create_seq = ?, correct_seq = ?, "
      "change_time = ?, embargo = ?, deleted = 0 WHERE row = ?";
  if (alive) {
    RETURN_IF_ERROR(KeepVersion(existing->stored.row, existing->text_hash == text_hash, now));
    RETURN_IF_ERROR(KeepLabels(existing->stored.row, encoded.labels, now));
  }
  ASSIGN_OR_RETURN(SqlStatement write, writer_->Prepare(existing ? kUpdate : kInsert));
  write.Bind(article.id)
      .Bind(static_cast<int64_t>(seq))
      .Bind(static_cast<int64_t>(seq))
      .Bind(static_cast<int64_t>(article.label_state))
      .Bind(static_cast<int64_t>(attempts))
      .BindOptional(update_time)
      .Bind(article.content_hash)
      .Bind(text_hash)
      .Bind(article.etag)
      .Bind(article.title)
      .BindBlob(encoded.head)
      .BindBlob(encoded.labels)
      .Bind(static_cast<int64_t>(create_seq))
      .Bind(static_cast<int64_t>(correct_seq))
      .Bind(absl::ToUnixMicros(now))
      .BindOptional(embargo);
  if (existing) write.Bind(existing->stored.row);
  RETURN_IF_ERROR(write.Run());
  const int64_t row = existing ? existing->stored.row : writer_->last_insert_rowid();
  if (existing) moves_.push_back({row, existing->stored.article.seq, seq});
  ASSIGN_OR_RETURN(SqlStatement text,
                   writer_->Prepare("INSERT OR REPLACE INTO texts(row, body, evidence) VALUES(?, ?, ?)"));
  RETURN_IF_ERROR(text.Bind(row).Bind(article.body).BindBlob(encoded.evidence).Run());
  RETURN_IF_ERROR(WriteUrls(row, article));
  if (existing || !unmapped.empty()) RETURN_IF_ERROR(WriteUnmapped(row, unmapped));
  if (likeness) RETURN_IF_ERROR(WriteLikeness(row, *likeness));

  result.duplicate_of = article.duplicate_of;
  result.outcome = alive ? IngestOutcome::kUpdated : IngestOutcome::kCreated;
  result.seq = seq;
  result.row = row;
  return result;
}

absl::StatusOr<uint64_t> ArticleStore::Delete(absl::string_view id_or_url, const DeleteOptions& options,
                                              absl::Time now) {
  std::vector<StoredArticle> named;
  if (options.purge) {
    ASSIGN_OR_RETURN(named, SelectToPurge(id_or_url));
  } else {
    ASSIGN_OR_RETURN(std::optional<Existing> existing, SelectExisting(*writer_, id_or_url));
    if (existing && !existing->stored.deleted) named.push_back(std::move(existing->stored));
  }
  if (named.empty() && !options.allow_missing) return NoSuchArticle(id_or_url);
  for (const StoredArticle& stored : named) {
    if (!options.etag.empty() && !stored.deleted && stored.article.etag != options.etag) return EtagMismatch();
  }
  if (options.purge) return Purge(id_or_url, named, now);
  if (named.empty()) return uint64_t{0};
  const StoredArticle& stored = named.front();
  // The URL of what nobody was to see stays unseen.
  const bool told = !EmbargoOf(stored.article, now);
  RETURN_IF_ERROR(KeepVersion(stored.row, /*same_text=*/false, now));
  RETURN_IF_ERROR(KeepLabels(stored.row, /*new_labels=*/"", now));
  return WriteTombstone(stored, told ? stored.article.url : std::string(), now);
}

absl::StatusOr<std::vector<StoredArticle>> ArticleStore::SelectToPurge(absl::string_view id_or_url) {
  // Tombstones too: a takedown may name what was deleted before.
  std::vector<StoredArticle> named;
  ASSIGN_OR_RETURN(std::optional<Existing> by_id, SelectOne(*writer_, kSelectById, id_or_url));
  const int64_t row_by_id = by_id ? by_id->stored.row : 0;
  if (by_id) named.push_back(std::move(by_id->stored));
  ASSIGN_OR_RETURN(SqlStatement by_url, writer_->Prepare(kSelectAllByUrl));
  by_url.Bind(KeyOfUrl(id_or_url));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, by_url.Step());
    if (!found) return named;
    StoredArticle stored;
    ReadHead(by_url, stored);
    if (stored.row != row_by_id) named.push_back(std::move(stored));
  }
}

absl::StatusOr<uint64_t> ArticleStore::Purge(absl::string_view id_or_url, const std::vector<StoredArticle>& named,
                                             absl::Time now) {
  erase_log_ = true;
  RETURN_IF_ERROR(RememberPurged(IdKey(id_or_url), now));
  std::set<std::string> refused;
  if (std::string key = KeyOfUrl(id_or_url); !key.empty()) refused.insert(std::move(key));
  uint64_t last_seq = 0;
  for (const StoredArticle& stored : named) {
    RETURN_IF_ERROR(RememberPurged(IdKey(stored.article.id), now));
    ASSIGN_OR_RETURN(SqlStatement urls, writer_->Prepare("SELECT key FROM urls WHERE row = ?"));
    urls.Bind(stored.row);
    while (true) {
      ASSIGN_OR_RETURN(const bool found, urls.Step());
      if (!found) break;
      refused.insert(urls.Text(0));
    }
    RETURN_IF_ERROR(ForgetHistory(stored.row));
    if (stored.deleted) continue;
    ASSIGN_OR_RETURN(last_seq, WriteTombstone(stored, /*url=*/"", now));
  }
  for (const std::string& key : refused) RETURN_IF_ERROR(RememberPurged(key, now));
  ASSIGN_OR_RETURN(const uint64_t erased_seq, EraseUrls(refused, now));
  return std::max(last_seq, erased_seq);
}

absl::StatusOr<uint64_t> ArticleStore::EraseUrls(const std::set<std::string>& refused, absl::Time now) {
  uint64_t last_seq = 0;
  // What is stored under a refused URL goes too. What merely names one among others is another article, by its id and
  // its own URL: many pages may name the front page of their site so by mistake, and a purge can't be undone.
  std::vector<StoredArticle> stored_there;
  std::set<int64_t> naming;
  for (const std::string& key : refused) {
    ASSIGN_OR_RETURN(SqlStatement others,
                     writer_->Prepare("SELECT a.row, a.id, a.seq, u.own FROM urls u JOIN articles a ON a.row = u.row "
                                      "WHERE u.key = ? AND a.deleted = 0"));
    others.Bind(key);
    while (true) {
      ASSIGN_OR_RETURN(const bool found, others.Step());
      if (!found) break;
      if (others.Int(3) == 0) {
        naming.insert(others.Int(0));
        continue;
      }
      StoredArticle& stored = stored_there.emplace_back();
      stored.row = others.Int(0);
      stored.article.id = others.Text(1);
      stored.article.seq = static_cast<uint64_t>(others.Int(2));
    }
  }
  for (const StoredArticle& stored : stored_there) {
    naming.erase(stored.row);
    RETURN_IF_ERROR(RememberPurged(IdKey(stored.article.id), now));
    RETURN_IF_ERROR(ForgetHistory(stored.row));
    ASSIGN_OR_RETURN(last_seq, WriteTombstone(stored, /*url=*/"", now));
  }
  for (const int64_t row : naming) {
    ASSIGN_OR_RETURN(const uint64_t seq, PartFromUrls(row, refused, now));
    last_seq = std::max(last_seq, seq);
  }
  // `purged` has them now. Of what was deleted before nothing but the id stays either.
  for (const std::string& key : refused) {
    ASSIGN_OR_RETURN(SqlStatement forget,
                     writer_->Prepare("UPDATE articles SET head = x'' WHERE deleted = 1 AND row IN (SELECT row FROM "
                                      "urls WHERE key = ?)"));
    RETURN_IF_ERROR(forget.Bind(key).Run());
    // What was at the URL, or named it, in an earlier version.
    ASSIGN_OR_RETURN(SqlStatement versions, writer_->Prepare("DELETE FROM versions WHERE INSTR(keys, ?) > 0"));
    RETURN_IF_ERROR(versions.Bind(key).Run());
    ASSIGN_OR_RETURN(SqlStatement remove, writer_->Prepare("DELETE FROM urls WHERE key = ?"));
    RETURN_IF_ERROR(remove.Bind(key).Run());
  }
  return last_seq;
}

absl::StatusOr<int64_t> ArticleStore::EraseIds(const std::set<std::string>& keys, absl::Time now) {
  std::vector<StoredArticle> named;
  {
    ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT row, id, seq, deleted FROM articles"));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, select.Step());
      if (!found) break;
      if (!keys.contains(IdKey(select.Text(1)))) continue;
      StoredArticle& stored = named.emplace_back();
      stored.row = select.Int(0);
      stored.article.id = select.Text(1);
      stored.article.seq = static_cast<uint64_t>(select.Int(2));
      stored.deleted = select.Int(3) != 0;
    }
  }
  int64_t count = 0;
  for (const StoredArticle& stored : named) {
    RETURN_IF_ERROR(ForgetHistory(stored.row));
    if (stored.deleted) continue;
    RETURN_IF_ERROR(WriteTombstone(stored, /*url=*/"", now).status());
    ++count;
  }
  return count;
}

absl::StatusOr<int64_t> ArticleStore::BecomeAnother(const std::vector<Refusal>& refusals, absl::Time now) {
  RETURN_IF_ERROR(Begin());
  const auto change = [&]() -> absl::StatusOr<int64_t> {
    erase_log_ = true;
    std::set<std::string> keys;
    for (const Refusal& refusal : refusals) {
      keys.insert(refusal.key);
      RETURN_IF_ERROR(RememberPurged(refusal.key, refusal.time));
    }
    ASSIGN_OR_RETURN(SqlStatement before, writer_->Prepare("SELECT COUNT(*) FROM articles WHERE deleted = 0"));
    ASSIGN_OR_RETURN(bool counted, before.Step());
    int64_t count = counted ? before.Int(0) : 0;
    RETURN_IF_ERROR(before.Run());
    RETURN_IF_ERROR(EraseIds(keys, now).status());
    RETURN_IF_ERROR(EraseUrls(keys, now).status());
    ASSIGN_OR_RETURN(counted, before.Step());
    count -= counted ? before.Int(0) : 0;
    RETURN_IF_ERROR(before.Run());
    log_uuid_ = NewUuid();
    ASSIGN_OR_RETURN(SqlStatement name, writer_->Prepare("UPDATE meta SET value = ? WHERE key = 'log_uuid'"));
    RETURN_IF_ERROR(name.Bind(log_uuid_).Run());
    return count;
  };
  absl::StatusOr<int64_t> erased = change();
  if (!erased.ok()) {
    Rollback();
    return erased;
  }
  RETURN_IF_ERROR(Commit());
  if (erase_log_) return absl::UnavailableError(absl::StrCat(path_, " is being read by somebody; try again"));
  return erased;
}

absl::StatusOr<uint64_t> ArticleStore::PartFromUrls(int64_t row, const std::set<std::string>& keys, absl::Time now) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare(kSelectByRow));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  if (!found) return uint64_t{0};
  StoredArticle stored;
  ReadHead(select, stored);
  RETURN_IF_ERROR(select.Run());
  if (stored.damaged) return uint64_t{0};  // It can't be written again, nor is it shown.
  std::erase_if(stored.article.alternate_urls, [&](const std::string& url) { return keys.contains(KeyOfUrl(url)); });
  return RewriteHead(stored, /*new_content=*/true, now);
}

absl::StatusOr<uint64_t> ArticleStore::RewriteHead(const StoredArticle& stored, bool new_content, absl::Time now) {
  // Etag and hash stay: the caller has said nothing new.
  const uint64_t seq = next_seq_++;
  ASSIGN_OR_RETURN(SqlStatement update,
                   writer_->Prepare("UPDATE articles SET seq = ?1, content_seq = CASE WHEN ?2 THEN ?1 ELSE content_seq "
                                    "END, head = ?3, change_time = ?4 WHERE row = ?5"));
  RETURN_IF_ERROR(update.Bind(static_cast<int64_t>(seq))
                      .Bind(int64_t{new_content})
                      .BindBlob(EncodeArticle(stored.article).head)
                      .Bind(absl::ToUnixMicros(now))
                      .Bind(stored.row)
                      .Run());
  moves_.push_back({stored.row, stored.article.seq, seq});
  return seq;
}

absl::StatusOr<uint64_t> ArticleStore::WriteTombstone(const StoredArticle& stored, const std::string& url,
                                                      absl::Time now) {
  const int64_t row = stored.row;
  RETURN_IF_ERROR(LeaveGroup(row, now));
  const uint64_t seq = next_seq_++;
  std::string head;
  if (!url.empty()) {
    Article left;
    left.url = url;
    head = EncodeArticle(left).head;
  }
  ASSIGN_OR_RETURN(SqlStatement tombstone,
                   writer_->Prepare("UPDATE articles SET deleted = 1, seq = ?1, content_seq = ?1, label_state = 2, "
                                    "update_time = NULL, content_hash = '', text_hash = '', etag = '', title = '', "
                                    "head = ?2, labels = x'', correct_seq = 0, change_time = ?3, embargo = NULL WHERE "
                                    "row = ?4"));
  RETURN_IF_ERROR(
      tombstone.Bind(static_cast<int64_t>(seq)).BindBlob(head).Bind(absl::ToUnixMicros(now)).Bind(row).Run());
  moves_.push_back({row, stored.article.seq, seq});
  for (const char* sql : {"DELETE FROM texts WHERE row = ?", "DELETE FROM unmapped WHERE row = ?"}) {
    ASSIGN_OR_RETURN(SqlStatement remove, writer_->Prepare(sql));
    RETURN_IF_ERROR(remove.Bind(row).Run());
  }
  // A tombstone keeps the hashes of its URLs: a purge may still come, and refuses them too.
  return seq;
}

absl::StatusOr<bool> ArticleStore::SetLabeling(int64_t row, uint64_t content_seq, const Labeling& labeling,
                                               const Taxonomy& taxonomy) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare(kSelectByRow));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  if (!found) return false;
  StoredArticle stored;
  ReadHead(select, stored);
  RETURN_IF_ERROR(select.Run());
  Article& article = stored.article;
  if (stored.deleted || article.content_seq != content_seq) return false;
  RETURN_IF_ERROR(ReadTexts(*writer_, Parts::kEvidence, stored));
  if (stored.damaged) {
    RETURN_IF_ERROR(CountLabelFailure(row, content_seq, /*max_attempts=*/1));
    return false;
  }

  const Article before = article;
  std::erase_if(article.labels, [](const Label& label) { return label.source == LabelSource::kClassifier; });
  article.labels.insert(article.labels.end(), labeling.labels.begin(), labeling.labels.end());
  article.country_outcome = labeling.country_outcome;
  article.issue_outcome = labeling.issue_outcome;
  article.label_state = LabelState::kDone;
  if (article.language_code.empty() || article.language_detected) {
    article.language_code = labeling.language_code;
    article.language_detected = !labeling.language_code.empty();
  }
  FollowReplacements(taxonomy, article.labels);
  std::vector<SourceLabel> unmapped;
  MapSourceLabels(taxonomy, absl::Now(), article, unmapped);

  const EncodedArticle encoded = EncodeArticle(article);
  const bool same = before.label_state == LabelState::kDone && SameLabels(before.labels, article.labels) &&
                    before.country_outcome == article.country_outcome &&
                    before.issue_outcome == article.issue_outcome && before.language_code == article.language_code;
  if (same) {
    ASSIGN_OR_RETURN(SqlStatement update,
                     writer_->Prepare("UPDATE articles SET labels = ?, labelled_by = ? WHERE row = ?"));
    RETURN_IF_ERROR(update.BindBlob(encoded.labels).Bind(labeling.version).Bind(row).Run());
  } else {
    const uint64_t seq = next_seq_++;
    RETURN_IF_ERROR(KeepLabels(row, encoded.labels, absl::Now()));
    ASSIGN_OR_RETURN(SqlStatement update,
                     writer_->Prepare("UPDATE articles SET seq = ?, label_state = ?, label_attempts = 0, head = ?, "
                                      "labels = ?, change_time = ?, labelled_by = ? WHERE row = ?"));
    RETURN_IF_ERROR(update.Bind(static_cast<int64_t>(seq))
                        .Bind(static_cast<int64_t>(article.label_state))
                        .BindBlob(encoded.head)
                        .BindBlob(encoded.labels)
                        .Bind(absl::ToUnixMicros(absl::Now()))
                        .Bind(labeling.version)
                        .Bind(row)
                        .Run());
    moves_.push_back({row, article.seq, seq});
  }
  ASSIGN_OR_RETURN(SqlStatement text, writer_->Prepare("UPDATE texts SET evidence = ? WHERE row = ?"));
  RETURN_IF_ERROR(text.BindBlob(encoded.evidence).Bind(row).Run());
  if (!article.source_labels.empty()) RETURN_IF_ERROR(WriteUnmapped(row, unmapped));
  return true;
}

absl::StatusOr<StoredArticle> ArticleStore::CorrectLabels(absl::string_view id_or_url,
                                                          const LabelCorrection& correction, const Taxonomy& taxonomy,
                                                          absl::Time now) {
  ASSIGN_OR_RETURN(std::optional<Existing> existing, SelectExisting(*writer_, id_or_url));
  if (!existing || existing->stored.deleted) return NoSuchArticle(id_or_url);
  StoredArticle& stored = existing->stored;
  Article& article = stored.article;
  if (!correction.etag.empty() && article.etag != correction.etag) return EtagMismatch();
  RETURN_IF_ERROR(ReadTexts(*writer_, Parts::kEvidence, stored));
  if (stored.damaged) return DamagedArticle(article.id);
  if (!ApplyCorrection(correction, taxonomy, now, article)) return std::move(stored);

  const uint64_t seq = next_seq_++;
  moves_.push_back({stored.row, article.seq, seq});
  article.seq = seq;
  article.etag = EtagOf(article);
  const EncodedArticle encoded = EncodeArticle(article);
  RETURN_IF_ERROR(KeepLabels(stored.row, encoded.labels, now));
  ASSIGN_OR_RETURN(SqlStatement update,
                   writer_->Prepare("UPDATE articles SET seq = ?1, correct_seq = ?1, labels = ?2, etag = ?3, "
                                    "change_time = ?4 WHERE row = ?5"));
  RETURN_IF_ERROR(update.Bind(static_cast<int64_t>(seq))
                      .BindBlob(encoded.labels)
                      .Bind(article.etag)
                      .Bind(absl::ToUnixMicros(now))
                      .Bind(stored.row)
                      .Run());
  ASSIGN_OR_RETURN(SqlStatement text, writer_->Prepare("UPDATE texts SET evidence = ? WHERE row = ?"));
  RETURN_IF_ERROR(text.BindBlob(encoded.evidence).Bind(stored.row).Run());
  return std::move(stored);
}

absl::Status ArticleStore::CountLabelFailure(int64_t row, uint64_t content_seq, int max_attempts) {
  ASSIGN_OR_RETURN(SqlStatement select, writer_->Prepare("SELECT seq FROM articles WHERE row = ?"));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  if (!found) return absl::OkStatus();
  const auto seq = static_cast<uint64_t>(select.Int(0));
  RETURN_IF_ERROR(select.Run());
  // kFailed is a change that readers of the log must see; a mere attempt is not.
  ASSIGN_OR_RETURN(SqlStatement fail,
                   writer_->Prepare("UPDATE articles SET label_state = 3, seq = ?, change_time = ?, label_attempts = "
                                    "label_attempts + 1 WHERE row = ? AND content_seq = ? AND label_state = 1 AND "
                                    "deleted = 0 AND label_attempts + 1 >= ?"));
  RETURN_IF_ERROR(fail.Bind(static_cast<int64_t>(next_seq_))
                      .Bind(absl::ToUnixMicros(absl::Now()))
                      .Bind(row)
                      .Bind(static_cast<int64_t>(content_seq))
                      .Bind(static_cast<int64_t>(max_attempts))
                      .Run());
  if (writer_->changes() > 0) {
    moves_.push_back({row, seq, next_seq_++});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(SqlStatement count,
                   writer_->Prepare("UPDATE articles SET label_attempts = label_attempts + 1 WHERE row = ? AND "
                                    "content_seq = ? AND label_state = 1 AND deleted = 0"));
  return count.Bind(row).Bind(static_cast<int64_t>(content_seq)).Run();
}

absl::Status ArticleStore::RetryFailedIfNew(absl::string_view what, absl::string_view version) {
  ASSIGN_OR_RETURN(SqlStatement remember,
                   writer_->Prepare("INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value "
                                    "= ?2 WHERE value <> ?2"));
  RETURN_IF_ERROR(remember.Bind(absl::StrCat("labels_", what)).Bind(version).Run());
  if (writer_->changes() == 0) return absl::OkStatus();
  // No change that readers of the log must see: the state is the store's alone.
  ASSIGN_OR_RETURN(SqlStatement retry,
                   writer_->Prepare("UPDATE articles SET label_state = 1, label_attempts = 0 WHERE label_state = 3 AND "
                                    "deleted = 0"));
  return retry.Run();
}

absl::Status ArticleStore::SetTaxonomy(const Taxonomy& taxonomy) {
  ASSIGN_OR_RETURN(SqlStatement statement,
                   writer_->Prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('taxonomy', ?)"));
  return statement.BindBlob(taxonomy.Serialize()).Run();
}

absl::StatusOr<int64_t> ArticleStore::FollowTaxonomy(int64_t after_row, size_t max_articles, const Taxonomy& taxonomy,
                                                     absl::Time now) {
  ASSIGN_OR_RETURN(std::vector<StoredArticle> batch, SelectHeads(*writer_, after_row, max_articles));
  for (StoredArticle& stored : batch) {
    if (stored.damaged) continue;
    Article& article = stored.article;
    const bool retired = std::any_of(article.labels.begin(), article.labels.end(),
                                     [&](const Label& label) { return IsRetired(taxonomy, label); });
    if (!retired && article.source_labels.empty()) continue;
    RETURN_IF_ERROR(ReadTexts(*writer_, Parts::kEvidence, stored));
    if (stored.damaged) continue;
    const std::vector<Label> before = article.labels;
    FollowReplacements(taxonomy, article.labels);
    std::vector<SourceLabel> unmapped;
    MapSourceLabels(taxonomy, now, article, unmapped);
    if (!article.source_labels.empty()) RETURN_IF_ERROR(WriteUnmapped(stored.row, unmapped));
    if (SameTargets(before, article.labels)) continue;
    const EncodedArticle encoded = EncodeArticle(article);
    // The etag stays: neither the caller nor an editor has said anything new.
    const uint64_t seq = next_seq_++;
    moves_.push_back({stored.row, article.seq, seq});
    RETURN_IF_ERROR(KeepLabels(stored.row, encoded.labels, now));
    ASSIGN_OR_RETURN(SqlStatement update,
                     writer_->Prepare("UPDATE articles SET seq = ?, labels = ?, change_time = ? WHERE row = ?"));
    RETURN_IF_ERROR(update.Bind(static_cast<int64_t>(seq))
                        .BindBlob(encoded.labels)
                        .Bind(absl::ToUnixMicros(now))
                        .Bind(stored.row)
                        .Run());
    ASSIGN_OR_RETURN(SqlStatement text, writer_->Prepare("UPDATE texts SET evidence = ? WHERE row = ?"));
    RETURN_IF_ERROR(text.BindBlob(encoded.evidence).Bind(stored.row).Run());
  }
  return batch.size() < max_articles ? int64_t{0} : batch.back().row;
}

absl::Status ArticleStore::SetFollowed(absl::string_view etag) {
  ASSIGN_OR_RETURN(SqlStatement statement,
                   writer_->Prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('labels_follow', ?)"));
  return statement.BindBlob(etag).Run();
}

absl::Status ArticleStore::SetRelabelled(absl::string_view version) {
  ASSIGN_OR_RETURN(SqlStatement statement,
                   writer_->Prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('labels_version', ?)"));
  return statement.BindBlob(version).Run();
}

absl::StatusOr<ArticleStore::ReadLease> ArticleStore::Lease() const {
  std::unique_ptr<SqlConnection> connection;
  {
    const common::MutexLock lock(mutex_);
    if (!idle_readers_.empty()) {
      connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (connection == nullptr) {
    ASSIGN_OR_RETURN(connection, SqlConnection::Open(path_, /*read_only=*/true));
  }
  RETURN_IF_ERROR(connection->Execute("BEGIN"));
  return ReadLease(this, std::move(connection));
}

absl::StatusOr<std::optional<StoredArticle>> ArticleStore::Find(absl::string_view id_or_url, Parts parts) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(std::optional<Existing> existing, SelectExisting(*reader, id_or_url));
  if (!existing || existing->stored.deleted) return std::nullopt;
  RETURN_IF_ERROR(ReadTexts(*reader, parts, existing->stored));
  if (existing->stored.damaged) return DamagedArticle(existing->stored.article.id);
  return std::move(existing->stored);
}

absl::StatusOr<std::vector<std::optional<StoredArticle>>> ArticleStore::GetRows(const std::vector<int64_t>& rows,
                                                                                Parts parts) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  std::vector<std::optional<StoredArticle>> result;
  result.reserve(rows.size());
  for (const int64_t row : rows) {
    ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSelectByRow));
    ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
    result.emplace_back();
    if (!found) continue;
    StoredArticle stored;
    ReadHead(select, stored);
    RETURN_IF_ERROR(select.Run());
    if (stored.deleted) continue;
    RETURN_IF_ERROR(ReadTexts(*reader, parts, stored));
    if (stored.damaged) continue;
    result.back() = std::move(stored);
  }
  return result;
}

absl::StatusOr<ArticleStore::Changes> ArticleStore::ReadChanges(uint64_t after_seq, size_t max_articles,
                                                                size_t max_bytes) const {
  static const std::string* const kSql = new std::string(absl::StrCat(
      "SELECT ", kHeadColumns,
      ", t.body FROM articles a LEFT JOIN texts t ON t.row = a.row WHERE a.seq > ? ORDER BY a.seq LIMIT ?"));
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  Changes changes;
  {
    ASSIGN_OR_RETURN(SqlStatement state,
                     reader->Prepare("SELECT (SELECT COALESCE(MAX(seq), 0) FROM articles), (SELECT MIN(content_seq) "
                                     "FROM articles WHERE label_state = 1 AND deleted = 0)"));
    ASSIGN_OR_RETURN(const bool found, state.Step());
    if (found) {
      changes.last_seq = static_cast<uint64_t>(state.Int(0));
      const std::optional<int64_t> pending = state.OptionalInt(1);
      changes.labelled_through = pending ? static_cast<uint64_t>(*pending) - 1 : changes.last_seq;
    }
    RETURN_IF_ERROR(state.Run());
  }
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSql->c_str()));
  select.Bind(static_cast<int64_t>(after_seq)).Bind(static_cast<int64_t>(max_articles) + 1);
  size_t bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) break;
    if (changes.articles.size() >= max_articles || (bytes >= max_bytes && !changes.articles.empty())) {
      changes.complete = false;
      break;
    }
    StoredArticle& stored = changes.articles.emplace_back();
    ReadHead(select, stored);
    if (!stored.deleted) stored.article.body = select.Text(12);
    bytes += stored.article.body.size() + stored.article.title.size();
  }
  return changes;
}

absl::StatusOr<ArticleStore::LogPage> ArticleStore::ReadLog(uint64_t after_seq, size_t max_entries) const {
  static const std::string* const kSql = new std::string(absl::StrCat(
      "SELECT ", kHeadColumns,
      ", a.create_seq, a.correct_seq, a.change_time FROM articles a WHERE a.seq > ? AND a.seq <= ? ORDER BY a.seq "
      "LIMIT ?"));
  // A reader sees a transaction a moment before last_seq() does, by which tokens are judged.
  const uint64_t known = last_seq();
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  LogPage page;
  {
    ASSIGN_OR_RETURN(SqlStatement state, reader->Prepare("SELECT COALESCE(MAX(seq), 0) FROM articles"));
    ASSIGN_OR_RETURN(const bool found, state.Step());
    if (found) page.last_seq = std::min(static_cast<uint64_t>(state.Int(0)), known);
    RETURN_IF_ERROR(state.Run());
  }
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSql->c_str()));
  select.Bind(static_cast<int64_t>(after_seq))
      .Bind(static_cast<int64_t>(known))
      .Bind(static_cast<int64_t>(max_entries) + 1);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return page;
    if (page.entries.size() == max_entries) {
      page.complete = false;
      return page;
    }
    LogEntry& entry = page.entries.emplace_back();
    ReadHead(select, entry.stored);
    entry.create_seq = static_cast<uint64_t>(select.Int(12));
    entry.correct_seq = static_cast<uint64_t>(select.Int(13));
    if (const std::optional<int64_t> time = select.OptionalInt(14)) entry.change_time = absl::FromUnixMicros(*time);
  }
}

absl::StatusOr<std::vector<ArticleStore::ReplacedVersion>> ArticleStore::ReadVersions(int64_t row) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select,
                   reader->Prepare("SELECT v.seq, v.time, v.title, v.head, v.body, v.body IS NULL, "
                                   "a.id FROM versions v JOIN articles a ON a.row = v.row WHERE "
                                   "v.row = ? ORDER BY v.rowid"));
  select.Bind(row);
  std::vector<ReplacedVersion> versions;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return versions;
    ReplacedVersion version;
    version.content_seq = static_cast<uint64_t>(select.Int(0));
    version.replaced_time = absl::FromUnixMicros(select.Int(1));
    version.article.title = select.Text(2);
    version.same_text = select.Int(5) != 0;
    if (!version.same_text) version.article.body = select.Text(4);
    version.article.id = select.Text(6);
    // One that can't be read is left out.
    if (DecodeHead(select.Blob(3), version.article).ok()) versions.push_back(std::move(version));
  }
}

absl::StatusOr<std::vector<ArticleStore::ReplacedLabels>> ArticleStore::ReadLabelHistory(int64_t row) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select,
                   reader->Prepare("SELECT seq, time, labels FROM label_history WHERE row = ? ORDER BY rowid"));
  select.Bind(row);
  std::vector<ReplacedLabels> history;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return history;
    Article article;
    if (!DecodeLabels(select.Blob(2), article).ok()) continue;
    history.push_back({static_cast<uint64_t>(select.Int(0)), absl::FromUnixMicros(select.Int(1)),
                       std::move(article.labels), article.replaced_dimensions});
  }
}

absl::StatusOr<uint64_t> ArticleStore::LabelledThrough() const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(
      SqlStatement state,
      reader->Prepare("SELECT COALESCE((SELECT MIN(content_seq) - 1 FROM articles WHERE label_state = 1 AND "
                      "deleted = 0), (SELECT MAX(seq) FROM articles), 0)"));
  ASSIGN_OR_RETURN(const bool found, state.Step());
  return found ? static_cast<uint64_t>(state.Int(0)) : 0;
}

absl::StatusOr<std::vector<StoredArticle>> ArticleStore::ReadPending(uint64_t after_content_seq, size_t max_articles,
                                                                     size_t max_bytes) const {
  static const std::string* const kSql = new std::string(absl::StrCat(
      "SELECT ", kHeadColumns,
      ", t.body FROM articles a LEFT JOIN texts t ON t.row = a.row WHERE a.label_state = 1 AND a.deleted = 0 AND "
      "a.content_seq > ? ORDER BY a.content_seq LIMIT ?"));
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSql->c_str()));
  select.Bind(static_cast<int64_t>(after_content_seq)).Bind(static_cast<int64_t>(max_articles));
  std::vector<StoredArticle> result;
  size_t bytes = 0;
  while (result.empty() || bytes < max_bytes) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) break;
    StoredArticle stored;
    ReadHead(select, stored);
    stored.article.body = select.Text(12);
    bytes += stored.article.body.size() + stored.article.title.size();
    if (!result.empty() && bytes > max_bytes) break;
    result.push_back(std::move(stored));
  }
  return result;
}

absl::StatusOr<std::vector<StoredArticle>> ArticleStore::ReadLabelled(int64_t after_row, absl::string_view but_of,
                                                                      size_t max_articles, size_t max_bytes) const {
  static const std::string* const kSql = new std::string(absl::StrCat(
      "SELECT ", kHeadColumns,
      ", t.body FROM articles a LEFT JOIN texts t ON t.row = a.row WHERE a.row > ?1 AND a.label_state = 2 AND "
      "a.deleted = 0 AND (?2 = '' OR a.labelled_by <> ?2) ORDER BY a.row LIMIT ?3"));
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSql->c_str()));
  select.Bind(after_row).Bind(but_of).Bind(static_cast<int64_t>(max_articles));
  std::vector<StoredArticle> result;
  size_t bytes = 0;
  while (result.empty() || bytes < max_bytes) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) break;
    StoredArticle& stored = result.emplace_back();
    ReadHead(select, stored);
    stored.article.body = select.Text(12);
    bytes += stored.article.body.size() + stored.article.title.size();
  }
  return result;
}

absl::StatusOr<std::vector<StoredArticle>> ArticleStore::ReadHeads(int64_t after_row, size_t max_articles) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  return SelectHeads(*reader, after_row, max_articles);
}

absl::StatusOr<bool> ArticleStore::IsAsWritten(int64_t row) const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare(kSelectByRow));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  if (!found) return true;
  StoredArticle stored;
  ReadHead(select, stored);
  const std::string text_hash = select.Text(12);
  RETURN_IF_ERROR(select.Run());
  RETURN_IF_ERROR(ReadTexts(*reader, Parts::kBody, stored));
  return stored.deleted || stored.damaged || TextHash(stored.article) == text_hash;
}

absl::StatusOr<std::string> ArticleStore::ReadFollowed() const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement statement, reader->Prepare("SELECT value FROM meta WHERE key = 'labels_follow'"));
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  return found ? statement.Blob(0) : std::string();
}

absl::StatusOr<std::vector<ArticleStore::Refusal>> ArticleStore::ReadRefusals() const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement select, reader->Prepare("SELECT key, time FROM purged ORDER BY time, key"));
  std::vector<Refusal> refusals;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return refusals;
    refusals.push_back({select.Text(0), absl::FromUnixMicros(select.Int(1))});
  }
}

absl::StatusOr<std::string> ArticleStore::ReadRelabelled() const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement statement, reader->Prepare("SELECT value FROM meta WHERE key = 'labels_version'"));
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  return found ? statement.Blob(0) : std::string();
}

absl::StatusOr<Taxonomy> ArticleStore::ReadTaxonomy() const {
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  ASSIGN_OR_RETURN(SqlStatement statement, reader->Prepare("SELECT value FROM meta WHERE key = 'taxonomy'"));
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return Taxonomy();
  return Taxonomy::Parse(statement.Blob(0));
}

absl::Status ArticleStore::FillInfo(IndexInfo& info) const {
  constexpr size_t kListedUnmapped = 100;
  ASSIGN_OR_RETURN(const ReadLease reader, Lease());
  {
    ASSIGN_OR_RETURN(SqlStatement counts,
                     reader->Prepare("SELECT (SELECT COUNT(*) FROM articles), "
                                     "(SELECT COUNT(*) FROM articles WHERE deleted = 1), "
                                     "(SELECT COUNT(*) FROM articles WHERE label_state = 1 AND deleted = 0), "
                                     "(SELECT COUNT(*) FROM articles WHERE label_state = 3 AND deleted = 0), "
                                     "(SELECT COUNT(*) FROM (SELECT DISTINCT kind, name FROM unmapped)), "
                                     "(SELECT COUNT(*) FROM purged), "
                                     "(SELECT COUNT(*) FROM sketches WHERE head IS NOT NULL)"));
    ASSIGN_OR_RETURN(const bool found, counts.Step());
    if (found) {
      info.deleted_count = counts.Int(1);
      info.article_count = counts.Int(0) - info.deleted_count;
      info.pending_count = counts.Int(2);
      info.failed_count = counts.Int(3);
      info.unmapped_label_count = counts.Int(4);
      info.purged_count = counts.Int(5);
      info.duplicate_count = counts.Int(6);
    }
  }
  ASSIGN_OR_RETURN(SqlStatement names, reader->Prepare("SELECT kind, name, COUNT(*) FROM unmapped GROUP BY kind, name "
                                                       "ORDER BY 3 DESC, kind, name LIMIT ?"));
  names.Bind(static_cast<int64_t>(kListedUnmapped));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, names.Step());
    if (!found) break;
    info.unmapped_labels.push_back({names.Text(0), names.Text(1), names.Int(2)});
  }
  info.log_uuid = log_uuid_;
  info.store_version = kStoreVersion;
  info.store_bytes = FileBytes(path_) + FileBytes(path_ + "-wal");
  return absl::OkStatus();
}

}  // namespace dateline::search
