#include "service/catalog/update_row.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/catalog/check_rule.h"
#include "common/catalog/names.h"
#include "common/error.h"
#include "service/catalog/rows.h"
#include "service/catalog/rules.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::UpdateDescription;
using store::Connection;
using store::Statement;

std::string HandlerId(const repository::v1::Handler& handler) {
  switch (handler.kind_case()) {
    case repository::v1::Handler::kArchive:
      return "urn:usher:handler:archive";
    case repository::v1::Handler::kExec:
      return "urn:usher:handler:exec";
    case repository::v1::Handler::kDeb:
      return "urn:usher:handler:deb";
    case repository::v1::Handler::kMsi:
      return "urn:usher:handler:msi";
    case repository::v1::Handler::KIND_NOT_SET:
      break;
  }
  return "";
}

void FillIn(const RowSource& source, UpdateDescription& description) {
  v1::Update& update = *description.mutable_update();
  update.mutable_identity()->set_service_id(source.service_id);
  for (v1::UpdateKey& child : *update.mutable_bundled_updates()) {
    child.set_service_id(source.service_id);
  }
  if (description.has_handler()) {
    update.set_handler_id(HandlerId(description.handler()));
  }
  int64_t bytes = 0;
  for (const repository::v1::Payload& payload : description.payloads()) {
    v1::UpdateDownloadContent& content = *update.add_download_contents();
    content.set_download_url(PayloadUrl(source.base_url, payload.location()));
    content.set_size(payload.size());
    Sha256Digest digest;
    std::copy(payload.sha256().begin(), payload.sha256().end(), digest.begin());
    content.set_sha256(ToHex(digest));
    bytes += payload.size();
  }
  update.set_min_download_size(bytes);
  update.set_max_download_size(bytes);
}

// A bundle with action NONE stands for its children, which are there to be
// installed.
int64_t EffectiveAction(const v1::Update& update) {
  if (update.deployment_action() == v1::DEPLOYMENT_ACTION_NONE &&
      !update.bundled_updates().empty()) {
    return v1::DEPLOYMENT_ACTION_INSTALLATION;
  }
  return update.deployment_action();
}

// Intended for Automatic Updates: to be installed, not optional, and not
// barred from automatic download.
bool IsAssigned(const v1::Update& update) {
  return !update.browse_only() &&
         EffectiveAction(update) == v1::DEPLOYMENT_ACTION_INSTALLATION &&
         update.auto_download() != v1::AUTO_DOWNLOAD_MODE_NEVER_AUTO_DOWNLOAD;
}

struct Decisions {
  int64_t hidden = 0;
  int64_t eula_accepted = 0;
  int64_t reboot_required = 0;
};

absl::StatusOr<Decisions> FindDecisions(Connection& connection,
                                        const RowIdentity& identity) {
  Decisions decisions;
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection,
            "SELECT hidden, eula_accepted FROM update_decision WHERE "
            "service_id = ? AND update_id = ?",
            {identity.service_id, identity.update_id}));
  USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (row) {
    decisions.hidden = select.Int(0);
    decisions.eula_accepted = select.Int(1);
  }
  USHER_ASSIGN_OR_RETURN(
      decisions.reboot_required,
      SelectInt(connection,
                "SELECT reboot_required FROM update_receipt WHERE update_id = "
                "? AND service_id = ? AND revision = ?",
                {identity.update_id, identity.service_id, identity.revision},
                0));
  return decisions;
}

absl::Status InsertMain(Connection& connection, const RowSource& source,
                        const v1::Update& update, const RowState& state,
                        RowIdentity& identity) {
  USHER_ASSIGN_OR_RETURN(const Decisions decisions,
                         FindDecisions(connection, identity));
  const int64_t priority =
      update.download_priority() == v1::DOWNLOAD_PRIORITY_UNSPECIFIED
          ? v1::DOWNLOAD_PRIORITY_NORMAL
          : update.download_priority();
  const bool must_show = update.is_mandatory() || update.has_deadline();
  USHER_RETURN_IF_ERROR(Run(
      connection,
      "INSERT INTO catalog_update(service, file, retired, current, type, "
      "action, priority, is_assigned, browse_only, auto_select, per_user, "
      "is_bundle, has_eula, must_show, is_installable, is_installed, "
      "is_present, reboot_required, is_hidden, eula_accepted, revision, "
      "update_id) VALUES(?, ?, 0, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?)",
      {source.service,
       source.file,
       static_cast<int64_t>(update.type()),
       EffectiveAction(update),
       priority,
       static_cast<int64_t>(IsAssigned(update)),
       static_cast<int64_t>(update.browse_only()),
       static_cast<int64_t>(update.auto_select_on_web_sites()),
       static_cast<int64_t>(update.per_user()),
       static_cast<int64_t>(identity.is_bundle),
       static_cast<int64_t>(!update.eula_text().empty()),
       static_cast<int64_t>(must_show),
       static_cast<int64_t>(state.installable),
       static_cast<int64_t>(state.installed),
       static_cast<int64_t>(state.present),
       decisions.reboot_required,
       decisions.hidden,
       decisions.eula_accepted,
       identity.revision,
       identity.update_id}));
  identity.row = connection.LastInsertRowId();
  return absl::OkStatus();
}

