#include "publisher/draft.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/package_version.h"
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

using repository::v1::CatalogRecord;
using repository::v1::UpdateDescription;

constexpr size_t kMaxListed = 20;

DraftEntry MakeEntry(const UpdateDescription& description) {
  const usher::v1::Update& update = description.update();
  return {update.identity().update_id(),
          update.identity().revision_number(),
          update.name(),
          update.version(),
          DeterministicWire(description),
          !update.bundled_updates().empty()};
}

}  // namespace

UpdateDescription DraftEntry::Parse() const {
  UpdateDescription description;
  // Written by this program from a message, or read from one.
  description.ParseFromString(wire);
  return description;
}

void Draft::Store(DraftEntry entry) {
  if (const DraftEntry* old = Find(entry.update_id); old != nullptr) {
    const auto range = ids_by_name_.equal_range(old->name);
    for (auto it = range.first; it != range.second; ++it) {
      if (it->second == entry.update_id) {
        ids_by_name_.erase(it);
        break;
      }
    }
  }
  ids_by_name_.emplace(entry.name, entry.update_id);
  std::string id = entry.update_id;
  by_id_[std::move(id)] = std::move(entry);
}

absl::Status Draft::Check(const UpdateDescription& description) const {
  USHER_RETURN_IF_ERROR(CheckUpdate(description));
  USHER_RETURN_IF_ERROR(CheckAsClients(description));
  return CheckSupersedence(
      description, [this](absl::string_view id, UpdateDescription& found) {
        const DraftEntry* entry = Find(id);
        if (entry != nullptr) found = entry->Parse();
        return entry != nullptr;
      });
}

absl::StatusOr<DraftChange> Draft::Put(UpdateDescription description,
                                       Revisions revisions, absl::Time now) {
  usher::v1::Update& update = *description.mutable_update();
  const bool timed = update.has_last_deployment_change_time();
  if (!timed) {
    update.mutable_last_deployment_change_time()->set_seconds(
        absl::ToUnixSeconds(now));
  }
  USHER_RETURN_IF_ERROR(Check(description));
  const DraftEntry* old = Find(update.identity().update_id());
  if (old == nullptr) {
    Store(MakeEntry(description));
    return DraftChange::kAdded;
  }
  UpdateDescription same = description;
  const UpdateDescription before = old->Parse();
  if (!timed) {
    *same.mutable_update()->mutable_last_deployment_change_time() =
        before.update().last_deployment_change_time();
  }
  if (revisions == Revisions::kAutomatic) {
    same.mutable_update()->mutable_identity()->set_revision_number(
        old->revision);
  }
  if (DeterministicWire(same) == old->wire) return DraftChange::kUnchanged;
  if (revisions == Revisions::kAutomatic) {
    if (old->revision == std::numeric_limits<int32_t>::max()) {
      return Error(hr::kWuEDsDuplicateupdateid,
                   absl::StrCat(update.name(), " has no revision left"),
                   update.name());
    }
    update.mutable_identity()->set_revision_number(old->revision + 1);
  } else if (update.identity().revision_number() <= old->revision) {
    return Error(
        hr::kWuEDsDuplicateupdateid,
        absl::StrCat(update.name(), ": the repository already has revision ",
                     old->revision, " of update ", old->update_id,
                     " with other content; set revision = ", old->revision + 1,
                     " to replace it, or remove it first"),
        update.name());
  }
  Store(MakeEntry(description));
  return DraftChange::kRevised;
}

absl::Status Draft::Redeploy(UpdateDescription description, absl::Time now) {
  usher::v1::Update& update = *description.mutable_update();
  const DraftEntry* old = Find(update.identity().update_id());
  if (old == nullptr || old->revision != update.identity().revision_number()) {
    return Error(hr::kWuEDsNodataNosuchrevision,
                 absl::StrCat("the repository has no update ",
                              update.identity().update_id(), " of revision ",
                              update.identity().revision_number()),
                 update.identity().update_id());
  }
  update.mutable_last_deployment_change_time()->set_seconds(
      absl::ToUnixSeconds(now));
  USHER_RETURN_IF_ERROR(Check(description));
  Store(MakeEntry(description));
  return absl::OkStatus();
}

absl::Status Draft::Remove(absl::string_view update_id, int32_t revision) {
  const DraftEntry* entry = Find(update_id);
  if (entry == nullptr || (revision != 0 && entry->revision != revision)) {
    return Error(
        hr::kWuEDsNodataNosuchrevision,
        entry == nullptr
            ? absl::StrCat("there is no update ", update_id,
                           " in the repository; see \"usher-publish list\"")
            : absl::StrCat("update ", update_id, " has revision ",
                           entry->revision, ", not ", revision),
        update_id);
  }
  const auto range = ids_by_name_.equal_range(entry->name);
  for (auto it = range.first; it != range.second; ++it) {
    if (it->second == update_id) {
      ids_by_name_.erase(it);
      break;
    }
  }
  by_id_.erase(std::string(update_id));
  return absl::OkStatus();
}

