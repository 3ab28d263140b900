#include "usher/update.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher {
namespace {

using internal::UpdateData;

// What an empty handle answers from.
const v1::Update& Proto(const std::shared_ptr<UpdateData>& data) {
  return data == nullptr ? v1::Update::default_instance() : data->proto();
}

StringCollection Texts(
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return StringCollection(internal::ToVector(texts), /*read_only=*/true);
}

absl::Status EmptyUpdate() {
  return Error(hr::kEPointer, "the update handle is empty");
}

// Reads one update's state into `data`.
absl::Status RefreshOne(const std::shared_ptr<UpdateData>& data) {
  if (data == nullptr) return EmptyUpdate();
  USHER_ASSIGN_OR_RETURN(
      const v1::BatchGetUpdatesResponse response,
      internal::GetUpdates(*data->core(), {data->proto().identity()}));
  data->SetState(response.updates(0));
  return absl::OkStatus();
}

// Handles for the categories of `forest` at `indices`.
Collection<Category> Handles(
    const std::shared_ptr<internal::CategoryForest>& forest,
    const std::vector<size_t>& indices) {
  std::vector<Category> categories;
  categories.reserve(indices.size());
  for (const size_t index : indices) categories.emplace_back(forest, index);
  return Collection<Category>(std::move(categories), /*read_only=*/true);
}

}  // namespace

Update::Update(std::shared_ptr<UpdateData> data) : data_(std::move(data)) {}

UpdateIdentity Update::Identity() const {
  return internal::ToIdentity(Proto(data_).identity());
}

std::string Update::Name() const { return Proto(data_).name(); }

std::string Update::Version() const { return Proto(data_).version(); }

std::string Update::Title() const { return Proto(data_).title(); }

std::string Update::Description() const { return Proto(data_).description(); }

std::string Update::EulaText() const { return Proto(data_).eula_text(); }

std::string Update::HandlerID() const { return Proto(data_).handler_id(); }

std::string Update::MsrcSeverity() const {
  return Proto(data_).msrc_severity();
}

std::string Update::ReleaseNotes() const {
  return Proto(data_).release_notes();
}

std::string Update::SupportUrl() const { return Proto(data_).support_url(); }

std::string Update::UninstallationNotes() const {
  return Proto(data_).uninstallation_notes();
}

bool Update::AutoSelectOnWebSites() const {
  return Proto(data_).auto_select_on_web_sites();
}

bool Update::CanRequireSource() const {
  return Proto(data_).can_require_source();
}

bool Update::DeltaCompressedContentAvailable() const {
  return Proto(data_).delta_compressed_content_available();
}

bool Update::DeltaCompressedContentPreferred() const {
  return Proto(data_).delta_compressed_content_preferred();
}

bool Update::IsBeta() const { return Proto(data_).is_beta(); }

bool Update::IsMandatory() const { return Proto(data_).is_mandatory(); }

bool Update::IsUninstallable() const { return Proto(data_).is_uninstallable(); }

bool Update::BrowseOnly() const { return Proto(data_).browse_only(); }

bool Update::PerUser() const { return Proto(data_).per_user(); }

int64_t Update::MinDownloadSize() const {
  return Proto(data_).min_download_size();
}

int64_t Update::MaxDownloadSize() const {
  return Proto(data_).max_download_size();
}

int32_t Update::RecommendedCpuSpeed() const {
  return Proto(data_).recommended_cpu_speed();
}

int32_t Update::RecommendedHardDiskSpace() const {
  return Proto(data_).recommended_hard_disk_space();
}

int32_t Update::RecommendedMemory() const {
  return Proto(data_).recommended_memory();
}

StringCollection Update::Languages() const {
  return Texts(Proto(data_).languages());
}

StringCollection Update::MoreInfoUrls() const {
  return Texts(Proto(data_).more_info_urls());
}

StringCollection Update::SecurityBulletinIDs() const {
  return Texts(Proto(data_).security_bulletin_ids());
}

