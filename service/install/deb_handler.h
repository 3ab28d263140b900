#ifndef USHER_SERVICE_INSTALL_DEB_HANDLER_H_
#define USHER_SERVICE_INSTALL_DEB_HANDLER_H_

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/install/dpkg.h"
#include "service/install/handler.h"

namespace usher::install {

// Installs Debian packages with dpkg, all of an update in one run.
//
// dpkg cannot undo. After a failure, packages that were not there before are
// removed again, so that the package database is not left in want of repair;
// one that replaced an older version stays as dpkg left it. Cancelling takes
// effect before dpkg starts. Uninstalling removes and does not purge.
class DebHandler : public Handler {
 public:
  explicit DebHandler(DpkgOptions options) : dpkg_(std::move(options)) {}

  absl::Status Prepare(const Attempt& attempt) override;
  ApplyResult Apply(const Attempt& attempt) override;
  absl::Status Commit(const Attempt& attempt) override;
  absl::Status Undo(const Attempt& attempt, bool applying) override;
  absl::StatusOr<Recovery> Recover(const Attempt& attempt) override;

 private:
  // One package of the attempt, as Prepare wrote it down.
  struct Plan {
    std::string name;    // with ":architecture" unless "all"
    std::string wanted;  // version after an installation, else ""
    std::string before;  // version before, or ""
  };

  absl::Status PrepareInstall(const Attempt& attempt);
  absl::Status PrepareUninstall(const Attempt& attempt);
  absl::Status WritePlan(const Attempt& attempt, const std::vector<Plan>& plan);
  absl::StatusOr<std::vector<Plan>> ReadPlan(const Attempt& attempt) const;
  absl::StatusOr<std::map<std::string, DpkgState>> StatesOf(
      const std::vector<Plan>& plan, const Attempt& attempt) const;

  Dpkg dpkg_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_DEB_HANDLER_H_
