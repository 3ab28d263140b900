#include "service/catalog/loader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/catalog/check_record.h"
#include "common/catalog/check_rule.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "service/catalog/evaluator.h"
#include "service/catalog/record_reader.h"
#include "service/catalog/rows.h"
#include "service/catalog/rules.h"
#include "service/catalog/update_row.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::CatalogRecord;
using store::Connection;
using store::Statement;

// How rows are made from records. Change it whenever that changes, so that a
// new version of the program makes all rows anew.
constexpr int64_t kLayout = 1;

// From here on the bulk statement costs less than one for each update.
constexpr size_t kManyUpdates = 2000;

// Whether the publisher of what was read is to blame, rather than this machine.
bool IsContentFault(const absl::Status& status) {
  switch (HResultOf(status)) {
    case hr::kWuEInvalidUpdate:
    case hr::kWuEDsUnknownhandler:
    case hr::kWuEEeInvalidExpression:
    case hr::kWuEEeUnknownExpression:
    case hr::kWuEOlInvalidScanfile:
    case hr::kWuEOlNewclientRequired:
      return true;
    default:
      return false;
  }
}

absl::string_view Bytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

class Loader {
 public:
  Loader(Connection& connection, const MachineFacts& machine, Facts& facts,
         absl::string_view service_id, absl::string_view base_url,
         const CancellationToken& cancel)
      : connection_(connection),
        facts_(facts),
        evaluator_(connection, machine, facts),
        cancel_(cancel),
        now_(NowMicros()) {
    source_.service_id = std::string{service_id};
    source_.base_url = std::string{base_url};
  }

  absl::StatusOr<LoadSummary> Load(absl::Span<const CatalogFile> files) {
    USHER_RETURN_IF_ERROR(FindService());
    std::vector<const CatalogFile*> changed;
    USHER_RETURN_IF_ERROR(ChooseFiles(files, changed));
    for (const CatalogFile* file : changed) {
      const absl::Status status = LoadFile(*file);
      if (!status.ok()) {
        if (IsContentFault(status)) Blame(file->publisher);
        return Annotate(status,
                        absl::StrCat("catalog file ", file->target_name));
      }
    }
    USHER_FAULT_POINT("catalog.load.rows");
    if (!reread_.empty()) USHER_RETURN_IF_ERROR(Settle());
    return Summarize();
  }

  int culprit() const { return culprit_; }

 private:
  // Of several that come into question it is the one of least priority.
  void Blame(int publisher) { culprit_ = std::max(culprit_, publisher); }
  void BlameFile(int64_t file) {
    const auto found = publishers_.find(file);
    if (found != publishers_.end()) Blame(found->second);
  }

  absl::Status FindService() {
    USHER_RETURN_IF_ERROR(
        Run(connection_,
            "INSERT OR IGNORE INTO catalog_service(service_id, name) "
            "VALUES(?, '')",
            {source_.service_id}));
    USHER_ASSIGN_OR_RETURN(
        source_.service,
        SelectInt(connection_,
                  "SELECT id FROM catalog_service WHERE service_id = ?",
                  {source_.service_id}, 0));
    return absl::OkStatus();
  }

  // Finds the files to read and forgets those that are gone. What they
  // defined before goes to reread_.
  absl::Status ChooseFiles(absl::Span<const CatalogFile> files,
                           std::vector<const CatalogFile*>& changed) {
    absl::flat_hash_set<int64_t> kept;
    absl::flat_hash_set<absl::string_view> names;
    for (const CatalogFile& file : files) {
      several_publishers_ |= file.publisher != files[0].publisher;
      if (!names.insert(file.target_name).second) {
        return Error(hr::kEInvalidarg,
                     absl::StrCat("the catalog file ", file.target_name,
                                  " stands twice"));
      }
      USHER_ASSIGN_OR_RETURN(
          Statement select,
          Bound(
              connection_,
              "SELECT id FROM catalog_file WHERE service = ? AND target_name "
              "= ? AND base_url = ? AND layout = ? AND sha256 = ? AND role = ?",
              {source_.service, file.target_name, source_.base_url, kLayout}));
      select.BindBlob(5, Bytes(file.sha256)).Bind(6, file.role);
      USHER_ASSIGN_OR_RETURN(const bool same, select.Step());
      if (same) {
        kept.insert(select.Int(0));
        publishers_[select.Int(0)] = file.publisher;
      } else {
        changed.push_back(&file);
      }
    }
    USHER_ASSIGN_OR_RETURN(
        const std::vector<int64_t> known,
        SelectInts(connection_, "SELECT id FROM catalog_file WHERE service = ?",
                   {source_.service}));
    for (const int64_t id : known) {
      if (kept.contains(id)) continue;
      reread_.insert(id);
      USHER_RETURN_IF_ERROR(
          Run(connection_, "DELETE FROM catalog_category_file WHERE file = ?",
              {id}));
    }
    return absl::OkStatus();
  }

