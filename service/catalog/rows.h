#ifndef USHER_SERVICE_CATALOG_ROWS_H_
#define USHER_SERVICE_CATALOG_ROWS_H_

// Small helpers around SQL and serialized messages.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/error.h"
#include "service/store/database.h"

namespace usher::catalog {

// A parameter of a statement.
using Parameter = std::variant<int64_t, absl::string_view>;

// Prepares `sql` and binds `parameters` in order.
absl::StatusOr<store::Statement> Bound(
    store::Connection& connection, absl::string_view sql,
    std::initializer_list<Parameter> parameters);

// Runs a statement that yields no rows.
absl::Status Run(store::Connection& connection, absl::string_view sql,
                 std::initializer_list<Parameter> parameters);

// The first column of the first row, or `otherwise` when there is none.
absl::StatusOr<int64_t> SelectInt(store::Connection& connection,
                                  absl::string_view sql,
                                  std::initializer_list<Parameter> parameters,
                                  int64_t otherwise);

// The first column of all rows.
absl::StatusOr<std::vector<int64_t>> SelectInts(
    store::Connection& connection, absl::string_view sql,
    std::initializer_list<Parameter> parameters);

// Parses what this program stored; WU_E_DS_INVALID when it is damaged.
template <typename Message>
absl::Status ParseStored(absl::string_view bytes, Message& message) {
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return Error(hr::kWuEDsInvalid, "a stored catalog row is damaged",
               "usher.db");
}

// Microseconds since the epoch, now.
int64_t NowMicros();

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_ROWS_H_
