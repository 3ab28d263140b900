#ifndef USHER_SERVICE_CATALOG_EVALUATOR_H_
#define USHER_SERVICE_CATALOG_EVALUATOR_H_

// Keeps the rows' applicability in step with the machine. Rules are evaluated
// when a row is loaded and again when a fact that they name has changed, never
// by a search as such.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/catalog/facts.h"
#include "service/store/database.h"

namespace usher::repository::v1 {
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::catalog {

// Where an update stands on this machine.
struct RowState {
  bool installable = false;
  bool installed = false;
  bool present = false;
  friend bool operator==(const RowState&, const RowState&) = default;
};

// One row to evaluate.
struct RowIdentity {
  int64_t row = 0;
  int64_t service = 0;  // catalog_service.id
  std::string service_id;
  std::string update_id;
  int64_t revision = 0;
  bool is_bundle = false;
};

// Not thread-safe; lives as long as one transaction.
class Evaluator {
 public:
  Evaluator(store::Connection& connection, const MachineFacts& machine,
            Facts& facts)
      : connection_(connection), machine_(machine), facts_(facts) {}

  // The state of a row whose rules are in `plan`. A deb is installable on
  // Linux only, an msi on Windows only, whatever the rules say. Without an
  // is_installed rule: installed if a receipt for this very update names this
  // revision or a later one, and present if it names any; a bundle is also
  // installed if all bundled updates are, and present if one is. Bundles look
  // at the stored state of their children.
  absl::StatusOr<RowState> Evaluate(
      const RowIdentity& identity,
      const repository::v1::UpdateDescription& plan);

  // Evaluates the live ones of `rows`, and the bundles of those whose state
  // changed, and stores the states. Needs a write transaction.
  absl::Status Refresh(std::vector<int64_t> rows);

 private:
  struct StoredRow;

  absl::StatusOr<bool> Load(int64_t row, StoredRow& stored);
  // Stores the state; returns whether it changed.
  absl::StatusOr<bool> RefreshOne(const StoredRow& stored);
  absl::Status EvaluateBundle(const RowIdentity& identity, RowState& state);

  store::Connection& connection_;
  const MachineFacts& machine_;
  Facts& facts_;
};

// Brings all rows up to date with the machine and records the facts used.
// Needs a write transaction.
absl::Status ApplyFacts(store::Connection& connection,
                        const MachineFacts& machine, Facts& facts);

// Whether a probed fact that some rule names has changed since ApplyFacts.
absl::StatusOr<bool> ProbesChanged(store::Connection& connection,
                                   const Facts& facts);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_EVALUATOR_H_
