#ifndef USHER_SERVICE_STORE_SQLITE_ERROR_H_
#define USHER_SERVICE_STORE_SQLITE_ERROR_H_

// SQLite result codes as usher errors.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct sqlite3;

namespace usher::store {

// The status for `code`, a primary or extended result code that is not one of
// SQLITE_OK, SQLITE_ROW and SQLITE_DONE. `database` adds its message and may
// be null; `what` says what was being done.
absl::Status SqliteError(sqlite3* database, int code, absl::string_view what);

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_SQLITE_ERROR_H_
