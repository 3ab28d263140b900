#ifndef USHER_SERVICE_INSTALL_INSTALL_ENGINE_H_
#define USHER_SERVICE_INSTALL_INSTALL_ENGINE_H_

// The one installer of the machine. Every step is written to a journal before
// it is taken, so that after a crash each update is done, undone, or failed
// with a history entry.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/hresult.h"
#include "service/catalog/catalog.h"
#include "service/install/dpkg_options.h"

namespace usher::store {
class Database;
}  // namespace usher::store
namespace usher::download {
class ContentCache;
}  // namespace usher::download

namespace usher::install {

enum class Operation { kInstall = 1, kUninstall = 2 };

struct InstallRequest {
  // Identifies the job across restarts; the last part of its resource name.
  std::string job_id;
  Operation operation = Operation::kInstall;
  std::vector<catalog::UpdateKey> updates;
  bool is_forced = false;
  bool force_quiet = false;
  // For history and log.
  std::string client_application_id;
  int server_selection = 0;
  std::string request_id;
  std::string caller;
};

// Outcome for one update; the wire form is usher.v1.UpdateResult.
struct InstallResult {
  int result_code = 0;  // usher.v1.OperationResultCode
  HResult hresult = 0;
  bool reboot_required = false;
  std::string message;
  int32_t unmapped_result_code = 0;
};

// Follows a job. Called on the engine's thread; must not block.
class InstallObserver {
 public:
  virtual ~InstallObserver() = default;
  // `percent` of the update at `index`; never goes back.
  virtual void OnProgress(int index, int percent) = 0;
  virtual void OnUpdateDone(int index, const InstallResult& result) = 0;
  // Last call. `parked`: the service is stopping and the remaining updates
  // wait for the next start.
  virtual void OnFinished(bool parked) = 0;
};

// A job that the journal found unfinished at start.
struct UnfinishedJob {
  InstallRequest request;
  // One per update; result_code 0 where it has not been tried.
  std::vector<InstallResult> results;
};

// Thread-safe.
class InstallEngine {
 public:
  struct Options {
    // Root of archive products: {product_dir}/{product}/{version}, current.
    std::filesystem::path product_dir;
    // Private work area, on the same file system as product_dir.
    std::filesystem::path work_dir;
    // How long Stop waits for a running handler before it is interrupted.
    absl::Duration stop_timeout = absl::Seconds(20);
    // Locale of history texts.
    std::string locale;
    // How Debian packages are installed.
    DpkgOptions dpkg;
    // Names the present boot of the machine; empty: asks the machine.
    std::string boot_id;
  };

  // Opens the engine and recovers: every update that was in the middle of a
  // step is brought to done, undone or failed.
  static absl::StatusOr<std::unique_ptr<InstallEngine>> Start(
      store::Database& database, catalog::Catalog& catalog,
      download::ContentCache& cache, const Options& options);
  virtual ~InstallEngine() = default;

  // Jobs to be offered to Resume.
  virtual std::vector<UnfinishedJob> Unfinished() = 0;

  // Accepts a job, or fails with WU_E_NO_UPDATE, WU_E_INSTALL_NOT_ALLOWED
  // (busy, or a restart must come first), WU_E_EXCLUSIVE_INSTALL_CONFLICT,
  // WU_E_DS_NODATA_NOSUCHREVISION. `cancel` takes effect between updates and,
  // where the handler can be undone, within one.
  virtual absl::Status Begin(const InstallRequest& request,
                             std::shared_ptr<InstallObserver> observer,
                             const CancellationToken& cancel) = 0;
  // Continues an unfinished job with its remaining updates.
  virtual absl::Status Resume(const std::string& job_id,
                              std::shared_ptr<InstallObserver> observer,
                              const CancellationToken& cancel) = 0;

  virtual bool IsBusy() const = 0;
  // ISystemInformation::RebootRequired.
  virtual bool RebootRequired() const = 0;
  // IUpdateInstaller::RebootRequiredBeforeInstallation.
  virtual bool RebootRequiredBeforeInstallation() const = 0;

  // Accepts no more jobs, parks the running one after its present step.
  virtual void Stop() = 0;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_INSTALL_ENGINE_H_
