#ifndef USHER_UPDATE_SERVICE_MANAGER_H_
#define USHER_UPDATE_SERVICE_MANAGER_H_

// IUpdateServiceManager2, IUpdateService2.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "usher/collection.h"

namespace usher {

namespace internal {
class SessionCore;
}  // namespace internal

// A registered repository (IUpdateService2).
struct UpdateService {
  std::string service_id;
  std::string name;
  std::string service_url;
  int64_t root_version = 0;
  std::string root_sha256;
  std::optional<absl::Time> expiration_date;
  std::optional<absl::Time> issue_date;
  bool is_managed = false;
  bool is_registered_with_au = false;
  bool is_default_au_service = false;
  bool offers_windows_updates = false;
  std::vector<std::string> redirect_urls;
  bool is_scan_package_service = false;
  bool can_register_with_au = false;
  std::string setup_prefix;
  std::optional<absl::Time> last_refresh_time;
  int64_t update_count = 0;
  // Why the last refresh failed; empty when it succeeded.
  std::string last_refresh_error;
  // Registered for as long as a session lives.
  bool is_volatile = false;
};

// UpdateServiceOption (usoNonVolatileService): the scan package stays
// registered until it is removed.
inline constexpr int32_t kNonVolatileService = 1;

// What to register.
struct AddServiceRequest {
  // AddServiceFlag bits: 1 allow pending, 2 allow online, 4 register with
  // Automatic Updates; 0 is taken as 2.
  int32_t flags = 0;
  // Empty: taken from the repository.
  std::string service_id;
  std::string name;
  // http:, https: or file: URL of the folder with metadata/ and targets/.
  std::string service_url;
  // The trusted root.json, at most 512 KiB. Required.
  std::string root_metadata;
};

// What a refresh found.
struct RefreshResult {
  UpdateService service;
  bool changed = false;
};

// A handle, thread-safe.
class UpdateServiceManager {
 public:
  explicit UpdateServiceManager(std::shared_ptr<internal::SessionCore> core);

  // In order of registration; read-only.
  absl::StatusOr<Collection<UpdateService>> Services() const;
  // WU_E_DS_UNKNOWNSERVICE for an unknown id.
  absl::StatusOr<UpdateService> GetService(absl::string_view service_id) const;
  // Administrators. May take as long as the repository's server lets it.
  absl::StatusOr<UpdateService> AddService(
      const AddServiceRequest& request) const;
  // Administrators. Registers the repository that lies in a scan package
  // (usher-publish pack), a file on the service's machine named by its absolute
  // path, under the trust of `root_metadata`, the content of a root.json. The
  // service keeps a copy. Search it with ServerSelection::kOthers and the
  // service's id. Without kNonVolatileService the registration lasts as long as
  // the session. An empty `service_name` is taken from the package. A newer
  // package of the same service replaces the one before. Errors:
  // WU_E_OL_INVALID_SCANFILE, WU_E_OL_NEWCLIENT_REQUIRED, CERT_E_EXPIRED,
  // WU_E_METADATA_…, WU_E_REDIRECTOR_ID_SMALLER for an older package,
  // WU_E_DS_ROWEXISTS for a service that is registered with a URL.
  absl::StatusOr<UpdateService> AddScanPackageService(
      absl::string_view service_name, absl::string_view scan_file_location,
      absl::string_view root_metadata, int32_t flags = 0) const;
  // Administrators. WU_E_DS_UNKNOWNSERVICE (UAMG-218).
  absl::Status RemoveService(absl::string_view service_id) const;
  // Fetches and verifies the repository now.
  absl::StatusOr<RefreshResult> Refresh(absl::string_view service_id) const;

 private:
  std::shared_ptr<internal::SessionCore> core_;
};

}  // namespace usher

#endif  // USHER_UPDATE_SERVICE_MANAGER_H_