StringCollection Update::SupersededUpdateIDs() const {
  return Texts(Proto(data_).superseded_update_ids());
}

StringCollection Update::UninstallationSteps() const {
  return Texts(Proto(data_).uninstallation_steps());
}

StringCollection Update::KBArticleIDs() const {
  return Texts(Proto(data_).kb_article_ids());
}

StringCollection Update::CveIDs() const {
  return Texts(Proto(data_).cve_ids());
}

UpdateType Update::Type() const {
  return static_cast<UpdateType>(Proto(data_).type());
}

enum DeploymentAction Update::DeploymentAction() const {
  return static_cast<enum DeploymentAction>(Proto(data_).deployment_action());
}

enum DownloadPriority Update::DownloadPriority() const {
  return static_cast<enum DownloadPriority>(Proto(data_).download_priority());
}

AutoSelectionMode Update::AutoSelection() const {
  return static_cast<AutoSelectionMode>(Proto(data_).auto_selection());
}

AutoDownloadMode Update::AutoDownload() const {
  return static_cast<AutoDownloadMode>(Proto(data_).auto_download());
}

std::vector<UpdateIdentity> Update::BundledUpdateIdentities() const {
  std::vector<UpdateIdentity> identities;
  for (const v1::UpdateKey& key : Proto(data_).bundled_updates()) {
    identities.push_back(internal::ToIdentity(key));
  }
  return identities;
}

absl::StatusOr<UpdateCollection> Update::BundledUpdates() const {
  const auto& keys = Proto(data_).bundled_updates();
  if (keys.empty()) return UpdateCollection({}, /*read_only=*/true);
  return internal::ReadUpdates(data_->core(), {keys.begin(), keys.end()},
                               /*read_only=*/true);
}

Collection<Category> Update::Categories() const {
  if (data_ == nullptr) return Collection<Category>({}, /*read_only=*/true);
  return Handles(data_->forest(),
                 data_->forest()->Find(data_->proto().category_ids()));
}

std::optional<absl::Time> Update::Deadline() const {
  const v1::Update& proto = Proto(data_);
  return internal::OptionalTime(proto.has_deadline(), proto.deadline());
}

std::optional<absl::Time> Update::LastDeploymentChangeTime() const {
  const v1::Update& proto = Proto(data_);
  return internal::OptionalTime(proto.has_last_deployment_change_time(),
                                proto.last_deployment_change_time());
}

std::optional<ImageInformation> Update::Image() const {
  const v1::Update& proto = Proto(data_);
  if (!proto.has_image()) return std::nullopt;
  return internal::ToImage(proto.image());
}

std::optional<InstallationBehavior> Update::GetInstallationBehavior() const {
  const v1::Update& proto = Proto(data_);
  if (!proto.has_installation_behavior()) return std::nullopt;
  return internal::ToBehavior(proto.installation_behavior());
}

std::optional<InstallationBehavior> Update::UninstallationBehavior() const {
  const v1::Update& proto = Proto(data_);
  if (!proto.has_uninstallation_behavior()) return std::nullopt;
  return internal::ToBehavior(proto.uninstallation_behavior());
}

Collection<UpdateDownloadContent> Update::DownloadContents() const {
  std::vector<UpdateDownloadContent> contents;
  for (const v1::UpdateDownloadContent& one :
       Proto(data_).download_contents()) {
    contents.push_back(internal::ToContent(one));
  }
  return Collection<UpdateDownloadContent>(std::move(contents),
                                           /*read_only=*/true);
}

Collection<DriverEntry> Update::WindowsDriverUpdateEntries() const {
  std::vector<DriverEntry> entries;
  for (const v1::DriverEntry& one : Proto(data_).driver_entries()) {
    entries.push_back(internal::ToDriver(one));
  }
  return Collection<DriverEntry>(std::move(entries), /*read_only=*/true);
}

bool Update::IsInstalled() const { return LastKnownState().is_installed; }

bool Update::IsPresent() const { return LastKnownState().is_present; }

