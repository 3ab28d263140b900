#ifndef USHER_UPDATE_H_
#define USHER_UPDATE_H_

// Updates and categories (IUpdate … IUpdate5, IWindowsDriverUpdate,
// ICategory).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "usher/collection.h"
#include "usher/types.h"

namespace usher {

namespace internal {
class UpdateData;
class CategoryForest;
}  // namespace internal

// IImageInformation.
struct ImageInformation {
  std::string alt_text;
  int32_t height = 0;  // pixels
  int32_t width = 0;   // pixels
  std::string source;  // URL
};

// IInstallationBehavior.
struct InstallationBehavior {
  bool can_request_user_input = false;
  InstallationImpact impact = InstallationImpact::kNormal;
  InstallationRebootBehavior reboot_behavior =
      InstallationRebootBehavior::kNeverReboots;
  bool requires_network_connectivity = false;
};

// IUpdateDownloadContent2, with size and digest.
struct UpdateDownloadContent {
  std::string download_url;
  bool is_delta_compressed_content = false;
  int64_t size = 0;    // bytes
  std::string sha256;  // 64 lower-case hexadecimal digits
};

// IWindowsDriverUpdateEntry.
struct DriverEntry {
  std::string driver_class;
  std::string driver_hardware_id;
  std::string driver_manufacturer;
  std::string driver_model;
  std::string driver_provider;
  std::optional<absl::Time> driver_ver_date;
  int32_t device_problem_number = 0;
  int32_t device_status = 0;
};

// What changes on the machine, as it was when last heard of.
struct UpdateState {
  bool eula_accepted = false;
  bool is_downloaded = false;
  bool is_hidden = false;
  bool is_installed = false;
  bool is_present = false;
  bool reboot_required = false;
};

class Category;
class UpdateCollection;

// One revision of one update. A handle: copies share one object. Thread-safe.
// A default-made handle is empty; its getters answer empty values.
//
// What the publisher signed is answered from memory. IsDownloaded,
// EulaAccepted, IsHidden and RebootRequired are live (each asks the service);
// LastKnownState() has what was heard last without a call, and
// UpdateCollection::Refresh() brings many up to date at once.
class Update {
 public:
  Update() = default;
  explicit Update(std::shared_ptr<internal::UpdateData> data);

  explicit operator bool() const { return data_ != nullptr; }

  UpdateIdentity Identity() const;
  // Short package or product name, an Usher extension.
  std::string Name() const;
  // Version in the publisher's notation; may be empty. An Usher extension.
  std::string Version() const;
  std::string Title() const;
  std::string Description() const;
  UpdateType Type() const;
  enum DeploymentAction DeploymentAction() const;
  bool AutoSelectOnWebSites() const;
  // Identities of a bundle's children, in order; empty otherwise (UAMG-112).
  std::vector<UpdateIdentity> BundledUpdateIdentities() const;
  // The children themselves, read from the service.
  absl::StatusOr<UpdateCollection> BundledUpdates() const;
  bool CanRequireSource() const;
  // Product and UpdateClassification categories (UAMG-102). Known once the
  // search that found the update is complete.
  Collection<Category> Categories() const;
  // In UTC; nothing when there is none (UAMG-106).
  std::optional<absl::Time> Deadline() const;
  bool DeltaCompressedContentAvailable() const;
  bool DeltaCompressedContentPreferred() const;
  // Empty when there are no licence terms (UAMG-105).
  std::string EulaText() const;
  std::string HandlerID() const;
  std::optional<ImageInformation> Image() const;
  std::optional<InstallationBehavior> GetInstallationBehavior() const;
  // Nothing when the update cannot be uninstalled (UAMG-110).
  std::optional<InstallationBehavior> UninstallationBehavior() const;
  bool IsBeta() const;
  bool IsMandatory() const;
  bool IsUninstallable() const;
  StringCollection Languages() const;
  std::optional<absl::Time> LastDeploymentChangeTime() const;
  int64_t MinDownloadSize() const;  // bytes
  int64_t MaxDownloadSize() const;  // bytes
  StringCollection MoreInfoUrls() const;
  std::string MsrcSeverity() const;
  int32_t RecommendedCpuSpeed() const;       // MHz
  int32_t RecommendedHardDiskSpace() const;  // MB
  int32_t RecommendedMemory() const;         // MB
  std::string ReleaseNotes() const;
  StringCollection SecurityBulletinIDs() const;
  StringCollection SupersededUpdateIDs() const;
  std::string SupportUrl() const;
  std::string UninstallationNotes() const;
  StringCollection UninstallationSteps() const;
  StringCollection KBArticleIDs() const;
  enum DownloadPriority DownloadPriority() const;
  Collection<UpdateDownloadContent> DownloadContents() const;
  StringCollection CveIDs() const;
  bool BrowseOnly() const;
  bool PerUser() const;
  AutoSelectionMode AutoSelection() const;
  AutoDownloadMode AutoDownload() const;
  // One for each matching device; empty unless Type() is kDriver.
  Collection<DriverEntry> WindowsDriverUpdateEntries() const;

  // As they were when the update was found; they do not change on this object
  // (UAMG-119).
  bool IsInstalled() const;
  bool IsPresent() const;

  // Live: a call to the service each. WU_E_DS_NODATA_NOSUCHREVISION when the
  // catalog has dropped the revision.
  absl::StatusOr<bool> IsDownloaded() const;
  absl::StatusOr<bool> EulaAccepted() const;
  absl::StatusOr<bool> IsHidden() const;
  absl::StatusOr<bool> RebootRequired() const;
  UpdateState LastKnownState() const;

  // Administrators. WU_E_DS_DECLINENOTALLOWED when mandatory (UAMG-122).
  absl::Status SetIsHidden(bool hidden) const;
  // Administrators. WU_E_EULA_UNAVAILABLE without terms (UAMG-128).
  absl::Status AcceptEula() const;

  const std::shared_ptr<internal::UpdateData>& internal_data() const {
    return data_;
  }

 private:
  std::shared_ptr<internal::UpdateData> data_;
};

// Found by argument-dependent lookup from Collection.
inline bool IsNullElement(const Update& update) { return !update; }

// IUpdateCollection.
class UpdateCollection : public Collection<Update> {
 public:
  using Collection::Collection;
  // NOLINTNEXTLINE(google-explicit-constructor): a copy is a collection, too.
  UpdateCollection(Collection<Update> other)
      : Collection<Update>(std::move(other)) {}

  // Reads the present state of all updates from the service, in batches.
  absl::Status Refresh() const;
};

// A category (ICategory). A handle, thread-safe; it holds the categories of
// its search, but not the updates: keep the SearchResult for Updates().
class Category {
 public:
  Category(std::shared_ptr<internal::CategoryForest> forest, size_t index);

  std::string CategoryID() const;
  std::string Name() const;
  std::string Description() const;
  // "Company", "ProductFamily", "Product" or "UpdateClassification".
  std::string Type() const;
  int32_t Order() const;
  std::optional<ImageInformation> Image() const;
  // Nothing for a root category (UAMG-099).
  std::optional<Category> Parent() const;
  Collection<Category> Children() const;
  // Updates found by the same search directly in this category (UAMG-100).
  UpdateCollection Updates() const;

 private:
  std::shared_ptr<internal::CategoryForest> forest_;
  size_t index_;
};

}  // namespace usher

#endif  // USHER_UPDATE_H_
