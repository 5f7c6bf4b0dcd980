#include "search_service/sqlite.h"

#include <sqlite3.h>

#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"

namespace dateline::search {
namespace {

constexpr int kBusyTimeoutMs = 5'000;
// Of SQLite's virtual machine: a few milliseconds.
constexpr int kStepsBetweenQuestions = 100'000;

// Chosen by what the caller should do: wait and try again, make room, or call the operator.
absl::Status ToStatus(sqlite3* connection, int code, absl::string_view doing) {
  const std::string message = absl::StrCat("article store: ", doing, ": ", sqlite3_errmsg(connection));
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return common::Unavailable(message, absl::Seconds(1));
    case SQLITE_FULL:
      return common::ResourceExhausted(absl::StrCat(message, "; make room on the disk of the data folder"),
                                       absl::Seconds(5));
    case SQLITE_IOERR:
      return common::Unavailable(absl::StrCat(message, "; check the disk of the data folder"), absl::Seconds(5));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(message, "; put a backup copy of the data folder in its place"));
    case SQLITE_INTERRUPT:
      return absl::CancelledError(message);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::FailedPreconditionError(absl::StrCat(message, "; check that the data folder can be written"));
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

SqlStatement& SqlStatement::Bind(int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, next_++, value); code != SQLITE_OK) bind_error_ = code;
  return *this;
}

SqlStatement& SqlStatement::BindOptional(const std::optional<int64_t>& value) {
  if (value) return Bind(*value);
  if (const int code = sqlite3_bind_null(statement_, next_++); code != SQLITE_OK) bind_error_ = code;
  return *this;
}

SqlStatement& SqlStatement::Bind(absl::string_view text) {
  const int code = sqlite3_bind_text64(statement_, next_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

SqlStatement& SqlStatement::BindBlob(absl::string_view bytes) {
  const int code = sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

absl::StatusOr<bool> SqlStatement::Step() {
  if (bind_error_ != 0) return ToStatus(connection_, bind_error_, "binding");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  // A finished statement must not keep its read transaction open.
  absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : ToStatus(connection_, code, "executing");
  sqlite3_reset(statement_);
  if (!status.ok()) return status;
  return false;
}

absl::Status SqlStatement::Run() {
  const absl::StatusOr<bool> row = Step();
  if (row.ok() && *row) sqlite3_reset(statement_);
  return row.status();
}

int64_t SqlStatement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::optional<int64_t> SqlStatement::OptionalInt(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(statement_, column);
}

std::string SqlStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return std::string();
  return std::string(reinterpret_cast<const char*>(text), sqlite3_column_bytes(statement_, column));
}

std::string SqlStatement::Blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return std::string();
  return std::string(static_cast<const char*>(bytes), sqlite3_column_bytes(statement_, column));
}

absl::StatusOr<std::unique_ptr<SqlConnection>> SqlConnection::Open(const std::string& path, bool read_only) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (read_only ? 0 : SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = ToStatus(connection, code, absl::StrCat("opening ", path));
    sqlite3_close(connection);
    return status;
  }
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  auto result = absl::WrapUnique(new SqlConnection(connection));
  if (read_only) {
    if (absl::Status status = result->Execute("PRAGMA query_only=1"); !status.ok()) return status;
  }
  return result;
}

SqlConnection::~SqlConnection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

absl::Status SqlConnection::Execute(const char* sql, absl::string_view doing) {
  const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(connection_, code, doing);
}

absl::StatusOr<SqlStatement> SqlConnection::Prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return ToStatus(connection_, code, "preparing");
  } else {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
  return SqlStatement(connection_, statement);
}

void SqlConnection::ResetStatements() {
  for (const auto& [sql, statement] : statements_) sqlite3_reset(statement);
}

void SqlConnection::CancelWhen(std::function<bool()> cancelled) {
  cancelled_ = std::move(cancelled);
  const auto ask = [](void* connection) {
    const auto* const self = static_cast<const SqlConnection*>(connection);
    return self->cancelled_ && self->cancelled_() ? 1 : 0;
  };
  sqlite3_progress_handler(connection_, kStepsBetweenQuestions, ask, this);
}

bool SqlConnection::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }
int64_t SqlConnection::changes() const { return sqlite3_changes(connection_); }
int64_t SqlConnection::last_insert_rowid() const { return sqlite3_last_insert_rowid(connection_); }

}  // namespace dateline::search
