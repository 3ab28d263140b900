#ifndef USHER_SERVICE_CATALOG_SEARCH_SQL_H_
#define USHER_SERVICE_CATALOG_SEARCH_SQL_H_

// A search as parameterised SQL: flags and numbers of the criteria are
// literals of ours, text is bound.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "service/catalog/catalog.h"
#include "service/catalog/criteria.h"

namespace usher::catalog {

struct SearchSql {
  // Gives (row, current, one_per_device): the last is 1 for a driver that
  // matches because of IsAssigned=1, of which at most one per device may stay
  // (UAMG-075).
  std::string sql;
  std::vector<std::variant<int64_t, std::string>> parameters;
};

// The statements that together find the matches, in no particular order: one
// for each and-group that names an update, which an index finds, and one for
// all others, which may read every row once. A row can come from more than
// one; it is one_per_device only if it is so in all. `service` is
// catalog_service.id.
std::vector<SearchSql> MakeSearchSql(const Criteria& criteria,
                                     const Query& query, int64_t service);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_SEARCH_SQL_H_