absl::Status InsertContent(Connection& connection, int64_t row,
                           const Sha256Digest& digest,
                           const UpdateDescription& description) {
  std::string payloads;
  for (const repository::v1::Payload& payload : description.payloads()) {
    payloads += payload.sha256();
  }
  const std::string wire = description.update().SerializeAsString();
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare("INSERT INTO catalog_content VALUES(?, ?, ?, ?, ?)"));
  return insert.Bind(1, row)
      .BindBlob(2,
                {reinterpret_cast<const char*>(digest.data()), digest.size()})
      .BindBlob(3, payloads)
      .Bind(4, description.localized_text().empty() ? 0 : 1)
      .BindBlob(5, wire)
      .Run();
}

absl::Status InsertText(Connection& connection, int64_t row,
                        const v1::Update& update) {
  USHER_RETURN_IF_ERROR(Run(connection,
                            "INSERT INTO catalog_text VALUES(?, ?, ?)",
                            {row, update.name(), update.title()}));
  return Run(connection,
             "INSERT INTO catalog_search(rowid, name, title) VALUES(?, ?, ?)",
             {row, update.name(), update.title()});
}

absl::Status InsertLocalized(Connection& connection, int64_t row,
                             const UpdateDescription& description) {
  for (const repository::v1::LocalizedText& text :
       description.localized_text()) {
    v1::Update overlay;
    overlay.set_title(text.title());
    overlay.set_description(text.description());
    overlay.set_eula_text(text.eula_text());
    overlay.set_release_notes(text.release_notes());
    overlay.set_support_url(text.support_url());
    *overlay.mutable_more_info_urls() = text.more_info_urls();
    overlay.set_uninstallation_notes(text.uninstallation_notes());
    *overlay.mutable_uninstallation_steps() = text.uninstallation_steps();
    const bool replaces_lists =
        !text.more_info_urls().empty() || !text.uninstallation_steps().empty();
    USHER_ASSIGN_OR_RETURN(
        Statement insert,
        connection.Prepare("INSERT INTO catalog_localized VALUES(?, ?, ?, ?)"));
    const std::string bytes = overlay.SerializeAsString();
    USHER_RETURN_IF_ERROR(insert.Bind(1, row)
                              .Bind(2, absl::AsciiStrToLower(text.language()))
                              .Bind(3, replaces_lists ? 1 : 0)
                              .BindBlob(4, bytes)
                              .Run());
  }
  return absl::OkStatus();
}

absl::Status InsertMembers(Connection& connection, const RowSource& source,
                           int64_t row, const v1::Update& update) {
  for (const std::string& id : update.category_ids()) {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection,
              "SELECT c.id, c.assignable FROM catalog_category c JOIN "
              "catalog_category_file f ON f.category = c.id WHERE c.service = "
              "? AND c.category_id = ? AND f.file = ?",
              {source.service, id, source.file}));
    USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) {
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("category ", id,
                                " is not defined before the updates of this "
                                "file"));
    }
    if (select.Int(1) == 0) {  // UAMG-102
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("category ", id,
                                " is a company or product family; an update "
                                "belongs to products and classifications"));
    }
    USHER_RETURN_IF_ERROR(Run(connection,
                              "INSERT INTO catalog_member VALUES(?, ?)",
                              {row, select.Int(0)}));
  }
  return absl::OkStatus();
}

absl::Status InsertRelations(Connection& connection, int64_t row,
                             const v1::Update& update) {
  for (const std::string& id : update.superseded_update_ids()) {
    USHER_RETURN_IF_ERROR(Run(
        connection, "INSERT INTO catalog_supersedes VALUES(?, ?)", {row, id}));
  }
  int64_t position = 0;
  for (const v1::UpdateKey& child : update.bundled_updates()) {
    USHER_RETURN_IF_ERROR(Run(connection,
                              "INSERT INTO catalog_bundle VALUES(?, ?, ?, ?)",
                              {row, position++, child.update_id(),
                               static_cast<int64_t>(child.revision_number())}));
  }
  for (const v1::DriverEntry& entry : update.driver_entries()) {
    USHER_RETURN_IF_ERROR(
        Run(connection, "INSERT OR IGNORE INTO catalog_driver VALUES(?, ?, ?)",
            {row, absl::AsciiStrToLower(entry.driver_hardware_id()),
             static_cast<int64_t>(entry.driver_ver_date().seconds())}));
  }
  return absl::OkStatus();
}