const DraftEntry* Draft::Find(absl::string_view update_id) const {
  const auto it = by_id_.find(std::string(update_id));
  return it == by_id_.end() ? nullptr : &it->second;
}

std::vector<const DraftEntry*> Draft::Named(absl::string_view name) const {
  std::vector<const DraftEntry*> entries;
  const auto range = ids_by_name_.equal_range(std::string(name));
  for (auto it = range.first; it != range.second; ++it) {
    entries.push_back(Find(it->second));
  }
  return entries;
}

absl::StatusOr<const DraftEntry*> Draft::FindOne(
    absl::string_view reference) const {
  // An update's name may have a colon too.
  const size_t colon = reference.rfind(':');
  if (const auto id = CanonicalUuid(reference.substr(0, colon)); id.ok()) {
    int32_t revision = 0;
    const DraftEntry* entry = Find(*id);
    if (entry != nullptr &&
        (colon == absl::string_view::npos ||
         (absl::SimpleAtoi(reference.substr(colon + 1), &revision) &&
          entry->revision == revision))) {
      return entry;
    }
  }
  const std::vector<const DraftEntry*> named = Named(reference);
  if (named.empty()) {
    return Error(hr::kWuEDsNodataNosuchrevision,
                 absl::StrCat("there is no update \"", reference,
                              "\" in the repository; see \"usher-publish "
                              "list\""),
                 reference);
  }
  if (named.size() == 1) return named.front();
  std::string list;
  for (size_t i = 0; i < named.size() && i < kMaxListed; ++i) {
    absl::StrAppend(&list, "\n  ", named[i]->update_id, "  ", named[i]->name,
                    " ", named[i]->version);
  }
  if (named.size() > kMaxListed) absl::StrAppend(&list, "\n  …");
  return Error(hr::kEInvalidarg,
               absl::StrCat(named.size(), " updates are named \"", reference,
                            "\"; give the UpdateID of one:", list),
               reference);
}

std::vector<const DraftEntry*> Draft::Sorted() const {
  std::vector<const DraftEntry*> entries;
  entries.reserve(by_id_.size());
  for (const auto& [id, entry] : by_id_) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const DraftEntry* a, const DraftEntry* b) {
              if (a->name != b->name) return a->name < b->name;
              const int order = CompareDebianVersions(a->version, b->version);
              if (order != 0) return order < 0;
              return a->update_id < b->update_id;
            });
  return entries;
}

std::vector<const DraftEntry*> Draft::Bundles() const {
  std::vector<const DraftEntry*> bundles;
  for (const auto& [id, entry] : by_id_) {
    if (entry.is_bundle) bundles.push_back(&entry);
  }
  return bundles;
}

absl::StatusOr<std::string> Draft::Encode(absl::string_view service_id,
                                          absl::string_view service_name,
                                          int level) const {
  return EncodeCatalog(Sorted(), categories_, service_id, service_name,
                       /*all_categories=*/true, level);
}

absl::StatusOr<std::string> EncodeCatalog(
    const std::vector<const DraftEntry*>& entries,
    const CategorySet& categories, absl::string_view service_id,
    absl::string_view service_name, bool all_categories, int level) {
  std::set<std::string> used;
  google::protobuf::Timestamp newest;
  UpdateDescription description;
  for (const DraftEntry* entry : entries) {
    // In a draft neither matters, which is written at every command.
    if (all_categories) break;
    description.ParseFromString(entry->wire);
    const usher::v1::Update& update = description.update();
    used.insert(update.category_ids().begin(), update.category_ids().end());
    if (update.last_deployment_change_time().seconds() > newest.seconds()) {
      newest = update.last_deployment_change_time();
    }
  }
  CatalogEncoder encoder(level);
  repository::v1::CatalogHeader header;
  header.set_format_version(1);
  header.set_service_id(std::string(service_id));
  header.set_service_name(std::string(service_name));
  if (!all_categories) *header.mutable_create_time() = newest;
  header.set_update_count(static_cast<int64_t>(entries.size()));
  USHER_RETURN_IF_ERROR(encoder.AddHeader(header));
  for (const usher::v1::Category* category :
       all_categories ? categories.All()
                      : categories.Closure({used.begin(), used.end()})) {
    USHER_RETURN_IF_ERROR(encoder.AddCategory(*category));
  }
  for (const DraftEntry* entry : entries) {
    USHER_RETURN_IF_ERROR(
        Annotate(encoder.AddUpdate(entry->wire), entry->name));
  }
  return encoder.Finish();
}

absl::StatusOr<Draft> Draft::Decode(absl::string_view file) {
  Draft draft;
  USHER_RETURN_IF_ERROR(
      DecodeCatalog(file, [&draft](const CatalogRecord& record) {
        if (record.has_category()) {
          return draft.categories_.Add(record.category());
        }
        if (record.has_update()) draft.Store(MakeEntry(record.update()));
        return absl::OkStatus();
      }));
  return draft;
}

}  // namespace usher::publisher
