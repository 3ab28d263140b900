#include "service/catalog/rows.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace usher::catalog {

absl::StatusOr<store::Statement> Bound(
    store::Connection& connection, absl::string_view sql,
    std::initializer_list<Parameter> parameters) {
  absl::StatusOr<store::Statement> statement = connection.Prepare(sql);
  if (!statement.ok()) return statement;
  int index = 0;
  for (const Parameter& parameter : parameters) {
    ++index;
    if (const auto* number = std::get_if<int64_t>(&parameter)) {
      statement->Bind(index, *number);
    } else {
      statement->Bind(index, std::get<absl::string_view>(parameter));
    }
  }
  return statement;
}

absl::Status Run(store::Connection& connection, absl::string_view sql,
                 std::initializer_list<Parameter> parameters) {
  USHER_ASSIGN_OR_RETURN(store::Statement statement,
                         Bound(connection, sql, parameters));
  return statement.Run();
}

absl::StatusOr<int64_t> SelectInt(store::Connection& connection,
                                  absl::string_view sql,
                                  std::initializer_list<Parameter> parameters,
                                  int64_t otherwise) {
  USHER_ASSIGN_OR_RETURN(store::Statement statement,
                         Bound(connection, sql, parameters));
  USHER_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : otherwise;
}

absl::StatusOr<std::vector<int64_t>> SelectInts(
    store::Connection& connection, absl::string_view sql,
    std::initializer_list<Parameter> parameters) {
  USHER_ASSIGN_OR_RETURN(store::Statement statement,
                         Bound(connection, sql, parameters));
  std::vector<int64_t> values;
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return values;
    values.push_back(statement.Int(0));
  }
}

int64_t NowMicros() { return absl::ToUnixMicros(absl::Now()); }

}  // namespace usher::catalog
