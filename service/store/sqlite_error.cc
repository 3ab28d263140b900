#include "service/store/sqlite_error.h"

#include <sqlite3.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::store {

absl::Status SqliteError(sqlite3* database, int code, absl::string_view what) {
  std::string message = absl::StrCat("cannot ", what, ": ");
  // The connection's message belongs to its latest call, which need not be the
  // one that failed with `code`.
  if (database != nullptr && sqlite3_errcode(database) == (code & 0xff)) {
    absl::StrAppend(&message, sqlite3_errmsg(database));
  } else {
    absl::StrAppend(&message, sqlite3_errstr(code));
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error(hr::kErrorDiskFull,
                   absl::StrCat(message,
                                "; free space on the disk of the "
                                "state folder"),
                   "usher.db");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(
          hr::kWuEDsInvalid,
          absl::StrCat(message,
                       "; the database is damaged: stop the service, move "
                       "usher.db away and start it again (registered services "
                       "and history are then empty)"),
          "usher.db");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(hr::kWuEDsInuse,
                   absl::StrCat(message, "; another process uses the database"),
                   "usher.db");
    case SQLITE_INTERRUPT:
      return Error(hr::kWuECallCancelled, message);
    case SQLITE_NOMEM:
      return Error(hr::kEOutofmemory, message);
    case SQLITE_CONSTRAINT:
      if (code == SQLITE_CONSTRAINT_UNIQUE ||
          code == SQLITE_CONSTRAINT_PRIMARYKEY ||
          code == SQLITE_CONSTRAINT_ROWID) {
        return Error(hr::kWuEDsRowexists, message);
      }
      if (code == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return Error(hr::kWuEDsMissingref, message);
      }
      break;
    case SQLITE_IOERR:
      if (database != nullptr && sqlite3_system_errno(database) == ENOSPC) {
        return Error(hr::kErrorDiskFull, message, "usher.db");
      }
      break;
    default:
      break;
  }
  return Error(hr::kWuEDsUnexpected, message, "usher.db");
}

}  // namespace usher::store
