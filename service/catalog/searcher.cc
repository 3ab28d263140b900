#include "service/catalog/searcher.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "service/catalog/circles.h"
#include "service/catalog/rows.h"
#include "service/catalog/search_sql.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

// Up to this many matches, what each one supersedes is looked up; beyond it
// all supersedence is read once.
constexpr size_t kFewMatches = 256;
// Pairs of updates, one superseding the other, that are kept in memory.
constexpr size_t kMaxPairs = 1'000'000;

struct Match {
  int64_t row;
  bool current;
  bool one_per_device;
};

struct Matches {
  std::vector<int64_t> rows;             // ascending
  std::vector<int64_t> older_revisions;  // asked for by RevisionNumber
  std::vector<int64_t> one_per_device;   // see SearchSql
};

bool Contains(const std::vector<int64_t>& rows, int64_t row) {
  return std::binary_search(rows.begin(), rows.end(), row);
}

// The place of `row` in `rows`, if it is in there.
std::optional<uint32_t> PlaceOf(const std::vector<int64_t>& rows, int64_t row) {
  const auto at = std::lower_bound(rows.begin(), rows.end(), row);
  if (at == rows.end() || *at != row) return std::nullopt;
  return static_cast<uint32_t>(at - rows.begin());
}

absl::Status Collect(Connection& connection, const SearchSql& search,
                     std::vector<Match>& matches) {
  USHER_ASSIGN_OR_RETURN(Statement select, connection.Prepare(search.sql));
  int index = 0;
  for (const auto& parameter : search.parameters) {
    ++index;
    if (const auto* number = std::get_if<int64_t>(&parameter)) {
      select.Bind(index, *number);
    } else {
      select.Bind(index, std::get<std::string>(parameter));
    }
  }
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    matches.push_back({select.Int(0), select.Int(1) != 0, select.Int(2) != 0});
  }
}

absl::StatusOr<Matches> FindMatches(Connection& connection,
                                    const Criteria& criteria,
                                    const Query& query, int64_t service) {
  std::vector<Match> found;
  for (const SearchSql& search : MakeSearchSql(criteria, query, service)) {
    USHER_RETURN_IF_ERROR(Collect(connection, search, found));
  }
  const auto before = [](const Match& a, const Match& b) {
    return a.row < b.row;
  };
  // A scan gives them in order already.
  if (!std::is_sorted(found.begin(), found.end(), before)) {
    std::sort(found.begin(), found.end(), before);
  }
  Matches matches;
  matches.rows.reserve(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    Match match = found[i];
    for (; i + 1 < found.size() && found[i + 1].row == match.row; ++i) {
      match.one_per_device &= found[i + 1].one_per_device;
    }
    matches.rows.push_back(match.row);
    if (!match.current) matches.older_revisions.push_back(match.row);
    if (match.one_per_device) matches.one_per_device.push_back(match.row);
  }
  return matches;
}

bool NamesUpdates(const Criteria& criteria) {
  return std::any_of(
      criteria.begin(), criteria.end(), [](const AndGroup& group) {
        return std::any_of(group.begin(), group.end(),
                           [](const Criterion& criterion) {
                             return criterion.property == Property::kUpdateId;
                           });
      });
}

// Takes from `dropped`, which are places in `rows`, one update of each circle
// of updates that supersede each other: the one with the smallest UpdateID, so
// that all machines agree.
absl::Status KeepOneOfCircles(Connection& connection,
                              const std::vector<int64_t>& rows, Circles circles,
                              std::vector<bool>& dropped) {
  std::vector<std::pair<std::string, uint32_t>> hidden;
  for (const uint32_t place : circles.Hidden()) {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection, "SELECT update_id FROM catalog_update WHERE id = ?",
              {rows[place]}));
    USHER_RETURN_IF_ERROR(select.Step().status());
    hidden.emplace_back(select.Text(0), place);
  }
  std::sort(hidden.begin(), hidden.end());
  std::vector<uint32_t> places;
  places.reserve(hidden.size());
  for (const auto& [id, place] : hidden) places.push_back(place);
  for (const uint32_t place : circles.Keep(places)) dropped[place] = false;
  return absl::OkStatus();
}

