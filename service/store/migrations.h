#ifndef USHER_SERVICE_STORE_MIGRATIONS_H_
#define USHER_SERVICE_STORE_MIGRATIONS_H_

// The numbered schema changes, compiled in from migrations/NNNN_name.sql.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "service/store/database.h"

namespace usher::store {

struct Migration {
  int number;              // 1 and up; unique, gaps are fine
  absl::string_view name;  // "services"
  absl::string_view sql;
};

// The migrations of this build, ordered by number. Generated.
absl::Span<const Migration> BuiltInMigrations();

// Applies, in order, every migration that the database has not recorded, each
// in its own transaction. A database that records one which `migrations` does
// not know was written by a newer Usher: WU_E_DS_BADVERSION, nothing changed.
absl::Status Migrate(Database& database,
                     absl::Span<const Migration> migrations);

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_MIGRATIONS_H_
