#include <sqlite3.h>

#include <utility>

#include "common/error.h"
#include "service/store/database.h"
#include "service/store/sqlite_error.h"

namespace usher::store {

Statement::Statement(sqlite3* database, sqlite3_stmt* statement,
                     std::function<void(sqlite3_stmt*)> give_back)
    : database_(database),
      statement_(statement),
      give_back_(std::move(give_back)) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      give_back_(std::move(other.give_back_)),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (statement_ != nullptr) give_back_(statement_);
}

Statement& Statement::Bind(int index, int64_t value) {
  const int code = sqlite3_bind_int64(statement_, index, value);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::Bind(int index, absl::string_view text) {
  // A null pointer would bind NULL.
  const int code = sqlite3_bind_text64(
      statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
      SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::BindBlob(int index, absl::string_view bytes) {
  const int code = sqlite3_bind_blob64(
      statement_, index, bytes.data() == nullptr ? "" : bytes.data(),
      bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::BindNull(int index) {
  const int code = sqlite3_bind_null(statement_, index);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    return SqliteError(nullptr, bind_error_, "bind a value");
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(database_, code, "read or write the database");
}

absl::Status Statement::Run() {
  USHER_ASSIGN_OR_RETURN(const bool row, Step());
  if (row) {
    return Error(hr::kWuEDsUnexpected, "a statement without result gave a row");
  }
  return absl::OkStatus();
}

void Statement::Reset() {
  // The return value repeats the error of the last step.
  static_cast<void>(sqlite3_reset(statement_));
  bind_error_ = SQLITE_OK;
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

absl::string_view Statement::Text(int column) const {
  const auto* text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

absl::string_view Statement::Blob(int column) const {
  const auto* bytes =
      static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Statement Connection::MakeStatement(
    sqlite3* database, sqlite3_stmt* statement,
    std::function<void(sqlite3_stmt*)> give_back) {
  return {database, statement, std::move(give_back)};
}

}  // namespace usher::store