// Adds the matches that other matches supersede to `dropped`, and those that
// are not installed and an installed update supersedes: they would undo it.
// (Who asks for an update by its id wants that one; `offer` is false then.)
// With download priority in play, an update does not give way to one of lower
// priority.
absl::Status DropSuperseded(Connection& connection, const Matches& matches,
                            bool ignore_priority, bool offer,
                            absl::flat_hash_set<int64_t>& dropped) {
  std::vector<SupersedencePair> pairs;
  std::vector<uint32_t> gone;
  std::vector<bool> superseded(matches.rows.size());
  const auto collect = [&](Statement& select) -> absl::Status {
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return absl::OkStatus();
      const bool undone = offer && select.Int(4) != 0 && select.Int(5) == 0;
      if (!ignore_priority && !undone && select.Int(2) < select.Int(3)) {
        continue;
      }
      const std::optional<uint32_t> old = PlaceOf(matches.rows, select.Int(1));
      if (!old.has_value()) continue;
      const std::optional<uint32_t> by = PlaceOf(matches.rows, select.Int(0));
      if (!by.has_value() && !undone) continue;
      superseded[*old] = true;
      if (!by.has_value()) {
        gone.push_back(*old);
      } else if (pairs.size() < kMaxPairs) {
        pairs.push_back({*by, *old});
      }
    }
  };
  const auto finish = [&]() -> absl::Status {
    // Beyond that circles are not looked for.
    if (pairs.size() < kMaxPairs) {
      USHER_RETURN_IF_ERROR(KeepOneOfCircles(
          connection, matches.rows,
          Circles(std::move(pairs), matches.rows.size(), gone), superseded));
    }
    for (size_t i = 0; i < matches.rows.size(); ++i) {
      if (superseded[i]) dropped.insert(matches.rows[i]);
    }
    return absl::OkStatus();
  };
  constexpr absl::string_view kPairs =
      "SELECT s.row, old.id, new.priority, old.priority, new.is_installed, "
      "old.is_installed FROM "
      "catalog_supersedes s CROSS JOIN catalog_update new ON new.id = s.row "
      "CROSS JOIN catalog_update old ON old.update_id = s.superseded AND "
      "old.service = new.service AND old.retired = 0 "
      "CROSS JOIN catalog_file mine ON mine.id = new.file "
      "CROSS JOIN catalog_file theirs ON theirs.id = old.file WHERE "
      "(mine.role = '' OR mine.role = theirs.role) AND ";
  if (matches.rows.size() > kFewMatches) {
    USHER_ASSIGN_OR_RETURN(Statement select, connection.Prepare(absl::StrCat(
                                                 kPairs, "new.retired = 0")));
    USHER_RETURN_IF_ERROR(collect(select));
    return finish();
  }
  USHER_ASSIGN_OR_RETURN(Statement select,
                         connection.Prepare(absl::StrCat(kPairs, "s.row = ?")));
  for (const int64_t row : matches.rows) {
    select.Bind(1, row);
    USHER_RETURN_IF_ERROR(collect(select));
    select.Reset();
  }
  if (!offer) return finish();
  USHER_ASSIGN_OR_RETURN(
      Statement installed,
      connection.Prepare(absl::StrCat(
          kPairs,
          "s.superseded = (SELECT update_id FROM catalog_update WHERE id = ?) "
          "AND new.is_installed = 1 AND new.retired = 0")));
  for (const int64_t row : matches.rows) {
    installed.Bind(1, row);
    USHER_RETURN_IF_ERROR(collect(installed));
    installed.Reset();
  }
  return finish();
}

// An older revision gives way to a newer one in the same result.
absl::Status DropOlderRevisions(Connection& connection, const Matches& matches,
                                absl::flat_hash_set<int64_t>& dropped) {
  for (const int64_t row : matches.older_revisions) {
    USHER_ASSIGN_OR_RETURN(
        const std::vector<int64_t> newer,
        SelectInts(connection,
                   "SELECT n.id FROM catalog_update o JOIN catalog_update n ON "
                   "n.update_id = o.update_id AND n.revision > o.revision AND "
                   "n.service = o.service AND n.retired = 0 WHERE o.id = ?",
                   {row}));
    const bool found =
        std::any_of(newer.begin(), newer.end(), [&matches](int64_t candidate) {
          return Contains(matches.rows, candidate);
        });
    if (found) dropped.insert(row);
  }
  return absl::OkStatus();
}

// Keeps, of the drivers that match only through IsAssigned=1, the newest for
// each device (UAMG-075).
absl::Status DropSpareDrivers(Connection& connection, const Matches& matches,
                              absl::flat_hash_set<int64_t>& dropped) {
  struct Best {
    int64_t date = 0;
    int64_t row = 0;
  };
  absl::flat_hash_map<std::string, Best> best;
  std::vector<int64_t> with_devices;
  for (const int64_t row : matches.one_per_device) {
    if (dropped.contains(row)) continue;
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection,
              "SELECT hardware_id, version_date FROM catalog_driver WHERE row "
              "= ?",
              {row}));
    bool any = false;
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool device, select.Step());
      if (!device) break;
      any = true;
      Best& present = best[std::string{select.Text(0)}];
      if (present.row == 0 || select.Int(1) > present.date ||
          (select.Int(1) == present.date && row > present.row)) {
        present = {select.Int(1), row};
      }
    }
    if (any) with_devices.push_back(row);
  }
  absl::flat_hash_set<int64_t> kept;
  for (const auto& [device, present] : best) kept.insert(present.row);
  for (const int64_t row : with_devices) {
    if (!kept.contains(row)) dropped.insert(row);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> RunSearch(Connection& connection,
                                               const Criteria& criteria,
                                               const Query& query) {
  USHER_ASSIGN_OR_RETURN(
      const int64_t service,
      SelectInt(connection,
                "SELECT id FROM catalog_service WHERE service_id = ?",
                {query.service_id}, 0));
  USHER_ASSIGN_OR_RETURN(Matches matches,
                         FindMatches(connection, criteria, query, service));
  absl::flat_hash_set<int64_t> dropped;
  if (!query.include_superseded) {
    USHER_RETURN_IF_ERROR(DropSuperseded(connection, matches,
                                         query.ignore_download_priority,
                                         !NamesUpdates(criteria), dropped));
    USHER_RETURN_IF_ERROR(DropOlderRevisions(connection, matches, dropped));
  }
  USHER_RETURN_IF_ERROR(DropSpareDrivers(connection, matches, dropped));
  std::vector<int64_t>& rows = matches.rows;
  if (!dropped.empty()) {
    rows.erase(std::remove_if(
                   rows.begin(), rows.end(),
                   [&dropped](int64_t row) { return dropped.contains(row); }),
               rows.end());
  }
  if (query.max_results > 0 &&
      static_cast<int64_t>(rows.size()) > query.max_results) {
    rows.resize(static_cast<size_t>(query.max_results));
  }
  rows.shrink_to_fit();
  return std::move(rows);
}

}  // namespace usher::catalog
