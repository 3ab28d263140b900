#include "service/catalog/decisions.h"

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/catalog/facts.h"
#include "service/catalog/rows.h"

namespace usher::catalog {
namespace {

using store::Connection;

// The live rows of all revisions of an update of one service.
constexpr absl::string_view kAllRevisions =
    " WHERE update_id = ? AND retired = 0 AND service = (SELECT id FROM "
    "catalog_service WHERE service_id = ?)";

}  // namespace

absl::StatusOr<int64_t> FindRow(Connection& connection, const UpdateKey& key) {
  USHER_ASSIGN_OR_RETURN(
      const int64_t row,
      SelectInt(
          connection,
          "SELECT u.id FROM catalog_update u JOIN catalog_service s ON "
          "s.id = u.service WHERE u.update_id = ? AND u.revision = ? AND "
          "s.service_id = ? AND u.retired = 0",
          {key.update_id, static_cast<int64_t>(key.revision), key.service_id},
          0));
  if (row != 0) return row;
  const std::string name =
      absl::StrCat(key.update_id, " revision ", key.revision);
  return Error(hr::kWuEDsNodataNosuchrevision,
               absl::StrCat("service ", key.service_id, " has no update ", name,
                            "; search again"),
               name);
}

absl::Status StoreHidden(Connection& connection, const UpdateKey& key,
                         bool hidden) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, FindRow(connection, key));
  if (hidden) {
    USHER_ASSIGN_OR_RETURN(
        const int64_t must_show,
        SelectInt(connection,
                  "SELECT must_show FROM catalog_update WHERE id = ?", {row},
                  0));
    if (must_show != 0) {  // UAMG-121, 122
      return Error(hr::kWuEDsDeclinenotallowed,
                   "a mandatory update, or one with a deadline, cannot be "
                   "hidden",
                   key.update_id);
    }
  }
  const auto value = static_cast<int64_t>(hidden);
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "INSERT INTO update_decision VALUES(?, ?, ?, 0) ON "
          "CONFLICT(service_id, update_id) DO UPDATE SET hidden = "
          "excluded.hidden",
          {key.service_id, key.update_id, value}));
  return Run(
      connection,
      absl::StrCat("UPDATE catalog_update SET is_hidden = ?", kAllRevisions),
      {value, key.update_id, key.service_id});
}

absl::Status StoreEulaAccepted(Connection& connection, const UpdateKey& key) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, FindRow(connection, key));
  USHER_ASSIGN_OR_RETURN(
      const int64_t has_eula,
      SelectInt(connection, "SELECT has_eula FROM catalog_update WHERE id = ?",
                {row}, 0));
  if (has_eula == 0) {  // UAMG-128
    return Error(hr::kWuEEulaUnavailable,
                 "the update has no licence terms to accept", key.update_id);
  }
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "INSERT INTO update_decision VALUES(?, ?, 0, 1) ON "
          "CONFLICT(service_id, update_id) DO UPDATE SET eula_accepted = 1",
          {key.service_id, key.update_id}));
  return Run(connection,
             absl::StrCat("UPDATE catalog_update SET eula_accepted = 1",
                          kAllRevisions),
             {key.update_id, key.service_id});
}

absl::StatusOr<std::vector<int64_t>> StoreReceipt(Connection& connection,
                                                  const UpdateKey& key,
                                                  bool installed,
                                                  bool reboot_required,
                                                  absl::string_view boot_id) {
  // A restart that is still due stays due.
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "INSERT INTO update_receipt(service_id, update_id, revision, "
          "installed, reboot_required, boot_id, time) VALUES(?, ?, ?, ?, ?, ?, "
          "?) ON CONFLICT(update_id, service_id) DO UPDATE SET revision = "
          "excluded.revision, installed = excluded.installed, "
          "reboot_required = max(reboot_required, excluded.reboot_required), "
          "boot_id = excluded.boot_id, time = excluded.time",
          {key.service_id, key.update_id, static_cast<int64_t>(key.revision),
           static_cast<int64_t>(installed),
           static_cast<int64_t>(reboot_required), boot_id, NowMicros()}));
  USHER_RETURN_IF_ERROR(
      Run(connection,
          absl::StrCat("UPDATE catalog_update SET reboot_required = (SELECT "
                       "r.reboot_required AND r.revision = "
                       "catalog_update.revision FROM update_receipt r WHERE "
                       "r.update_id = ?1 AND r.service_id = ?2)",
                       " WHERE update_id = ?1 AND retired = 0 AND service = "
                       "(SELECT id FROM catalog_service WHERE service_id = "
                       "?2)"),
          {key.update_id, key.service_id}));
  return SelectInts(connection,
                    "SELECT id FROM catalog_update WHERE update_id = ?1 AND "
                    "retired = 0 UNION SELECT row FROM rule_dependency WHERE "
                    "kind = ?2 AND key = ?1",
                    {key.update_id, static_cast<int64_t>(FactKind::kUpdate)});
}

}  // namespace usher::catalog
