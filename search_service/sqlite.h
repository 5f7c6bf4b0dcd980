// SQLite with absl::Status: a connection and its prepared statements. Not thread-safe: one connection for each thread.
#ifndef DATELINE_SEARCH_SERVICE_SQLITE_H_
#define DATELINE_SEARCH_SERVICE_SQLITE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace dateline::search {

// A prepared statement, bound left to right, then stepped. Errors of binding come out of Step.
class SqlStatement {
 public:
  SqlStatement() = default;

  SqlStatement& Bind(int64_t value);
  SqlStatement& BindOptional(const std::optional<int64_t>& value);
  SqlStatement& Bind(absl::string_view text);
  SqlStatement& BindBlob(absl::string_view bytes);

  // True: there is a row to read. False: there are no more.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();

  // Of the current row, columns from 0.
  int64_t Int(int column) const;
  std::optional<int64_t> OptionalInt(int column) const;
  std::string Text(int column) const;
  std::string Blob(int column) const;

 private:
  friend class SqlConnection;
  SqlStatement(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}

  sqlite3* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
  int bind_error_ = 0;
};

class SqlConnection {
 public:
  // Opens, or makes, the database at `path`.
  static absl::StatusOr<std::unique_ptr<SqlConnection>> Open(const std::string& path, bool read_only);
  ~SqlConnection();
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;

  // Several statements without results. Errors say `doing`, never the statements: those are for who reads the code.
  absl::Status Execute(const char* sql, absl::string_view doing = "executing");
  // The statement, reset and ready to bind. Prepared once for each `sql`, which must be a literal: it belongs to the
  // connection, and only one use of it at a time makes sense.
  absl::StatusOr<SqlStatement> Prepare(const char* sql);
  // Ends whatever is still being read.
  void ResetStatements();
  bool in_transaction() const;
  // Ends statements that run long with Cancelled, soon after `cancelled` says so; it is asked on their thread.
  void CancelWhen(std::function<bool()> cancelled);
  // Rows changed by the last statement.
  int64_t changes() const;
  int64_t last_insert_rowid() const;

 private:
  explicit SqlConnection(sqlite3* connection) : connection_(connection) {}

  sqlite3* connection_;
  std::function<bool()> cancelled_;
  absl::node_hash_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SQLITE_H_