  absl::Status LoadFile(const CatalogFile& file) {
    USHER_ASSIGN_OR_RETURN(
        Statement put,
        Bound(connection_,
              "INSERT INTO catalog_file(service, target_name, base_url, "
              "layout, sha256, role) VALUES(?, ?, ?, ?, ?, ?) ON "
              "CONFLICT(service, target_name) DO UPDATE SET base_url = "
              "excluded.base_url, layout = excluded.layout, sha256 = "
              "excluded.sha256, role = excluded.role RETURNING id",
              {source_.service, file.target_name, source_.base_url, kLayout}));
    put.Bind(6, file.role);
    USHER_RETURN_IF_ERROR(put.BindBlob(5, Bytes(file.sha256)).Step().status());
    source_.file = put.Int(0);
    names_service_ = file.publisher == 0;
    publishers_[source_.file] = file.publisher;
    put.Reset();
    reread_.insert(source_.file);
    loaded_.insert(source_.file);
    USHER_ASSIGN_OR_RETURN(std::unique_ptr<RecordReader> reader,
                           RecordReader::Open(file.path, RecordLimits()));
    phase_ = Phase::kHeader;
    promised_ = 0;
    found_ = 0;
    CatalogRecord record;
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool more, reader->Next());
      if (!more) break;
      if (cancel_.cancelled()) {
        return Error(hr::kWuECallCancelled, "loading was cancelled");
      }
      absl::Status status = LoadRecord(reader->record(), record);
      if (!status.ok()) {
        return Annotate(status, absl::StrCat("record ", reader->number()));
      }
    }
    if (phase_ == Phase::kHeader) {
      return Error(hr::kWuEOlInvalidScanfile, "the catalog has no header");
    }
    if (phase_ == Phase::kCategories) {
      USHER_RETURN_IF_ERROR(CheckCategoryForest());
    }
    if (found_ != promised_) {
      return Error(hr::kWuEOlInvalidScanfile,
                   absl::StrCat("the header promises ", promised_,
                                " updates, the file has ", found_));
    }
    // What was read is what was verified.
    if (reader->FileDigest() != file.sha256) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   "the file changed after it was verified");
    }
    return absl::OkStatus();
  }

  absl::Status LoadRecord(absl::string_view bytes, CatalogRecord& record) {
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return Error(hr::kWuEInvalidUpdate, "the record is malformed");
    }
    switch (record.record_case()) {
      case CatalogRecord::kHeader:
        return LoadHeader(record.header());
      case CatalogRecord::kCategory:
        if (phase_ != Phase::kCategories) {
          return Error(hr::kWuEOlInvalidScanfile,
                       "a category stands before the header or behind an "
                       "update");
        }
        return LoadCategory(*record.mutable_category());
      case CatalogRecord::kUpdate:
        if (phase_ == Phase::kHeader) {
          return Error(hr::kWuEOlInvalidScanfile,
                       "an update stands before the header");
        }
        if (phase_ == Phase::kCategories) {
          USHER_RETURN_IF_ERROR(CheckCategoryForest());
          phase_ = Phase::kUpdates;
        }
        ++found_;
        return LoadUpdate(bytes, *record.mutable_update());
      case CatalogRecord::RECORD_NOT_SET:
        break;
    }
    return Error(hr::kWuEOlNewclientRequired,
                 "a record of unknown kind; install a newer Usher");
  }

  absl::Status LoadHeader(const repository::v1::CatalogHeader& header) {
    if (phase_ != Phase::kHeader) {
      return Error(hr::kWuEOlInvalidScanfile, "a second header");
    }
    USHER_RETURN_IF_ERROR(CheckHeader(header, source_.service_id));
    if (!header.service_name().empty() && names_service_) {
      USHER_RETURN_IF_ERROR(
          Run(connection_, "UPDATE catalog_service SET name = ? WHERE id = ?",
              {header.service_name(), source_.service}));
    }
    promised_ = header.update_count();
    phase_ = Phase::kCategories;
    return absl::OkStatus();
  }

  absl::Status LoadCategory(v1::Category& category) {
    USHER_RETURN_IF_ERROR(CheckCategory(category));
    const std::string record = category.SerializeAsString();
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection_,
              "SELECT id, record, EXISTS (SELECT 1 FROM catalog_category_file "
              "f WHERE f.category = id), EXISTS (SELECT 1 FROM "
              "catalog_category_file f WHERE f.category = id AND f.file = ?) "
              "FROM catalog_category WHERE service = ? AND category_id = ?",
              {source_.file, source_.service, category.category_id()}));
    USHER_ASSIGN_OR_RETURN(const bool known, select.Step());
    if (known && select.Int(3) != 0) {
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("category ", category.category_id(),
                                " is defined twice"));
    }
    if (known && select.Int(2) != 0 && select.Blob(1) != record) {
      USHER_RETURN_IF_ERROR(BlameForCategory(select.Int(0)));
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("category ", category.category_id(),
                                " is defined differently in another catalog "
                                "file"));
    }
    const bool assignable = category.type() == "Product" ||
                            category.type() == "UpdateClassification";
    USHER_ASSIGN_OR_RETURN(
        Statement put,
        connection_.Prepare(
            "INSERT INTO catalog_category(service, category_id, parent_id, "
            "assignable, retired, record) VALUES(?, ?, ?, ?, 0, ?) ON "
            "CONFLICT(service, category_id) DO UPDATE SET parent_id = "
            "excluded.parent_id, assignable = excluded.assignable, retired = "
            "0, record = excluded.record RETURNING id"));
    put.Bind(1, source_.service)
        .Bind(2, category.category_id())
        .Bind(3, category.parent_category_id())
        .Bind(4, assignable ? 1 : 0)
        .BindBlob(5, record);
    USHER_RETURN_IF_ERROR(put.Step().status());
    return Run(connection_, "INSERT INTO catalog_category_file VALUES(?, ?)",
               {put.Int(0), source_.file});
  }

  // Somebody who defines the category, besides the present file.
  absl::Status BlameForCategory(int64_t category) {
    USHER_ASSIGN_OR_RETURN(
        const std::vector<int64_t> files,
        SelectInts(connection_,
                   "SELECT file FROM catalog_category_file WHERE category = ?",
                   {category}));
    for (const int64_t file : files) BlameFile(file);
    return absl::OkStatus();
  }

  // Parents exist in the same file, and nothing is its own ancestor.
  absl::Status CheckCategoryForest() {
    USHER_ASSIGN_OR_RETURN(
        Statement orphan,
        Bound(connection_,
              "SELECT c.category_id, c.parent_id FROM catalog_category_file f "
              "JOIN catalog_category c ON c.id = f.category WHERE f.file = ?1 "
              "AND c.parent_id != '' AND NOT EXISTS (SELECT 1 FROM "
              "catalog_category p JOIN catalog_category_file pf ON "
              "pf.category = p.id AND pf.file = ?1 WHERE p.service = "
              "c.service AND p.category_id = c.parent_id) LIMIT 1",
              {source_.file}));
    USHER_ASSIGN_OR_RETURN(const bool found, orphan.Step());
    if (found) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("category ", orphan.Text(0), " has the parent ",
                       orphan.Text(1), ", which this file does not define"));
    }
    // From the roots down everything is met, unless there is a circle.
    USHER_ASSIGN_OR_RETURN(
        Statement circle,
        Bound(connection_,
              "WITH RECURSIVE mine AS MATERIALIZED (SELECT c.id, "
              "c.category_id, c.parent_id FROM catalog_category_file f JOIN "
              "catalog_category c ON c.id = f.category WHERE f.file = ?1), "
              "met(id, category_id) AS (SELECT id, category_id FROM mine WHERE "
              "parent_id = '' UNION SELECT m.id, m.category_id FROM met JOIN "
              "mine m ON m.parent_id = met.category_id) SELECT category_id "
              "FROM mine WHERE id NOT IN (SELECT id FROM met) LIMIT 1",
              {source_.file}));
    USHER_ASSIGN_OR_RETURN(const bool circular, circle.Step());
    if (circular) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("category ", circle.Text(0), " is its own ancestor"));
    }
    return absl::OkStatus();
  }

  absl::Status LoadUpdate(absl::string_view bytes,
                          repository::v1::UpdateDescription& description) {
    const Sha256Digest digest = DigestOf(bytes);
    USHER_RETURN_IF_ERROR(CheckUpdate(description));
    for (repository::v1::Rule* rule :
         {description.has_is_installed() ? description.mutable_is_installed()
                                         : nullptr,
          description.has_is_installable()
              ? description.mutable_is_installable()
              : nullptr}) {
      if (rule != nullptr) USHER_RETURN_IF_ERROR(CheckRule(*rule));
    }
    const v1::UpdateKey& key = description.update().identity();
    const std::string name = absl::StrCat("update ", key.update_id(),
                                          " revision ", key.revision_number());
    if (several_publishers_) {
      USHER_RETURN_IF_ERROR(CheckOwner(key.update_id(), name));
    }
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection_,
              "SELECT u.id, u.file, c.digest FROM catalog_update u JOIN "
              "catalog_content c ON c.id = u.id WHERE u.update_id = ? AND "
              "u.revision = ? AND u.service = ? AND u.retired = 0",
              {key.update_id(), static_cast<int64_t>(key.revision_number()),
               source_.service}));
    USHER_ASSIGN_OR_RETURN(const bool known, select.Step());
    if (known) {
      const int64_t row = select.Int(0);
      if (seen_.contains(row) || !reread_.contains(select.Int(1))) {
        BlameFile(select.Int(1));
        return Error(hr::kWuEInvalidUpdate,
                     absl::StrCat(name, " stands twice in the catalog"));
      }
      if (select.Blob(2) == Bytes(digest)) {
        const bool moved = select.Int(1) != source_.file;
        select.Reset();
        seen_.insert(row);
        return Adopt(row, moved, description);
      }
      select.Reset();
      USHER_RETURN_IF_ERROR(Retire(row));
      ++summary_.changed;
    } else {
      ++summary_.added;
    }
    touched_.insert(key.update_id());
    absl::StatusOr<int64_t> row = InsertUpdate(connection_, source_, digest,
                                               evaluator_, facts_, description);
    if (!row.ok()) return Annotate(row.status(), name);
    seen_.insert(*row);
    return absl::OkStatus();
  }

  // An update is one publisher's in all its revisions: a newer one would take
  // the place of what the others have signed.
  absl::Status CheckOwner(absl::string_view update_id,
                          const std::string& name) {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection_,
              "SELECT id, file FROM catalog_update WHERE update_id = ? AND "
              "service = ? AND retired = 0",
              {update_id, source_.service}));
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
      if (!found) return absl::OkStatus();
      const int64_t file = select.Int(1);
      // Not met again so far: it may be going.
      if (reread_.contains(file) && !seen_.contains(select.Int(0))) continue;
      const auto owner = publishers_.find(file);
      if (owner == publishers_.end() ||
          owner->second == publishers_.at(source_.file)) {
        continue;
      }
      Blame(owner->second);
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat(name, " is another publisher's"));
    }
  }

  // An unchanged row now belongs to this file, which must define its
  // categories.
  absl::Status Adopt(int64_t row, bool moved,
                     const repository::v1::UpdateDescription& description) {
    USHER_ASSIGN_OR_RETURN(
        const int64_t defined,
        SelectInt(connection_,
                  "SELECT count(*) FROM catalog_member m JOIN "
                  "catalog_category_file f ON f.category = m.category AND "
                  "f.file = ? JOIN catalog_category c ON c.id = m.category "
                  "AND c.assignable = 1 WHERE m.row = ?",
                  {source_.file, row}, 0));
    if (defined != description.update().category_ids_size()) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("update ", description.update().identity().update_id(),
                       " is in a category that this file does not "
                       "define for updates"));
    }
    if (!moved) return absl::OkStatus();
    return Run(connection_, "UPDATE catalog_update SET file = ? WHERE id = ?",
               {source_.file, row});
  }

  // The same record at another address, or read by another version of the
  // program, gives another row.
  Sha256Digest DigestOf(absl::string_view bytes) const {
    Sha256 hash;
    hash.Update(absl::StrCat(kLayout, "\n", source_.base_url, "\n"));
    hash.Update(bytes);
    return hash.Finish();
  }

  absl::Status Retire(int64_t row) {
    USHER_ASSIGN_OR_RETURN(
        Statement retire,
        Bound(connection_,
              "UPDATE catalog_update SET retired = ? WHERE id = ? RETURNING "
              "update_id",
              {now_, row}));
    USHER_ASSIGN_OR_RETURN(const bool found, retire.Step());
    if (!found) return absl::OkStatus();
    touched_.insert(std::string{retire.Text(0)});
    ++retired_;
    return absl::OkStatus();
  }

  // Only the newest revision of an update is current.
  absl::Status MarkCurrent() {
    if (touched_.size() <= kManyUpdates) {
      for (const std::string& update_id : touched_) {
        USHER_RETURN_IF_ERROR(
            Run(connection_,
                "UPDATE catalog_update SET current = (revision = (SELECT "
                "max(v.revision) FROM catalog_update v WHERE v.update_id = "
                "?1 AND v.service = ?2 AND v.retired = 0)) WHERE update_id = "
                "?1 AND service = ?2 AND retired = 0",
                {update_id, source_.service}));
      }
      return absl::OkStatus();
    }
    constexpr absl::string_view kNewer =
        "EXISTS (SELECT 1 FROM catalog_update v WHERE v.update_id = "
        "catalog_update.update_id AND v.revision > catalog_update.revision AND "
        "v.service = catalog_update.service AND v.retired = 0)";
    USHER_RETURN_IF_ERROR(
        Run(connection_,
            absl::StrCat("UPDATE catalog_update SET current = 0 WHERE service "
                         "= ? AND retired = 0 AND current = 1 AND ",
                         kNewer),
            {source_.service}));
    return Run(connection_,
               absl::StrCat("UPDATE catalog_update SET current = 1 WHERE "
                            "service = ? AND retired = 0 AND current = 0 AND "
                            "NOT ",
                            kNewer),
               {source_.service});
  }

  // What concerns the catalog as a whole.
  absl::Status Settle() {
    for (const int64_t file : reread_) {
      USHER_ASSIGN_OR_RETURN(
          const std::vector<int64_t> rows,
          SelectInts(connection_,
                     "SELECT id FROM catalog_update WHERE service = ? AND file "
                     "= ? AND retired = 0",
                     {source_.service, file}));
      for (const int64_t row : rows) {
        if (!seen_.contains(row)) USHER_RETURN_IF_ERROR(Retire(row));
      }
      if (!loaded_.contains(file)) {
        USHER_RETURN_IF_ERROR(
            Run(connection_, "DELETE FROM catalog_file WHERE id = ?", {file}));
      }
    }
    USHER_RETURN_IF_ERROR(
        Run(connection_,
            "UPDATE catalog_category SET retired = ? WHERE service = ? AND "
            "retired = 0 AND NOT EXISTS (SELECT 1 FROM catalog_category_file f "
            "WHERE f.category = catalog_category.id)",
            {now_, source_.service}));
    USHER_RETURN_IF_ERROR(MarkCurrent());
    USHER_RETURN_IF_ERROR(CheckBundles());
    USHER_ASSIGN_OR_RETURN(
        std::vector<int64_t> bundles,
        SelectInts(connection_,
                   "SELECT id FROM catalog_update WHERE service = ? AND "
                   "is_bundle = 1 AND retired = 0",
                   {source_.service}));
    return evaluator_.Refresh(std::move(bundles));
  }

  // Bundled updates exist, at any place in the catalog, and are no bundles.
  absl::Status CheckBundles() {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection_,
              "SELECT u.update_id, u.revision, b.update_id, b.revision, "
              "c.is_bundle, u.file FROM catalog_bundle b CROSS JOIN "
              "catalog_update u "
              "ON u.id = b.row AND u.service = ?1 AND u.retired = 0 LEFT JOIN "
              "catalog_update c ON c.update_id = b.update_id AND c.revision = "
              "b.revision AND c.service = ?1 AND c.retired = 0 WHERE c.id IS "
              "NULL OR c.is_bundle = 1 LIMIT 1",
              {source_.service}));
    USHER_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return absl::OkStatus();
    BlameFile(select.Int(5));
    return Error(
        hr::kWuEInvalidUpdate,
        absl::StrCat("bundle ", select.Text(0), " revision ", select.Int(1),
                     " contains update ", select.Text(2), " revision ",
                     select.Int(3),
                     select.IsNull(4) ? ", which the catalog does not have"
                                      : ", which is a bundle itself"));
  }

  absl::StatusOr<LoadSummary> Summarize() {
    summary_.removed = retired_ - summary_.changed;
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        Bound(connection_,
              "UPDATE catalog_service SET update_count = update_count + ? "
              "WHERE id = ? RETURNING update_count, name",
              {summary_.added - summary_.removed, source_.service}));
    USHER_RETURN_IF_ERROR(update.Step().status());
    const int64_t live = update.Int(0);
    summary_.service_name = std::string{update.Text(1)};
    // Rows of files that were not read again did not change either.
    summary_.unchanged = live - summary_.added - summary_.changed;
    return summary_;
  }

  enum class Phase { kHeader, kCategories, kUpdates };

  Connection& connection_;
  Facts& facts_;
  Evaluator evaluator_;
  const CancellationToken& cancel_;
  const int64_t now_;
  RowSource source_;
  LoadSummary summary_;
  // Files to whose publishers they belong.
  absl::flat_hash_map<int64_t, int> publishers_;
  int culprit_ = 0;
  bool several_publishers_ = false;
  bool names_service_ = false;  // the present file's header
  int64_t retired_ = 0;         // rows, by this load
  // Files that are read now or gone: their rows stay only if met again.
  absl::flat_hash_set<int64_t> reread_;
  absl::flat_hash_set<int64_t> loaded_;  // those of them that are read now
  absl::flat_hash_set<int64_t> seen_;    // rows met in this load
  // Update ids of rows that are new or gone.
  absl::flat_hash_set<std::string> touched_;
  Phase phase_ = Phase::kHeader;
  int64_t promised_ = 0;  // updates, by the header of the present file
  int64_t found_ = 0;
};

}  // namespace

