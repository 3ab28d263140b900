#include "service/catalog/evaluator.h"

#include <algorithm>
#include <utility>

#include "common/error.h"
#include "service/catalog/rows.h"
#include "service/catalog/rules.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

// A package of another system's own kind can never be installed here.
bool HandlerFits(const repository::v1::UpdateDescription& plan,
                 const MachineFacts& machine) {
  switch (plan.handler().kind_case()) {
    case repository::v1::Handler::kDeb:
      return machine.family == "linux";
    case repository::v1::Handler::kMsi:
      return machine.family == "windows";
    default:
      return true;
  }
}

// Receipts as the rules of one row see them: by explicit id those of every
// service, without id the row's own.
class RowReceipts : public Receipts {
 public:
  RowReceipts(Connection& connection, const RowIdentity& identity)
      : connection_(connection), identity_(identity) {}

  absl::StatusOr<int32_t> InstalledRevision(
      absl::string_view update_id) override {
    absl::StatusOr<int64_t> revision =
        update_id.empty()
            ? SelectInt(connection_,
                        "SELECT revision FROM update_receipt WHERE update_id "
                        "= ? AND service_id = ? AND installed = 1",
                        {identity_.update_id, identity_.service_id}, 0)
            : SelectInt(connection_,
                        "SELECT coalesce(max(revision), 0) FROM update_receipt "
                        "WHERE update_id = ? AND installed = 1",
                        {update_id}, 0);
    if (!revision.ok()) return revision.status();
    return static_cast<int32_t>(*revision);
  }

 private:
  Connection& connection_;
  const RowIdentity& identity_;
};

}  // namespace

struct Evaluator::StoredRow {
  RowIdentity identity;
  RowState state;
  repository::v1::UpdateDescription plan;
};

absl::StatusOr<RowState> Evaluator::Evaluate(
    const RowIdentity& identity,
    const repository::v1::UpdateDescription& plan) {
  RowReceipts receipts(connection_, identity);
  RowState state;
  state.installable = HandlerFits(plan, machine_);
  if (state.installable && plan.has_is_installable()) {
    USHER_ASSIGN_OR_RETURN(
        state.installable,
        EvaluateRule(plan.is_installable(), identity.update_id, machine_,
                     facts_, receipts));
  }
  if (plan.has_is_installed()) {
    USHER_ASSIGN_OR_RETURN(state.installed,
                           EvaluateRule(plan.is_installed(), identity.update_id,
                                        machine_, facts_, receipts));
  } else {
    USHER_ASSIGN_OR_RETURN(const int32_t revision,
                           receipts.InstalledRevision(""));
    state.installed = revision >= identity.revision;
    if (identity.is_bundle && !state.installed) {
      USHER_RETURN_IF_ERROR(EvaluateBundle(identity, state));
    }
    // An older revision: newer ones may be installed over it, and it can be
    // uninstalled.
    state.present |= revision > 0;
  }
  state.present |= state.installed;  // UAMG-120
  return state;
}

absl::Status Evaluator::EvaluateBundle(const RowIdentity& identity,
                                       RowState& state) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection_,
            "SELECT count(*), total(u.is_installed), total(u.is_present) FROM "
            "catalog_bundle b LEFT JOIN catalog_update u ON u.update_id = "
            "b.update_id AND u.revision = b.revision AND u.service = ?1 AND "
            "u.retired = 0 WHERE b.row = ?2",
            {identity.service, identity.row}));
  USHER_RETURN_IF_ERROR(select.Step().status());
  state.installed = select.Int(0) > 0 && select.Int(1) == select.Int(0);
  state.present = select.Int(2) > 0;
  return absl::OkStatus();
}

absl::StatusOr<bool> Evaluator::Load(int64_t row, StoredRow& stored) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection_,
            "SELECT u.service, s.service_id, u.update_id, u.revision, "
            "u.is_bundle, u.is_installable, u.is_installed, u.is_present, "
            "p.plan FROM catalog_update u JOIN catalog_service s ON s.id = "
            "u.service JOIN catalog_plan p ON p.id = u.id WHERE u.id = ? AND "
            "u.retired = 0",
            {row}));
  USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return false;
  stored.identity = {row,
                     select.Int(0),
                     std::string{select.Text(1)},
                     std::string{select.Text(2)},
                     select.Int(3),
                     select.Int(4) != 0};
  stored.state = {select.Int(5) != 0, select.Int(6) != 0, select.Int(7) != 0};
  USHER_RETURN_IF_ERROR(ParseStored(select.Blob(8), stored.plan));
  return true;
}

absl::StatusOr<bool> Evaluator::RefreshOne(const StoredRow& stored) {
  USHER_ASSIGN_OR_RETURN(const RowState state,
                         Evaluate(stored.identity, stored.plan));
  if (state == stored.state) return false;
  USHER_RETURN_IF_ERROR(
      Run(connection_,
          "UPDATE catalog_update SET is_installable = ?, is_installed = ?, "
          "is_present = ? WHERE id = ?",
          {static_cast<int64_t>(state.installable),
           static_cast<int64_t>(state.installed),
           static_cast<int64_t>(state.present), stored.identity.row}));
  return true;
}

absl::Status Evaluator::Refresh(std::vector<int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  std::vector<int64_t> bundles;
  StoredRow stored;
  for (const int64_t row : rows) {
    USHER_ASSIGN_OR_RETURN(const bool live, Load(row, stored));
    if (!live) continue;
    if (stored.identity.is_bundle) {
      bundles.push_back(row);
      continue;
    }
    USHER_ASSIGN_OR_RETURN(const bool changed, RefreshOne(stored));
    if (!changed) continue;
    USHER_ASSIGN_OR_RETURN(
        const std::vector<int64_t> parents,
        SelectInts(connection_,
                   "SELECT row FROM catalog_bundle WHERE update_id = ?",
                   {stored.identity.update_id}));
    bundles.insert(bundles.end(), parents.begin(), parents.end());
  }
  // Bundles are not nested, so one pass settles them.
  std::sort(bundles.begin(), bundles.end());
  bundles.erase(std::unique(bundles.begin(), bundles.end()), bundles.end());
  for (const int64_t row : bundles) {
    USHER_ASSIGN_OR_RETURN(const bool live, Load(row, stored));
    if (live) USHER_RETURN_IF_ERROR(RefreshOne(stored).status());
  }
  return absl::OkStatus();
}

}  // namespace usher::catalog
