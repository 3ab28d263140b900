#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "service/catalog/evaluator.h"
#include "service/catalog/rows.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

constexpr absl::string_view kMachineKey = "";
constexpr absl::string_view kBootKey = "boot";

constexpr int64_t Number(FactKind kind) { return static_cast<int64_t>(kind); }

absl::Status StoreFact(Connection& connection, FactKind kind,
                       absl::string_view key, absl::string_view value) {
  if (value.empty() && kind == FactKind::kDebianPackage) {
    return Run(connection,
               "DELETE FROM machine_fact WHERE kind = ? AND key = ?",
               {Number(kind), key});
  }
  return Run(connection, "INSERT OR REPLACE INTO machine_fact VALUES(?, ?, ?)",
             {Number(kind), key, value});
}

absl::StatusOr<bool> SameFact(Connection& connection, FactKind kind,
                              absl::string_view key, absl::string_view value) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection,
            "SELECT value FROM machine_fact WHERE kind = ? AND key = ?",
            {Number(kind), key}));
  USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
  return row && select.Text(0) == value;
}

// A fact that changed, with its new value.
using Changes = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<Changes> ChangedPackages(Connection& connection,
                                        const MachineFacts& machine) {
  Changes changes;
  absl::flat_hash_set<std::string> known;
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection, "SELECT key, value FROM machine_fact WHERE kind = ?",
            {Number(FactKind::kDebianPackage)}));
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    std::string text = machine.PackageText(select.Text(0));
    if (text != select.Text(1)) {
      changes.emplace_back(select.Text(0), std::move(text));
    }
    known.emplace(select.Text(0));
  }
  for (const auto& [name, versions] : machine.packages) {
    if (!known.contains(name)) {
      changes.emplace_back(name, machine.PackageText(name));
    }
  }
  return changes;
}

absl::StatusOr<Changes> ChangedProbes(Connection& connection, FactKind kind,
                                      const Facts& facts) {
  Changes changes;
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection, "SELECT key, value FROM machine_fact WHERE kind = ?",
            {Number(kind)}));
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return changes;
    std::string stamp = facts.Stamp(kind, select.Text(0));
    if (stamp != select.Text(1)) {
      changes.emplace_back(select.Text(0), std::move(stamp));
    }
  }
}

// Records the changes and adds the rows that depend on them to `rows`.
absl::Status Record(Connection& connection, FactKind kind,
                    const Changes& changes, std::vector<int64_t>& rows) {
  for (const auto& [key, value] : changes) {
    USHER_RETURN_IF_ERROR(StoreFact(connection, kind, key, value));
    USHER_ASSIGN_OR_RETURN(
        const std::vector<int64_t> dependents,
        SelectInts(connection,
                   "SELECT row FROM rule_dependency WHERE kind = ? AND key = ?",
                   {Number(kind), key}));
    rows.insert(rows.end(), dependents.begin(), dependents.end());
  }
  return absl::OkStatus();
}

// A restart fulfils what an installation asked for.
absl::Status ApplyBoot(Connection& connection, const MachineFacts& machine) {
  USHER_ASSIGN_OR_RETURN(
      const bool same,
      SameFact(connection, FactKind::kMachine, kBootKey, machine.boot_id));
  if (same) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "UPDATE update_receipt SET reboot_required = 0 WHERE boot_id != ?",
          {machine.boot_id}));
  USHER_RETURN_IF_ERROR(connection.Execute(
      "UPDATE catalog_update SET reboot_required = 0 WHERE reboot_required = "
      "1"));
  return StoreFact(connection, FactKind::kMachine, kBootKey, machine.boot_id);
}

}  // namespace

absl::Status ApplyFacts(Connection& connection, const MachineFacts& machine,
                        Facts& facts) {
  USHER_RETURN_IF_ERROR(ApplyBoot(connection, machine));
  std::vector<int64_t> rows;
  const std::string fingerprint = machine.Fingerprint();
  USHER_ASSIGN_OR_RETURN(
      const bool same,
      SameFact(connection, FactKind::kMachine, kMachineKey, fingerprint));
  if (!same) {
    USHER_RETURN_IF_ERROR(
        StoreFact(connection, FactKind::kMachine, kMachineKey, fingerprint));
    USHER_ASSIGN_OR_RETURN(
        rows,
        SelectInts(connection,
                   "SELECT id FROM catalog_update WHERE retired = 0", {}));
  }
  USHER_ASSIGN_OR_RETURN(const Changes packages,
                         ChangedPackages(connection, machine));
  USHER_RETURN_IF_ERROR(
      Record(connection, FactKind::kDebianPackage, packages, rows));
  for (const FactKind kind : kProbedFacts) {
    USHER_ASSIGN_OR_RETURN(const Changes changes,
                           ChangedProbes(connection, kind, facts));
    USHER_RETURN_IF_ERROR(Record(connection, kind, changes, rows));
  }
  return Evaluator(connection, machine, facts).Refresh(std::move(rows));
}

absl::StatusOr<bool> ProbesChanged(Connection& connection, const Facts& facts) {
  for (const FactKind kind : kProbedFacts) {
    USHER_ASSIGN_OR_RETURN(const Changes changes,
                           ChangedProbes(connection, kind, facts));
    if (!changes.empty()) return true;
  }
  return false;
}

}  // namespace usher::catalog