absl::StatusOr<LoadSummary> LoadCatalog(
    Connection& connection, const MachineFacts& machine, Facts& facts,
    absl::string_view service_id, absl::string_view base_url,
    absl::Span<const CatalogFile> files, const CancellationToken& cancel,
    int& culprit) {
  Loader loader(connection, machine, facts, service_id, base_url, cancel);
  absl::StatusOr<LoadSummary> summary = loader.Load(files);
  culprit = summary.ok() ? 0 : loader.culprit();
  return summary;
}

absl::Status RemoveCatalog(Connection& connection,
                           absl::string_view service_id) {
  const int64_t now = NowMicros();
  USHER_ASSIGN_OR_RETURN(
      const int64_t service,
      SelectInt(connection,
                "SELECT id FROM catalog_service WHERE service_id = ?",
                {service_id}, 0));
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "UPDATE catalog_update SET retired = ? WHERE service = ? AND retired "
          "= 0",
          {now, service}));
  USHER_RETURN_IF_ERROR(Run(
      connection, "UPDATE catalog_service SET update_count = 0 WHERE id = ?",
      {service}));
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "UPDATE catalog_category SET retired = ? WHERE service = ? AND "
          "retired = 0",
          {now, service}));
  USHER_RETURN_IF_ERROR(
      Run(connection,
          "DELETE FROM catalog_category_file WHERE file IN (SELECT id FROM "
          "catalog_file WHERE service = ?)",
          {service}));
  return Run(connection, "DELETE FROM catalog_file WHERE service = ?",
             {service});
}

}  // namespace usher::catalog