absl::Status InsertDependencies(Connection& connection, int64_t row,
                                const UpdateDescription& description,
                                Facts& facts) {
  RuleFacts wanted;
  const std::string& id = description.update().identity().update_id();
  if (description.has_is_installed()) {
    CollectFacts(description.is_installed(), id, wanted);
  }
  if (description.has_is_installable()) {
    CollectFacts(description.is_installable(), id, wanted);
  }
  for (const auto& [kind, key] : wanted) {
    const auto number = static_cast<int64_t>(kind);
    USHER_RETURN_IF_ERROR(Run(connection,
                              "INSERT INTO rule_dependency VALUES(?, ?, ?)",
                              {row, number, key}));
    if (IsProbed(kind)) {
      USHER_RETURN_IF_ERROR(
          Run(connection, "INSERT OR IGNORE INTO machine_fact VALUES(?, ?, ?)",
              {number, key, facts.Stamp(kind, key)}));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> InsertUpdate(Connection& connection,
                                     const RowSource& source,
                                     const Sha256Digest& digest,
                                     Evaluator& evaluator, Facts& facts,
                                     UpdateDescription& description) {
  FillIn(source, description);
  RowIdentity identity;
  identity.service = source.service;
  identity.service_id = source.service_id;
  identity.update_id = description.update().identity().update_id();
  identity.revision = description.update().identity().revision_number();
  identity.is_bundle = !description.update().bundled_updates().empty();
  RowState state;
  if (!identity.is_bundle) {
    USHER_ASSIGN_OR_RETURN(state, evaluator.Evaluate(identity, description));
  }
  USHER_RETURN_IF_ERROR(
      InsertMain(connection, source, description.update(), state, identity));
  const int64_t row = identity.row;
  USHER_RETURN_IF_ERROR(InsertContent(connection, row, digest, description));
  USHER_RETURN_IF_ERROR(InsertText(connection, row, description.update()));
  USHER_RETURN_IF_ERROR(InsertLocalized(connection, row, description));
  USHER_RETURN_IF_ERROR(
      InsertMembers(connection, source, row, description.update()));
  USHER_RETURN_IF_ERROR(InsertRelations(connection, row, description.update()));
  USHER_RETURN_IF_ERROR(
      InsertDependencies(connection, row, description, facts));
  description.clear_update();
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare("INSERT INTO catalog_plan VALUES(?, ?)"));
  const std::string plan = description.SerializeAsString();
  USHER_RETURN_IF_ERROR(insert.Bind(1, row).BindBlob(2, plan).Run());
  return row;
}

absl::Status Purge(Connection& connection, int64_t before, int64_t limit) {
  USHER_ASSIGN_OR_RETURN(
      const std::vector<int64_t> rows,
      SelectInts(connection,
                 "SELECT id FROM catalog_update WHERE retired != 0 AND retired "
                 "< ? LIMIT ?",
                 {before, limit}));
  for (const int64_t row : rows) {
    // The index needs the old text to find what to take out.
    USHER_RETURN_IF_ERROR(
        Run(connection,
            "INSERT INTO catalog_search(catalog_search, rowid, name, title) "
            "SELECT 'delete', id, name, title FROM catalog_text WHERE id = ?",
            {row}));
    for (const absl::string_view sql :
         {"DELETE FROM catalog_text WHERE id = ?",
          "DELETE FROM catalog_plan WHERE id = ?",
          "DELETE FROM catalog_content WHERE id = ?",
          "DELETE FROM catalog_localized WHERE row = ?",
          "DELETE FROM catalog_member WHERE row = ?",
          "DELETE FROM catalog_supersedes WHERE row = ?",
          "DELETE FROM catalog_bundle WHERE row = ?",
          "DELETE FROM catalog_driver WHERE row = ?",
          "DELETE FROM rule_dependency WHERE row = ?",
          "DELETE FROM catalog_update WHERE id = ?"}) {
      USHER_RETURN_IF_ERROR(Run(connection, sql, {row}));
    }
  }
  if (rows.empty()) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(connection.Execute(
      "DELETE FROM machine_fact WHERE kind = 2 AND NOT EXISTS (SELECT 1 FROM "
      "rule_dependency d WHERE d.kind = 2 AND d.key = machine_fact.key)"));
  return Run(connection,
             "DELETE FROM catalog_category WHERE retired != 0 AND retired < ? "
             "AND NOT EXISTS (SELECT 1 FROM catalog_member m WHERE m.category "
             "= catalog_category.id)",
             {before});
}

}  // namespace usher::catalog
