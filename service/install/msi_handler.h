#ifndef USHER_SERVICE_INSTALL_MSI_HANDLER_H_
#define USHER_SERVICE_INSTALL_MSI_HANDLER_H_

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "service/install/handler.h"
#include "service/install/msi_system.h"

namespace usher::install {

// Installs Windows Installer packages with msiexec, without questions and
// without restarting. Windows Installer rolls a failed package back itself and
// keeps what it needs for uninstalling. Its log is msi.log in the log folder.
class MsiHandler : public Handler {
 public:
  // How long to wait altogether while other installations run.
  static constexpr absl::Duration kBusyTimeout = absl::Minutes(10);

  explicit MsiHandler(std::unique_ptr<MsiSystem> system)
      : system_(std::move(system)) {}

  // Refuses an update without product code, and properties that msiexec would
  // take for something else.
  absl::Status Prepare(const Attempt& attempt) override;
  ApplyResult Apply(const Attempt& attempt) override;
  absl::Status Commit(const Attempt& attempt) override;
  absl::Status Undo(const Attempt& attempt, bool applying) override;
  // Asks Windows Installer; unknown only where the product was installed
  // before and still is.
  absl::StatusOr<Recovery> Recover(const Attempt& attempt) override;

 private:
  const std::unique_ptr<MsiSystem> system_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_MSI_HANDLER_H_
