#include "publisher/intake.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/package_version.h"
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/description_file.h"
#include "publisher/package_file.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using repository::v1::Payload;
using repository::v1::UpdateDescription;

// Copies the payload files of one update in and completes its description.
absl::Status TakePayloads(PayloadStore& store, UpdateSource& source) {
  for (size_t i = 0; i < source.payload_files.size(); ++i) {
    if (source.payload_files[i].empty()) continue;
    Payload& payload =
        *source.description.mutable_payloads(static_cast<int>(i));
    USHER_ASSIGN_OR_RETURN(const FileFacts facts,
                           store.Take(source.payload_files[i], payload.name()));
    payload.set_size(facts.size);
    payload.set_sha256(facts.sha256.data(), facts.sha256.size());
    payload.set_location(PayloadLocation(facts.sha256, payload.name()));
  }
  return absl::OkStatus();
}

// What a description supersedes by "supersede_older_versions": the updates of
// its name in the draft with an older version.
void SupersedeOlderNamed(const Draft& draft, UpdateDescription& description) {
  usher::v1::Update& update = *description.mutable_update();
  for (const DraftEntry* entry : draft.Named(update.name())) {
    if (entry->update_id == update.identity().update_id() ||
        CompareDebianVersions(entry->version, update.version()) >= 0) {
      continue;
    }
    const auto& ids = update.superseded_update_ids();
    if (std::find(ids.begin(), ids.end(), entry->update_id) == ids.end()) {
      update.add_superseded_update_ids(entry->update_id);
    }
  }
}

IntakeItem ItemOf(const Draft& draft, const std::string& update_id,
                  const fs::path& file, DraftChange change) {
  IntakeItem item;
  item.file = PathToUtf8(file);
  item.change = change;
  item.update_id = update_id;
  if (const DraftEntry* entry = draft.Find(update_id); entry != nullptr) {
    item.revision = entry->revision;
    item.title = entry->Parse().update().title();
  }
  return item;
}

// 0 if it is not there.
int32_t RevisionOf(const Draft& draft, const std::string& update_id) {
  const DraftEntry* entry = draft.Find(update_id);
  return entry == nullptr ? 0 : entry->revision;
}

DraftChange ChangeOf(int32_t before, int32_t after) {
  if (before == 0) return DraftChange::kAdded;
  return before == after ? DraftChange::kUnchanged : DraftChange::kRevised;
}

}  // namespace

absl::StatusOr<std::vector<IntakeItem>> AddDescriptionFiles(
    Workspace& workspace, const std::vector<fs::path>& files, absl::Time now) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  std::vector<UpdateSource> sources;
  for (const fs::path& file : files) {
    USHER_ASSIGN_OR_RETURN(
        UpdateSource source,
        ReadDescriptionFile(file, workspace.settings().service_id,
                            draft.categories()));
    sources.push_back(std::move(source));
  }
  PayloadStore store = workspace.payloads();
  std::vector<IntakeItem> items;
  for (size_t i = 0; i < sources.size(); ++i) {
    UpdateSource& source = sources[i];
    USHER_RETURN_IF_ERROR(
        Annotate(TakePayloads(store, source), PathToUtf8(files[i])));
    if (source.supersede_older) {
      SupersedeOlderNamed(draft, source.description);
    }
    const std::string id = source.description.update().identity().update_id();
    const auto change = draft.Put(std::move(source.description),
                                  Draft::Revisions::kExplicit, now);
    if (!change.ok()) return Annotate(change.status(), PathToUtf8(files[i]));
    items.push_back(ItemOf(draft, id, files[i], *change));
  }
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  return items;
}

absl::StatusOr<std::vector<IntakeItem>> AddDebFiles(
    Workspace& workspace, const std::vector<fs::path>& files,
    DebOptions options, const std::vector<std::string>& categories,
    absl::Time now) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  for (const std::string& reference : categories) {
    USHER_ASSIGN_OR_RETURN(std::string id,
                           draft.categories().Resolve(reference));
    options.category_ids.push_back(std::move(id));
  }
  const std::string& service_id = workspace.settings().service_id;
  std::vector<ControlParagraph> controls;
  for (const fs::path& file : files) {
    USHER_ASSIGN_OR_RETURN(ControlParagraph control, ReadDebControl(file));
    // Everything but the payload can be checked before anything is copied.
    const auto checked = DescribeDeb(service_id, control, options, 0,
                                     Sha256Digest{}, "payloads/");
    if (!checked.ok()) return Annotate(checked.status(), PathToUtf8(file));
    controls.push_back(std::move(control));
  }
  PayloadStore store = workspace.payloads();
  std::vector<DebItem> debs;
  std::vector<std::string> ids;
  for (size_t i = 0; i < files.size(); ++i) {
    USHER_ASSIGN_OR_RETURN(DebIdentity deb, IdentityOf(controls[i]));
    const std::string name = DebFileName(deb);
    USHER_ASSIGN_OR_RETURN(const FileFacts facts, store.Take(files[i], name));
    USHER_ASSIGN_OR_RETURN(
        const UpdateDescription description,
        DescribeDeb(service_id, controls[i], options, facts.size, facts.sha256,
                    PayloadLocation(facts.sha256, name)));
    ids.push_back(description.update().identity().update_id());
    debs.push_back({std::move(deb), ids.back(), DeterministicWire(description),
                    options.supersede_older, !options.basis_points.has_value(),
                    options.channels.empty()});
  }
  std::vector<int32_t> before;
  before.reserve(ids.size());
  for (const std::string& id : ids) before.push_back(RevisionOf(draft, id));
  USHER_RETURN_IF_ERROR(
      PutDebs(std::move(debs), service_id, now, draft).status());
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  std::vector<IntakeItem> items;
  for (size_t i = 0; i < files.size(); ++i) {
    items.push_back(ItemOf(draft, ids[i], files[i],
                           ChangeOf(before[i], RevisionOf(draft, ids[i]))));
  }
  return items;
}

absl::StatusOr<AptImportSummary> ImportAptInto(
    Workspace& workspace, AptImportOptions options,
    const std::string& classification, absl::Time now) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  if (!classification.empty()) {
    USHER_ASSIGN_OR_RETURN(options.classification_id,
                           draft.categories().Resolve(classification));
  }
  USHER_ASSIGN_OR_RETURN(
      const AptImportSummary summary,
      ImportApt(options, workspace.settings().service_id, now, draft));
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  return summary;
}

absl::StatusOr<std::vector<IntakeItem>> RemoveUpdates(
    Workspace& workspace, const std::vector<std::string>& references) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  std::vector<IntakeItem> items;
  for (const absl::string_view reference : references) {
    const size_t colon = reference.find(':');
    int32_t revision = 0;
    if (colon != absl::string_view::npos &&
        (!absl::SimpleAtoi(reference.substr(colon + 1), &revision) ||
         revision < 1)) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("\"", reference,
                                "\" is not UPDATEID or UPDATEID:REVISION"),
                   reference);
    }
    const auto id = CanonicalUuid(reference.substr(0, colon));
    if (!id.ok()) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("\"", reference,
                                "\" is not an UpdateID; see \"usher-publish "
                                "list\""),
                   reference);
    }
    IntakeItem item = ItemOf(draft, *id, "", DraftChange::kUnchanged);
    USHER_RETURN_IF_ERROR(draft.Remove(*id, revision));
    items.push_back(std::move(item));
  }
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  return items;
}

}  // namespace usher::publisher