absl::StatusOr<bool> Update::IsDownloaded() const {
  USHER_RETURN_IF_ERROR(RefreshOne(data_));
  return LastKnownState().is_downloaded;
}

absl::StatusOr<bool> Update::EulaAccepted() const {
  USHER_RETURN_IF_ERROR(RefreshOne(data_));
  return LastKnownState().eula_accepted;
}

absl::StatusOr<bool> Update::IsHidden() const {
  USHER_RETURN_IF_ERROR(RefreshOne(data_));
  return LastKnownState().is_hidden;
}

absl::StatusOr<bool> Update::RebootRequired() const {
  USHER_RETURN_IF_ERROR(RefreshOne(data_));
  return LastKnownState().reboot_required;
}

UpdateState Update::LastKnownState() const {
  return data_ == nullptr ? UpdateState() : data_->state();
}

absl::Status Update::SetIsHidden(bool hidden) const {
  if (data_ == nullptr) return EmptyUpdate();
  USHER_ASSIGN_OR_RETURN(
      const v1::Update updated,
      data_->core()->Call<v1::Update>(
          {}, [&](const internal::Link& link, grpc::ClientContext* context,
                  v1::Update* response) {
            v1::SetUpdateHiddenRequest request;
            request.set_session(link.session);
            *request.mutable_key() = data_->proto().identity();
            request.set_hidden(hidden);
            return link.states->SetUpdateHidden(context, request, response);
          }));
  data_->SetState(updated);
  return absl::OkStatus();
}

absl::Status Update::AcceptEula() const {
  if (data_ == nullptr) return EmptyUpdate();
  USHER_ASSIGN_OR_RETURN(
      const v1::Update updated,
      data_->core()->Call<v1::Update>(
          {}, [&](const internal::Link& link, grpc::ClientContext* context,
                  v1::Update* response) {
            v1::AcceptEulaRequest request;
            request.set_session(link.session);
            *request.mutable_key() = data_->proto().identity();
            return link.states->AcceptEula(context, request, response);
          }));
  data_->SetState(updated);
  return absl::OkStatus();
}

absl::Status UpdateCollection::Refresh() const {
  std::vector<v1::UpdateKey> keys;
  for (const Update& update : *this) {
    if (!update) return EmptyUpdate();
    keys.push_back(update.internal_data()->proto().identity());
  }
  if (keys.empty()) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(
      const v1::BatchGetUpdatesResponse response,
      internal::GetUpdates(*begin()->internal_data()->core(), keys));
  int index = 0;
  for (const Update& update : *this) {
    update.internal_data()->SetState(response.updates(index++));
  }
  return absl::OkStatus();
}

Category::Category(std::shared_ptr<internal::CategoryForest> forest,
                   size_t index)
    : forest_(std::move(forest)), index_(index) {}

std::string Category::CategoryID() const {
  return forest_->category(index_).category_id();
}

std::string Category::Name() const { return forest_->category(index_).name(); }

std::string Category::Description() const {
  return forest_->category(index_).description();
}

std::string Category::Type() const { return forest_->category(index_).type(); }

int32_t Category::Order() const { return forest_->category(index_).order(); }

std::optional<ImageInformation> Category::Image() const {
  const v1::Category category = forest_->category(index_);
  if (!category.has_image()) return std::nullopt;
  return internal::ToImage(category.image());
}

std::optional<Category> Category::Parent() const {
  const int parent = forest_->ParentOf(index_);
  if (parent < 0) return std::nullopt;
  return Category(forest_, static_cast<size_t>(parent));
}

Collection<Category> Category::Children() const {
  return Handles(forest_, forest_->ChildrenOf(index_));
}

UpdateCollection Category::Updates() const {
  std::vector<Update> updates;
  for (std::shared_ptr<UpdateData>& data : forest_->UpdatesOf(index_)) {
    updates.emplace_back(std::move(data));
  }
  return UpdateCollection(std::move(updates), /*read_only=*/true);
}

}  // namespace usher
