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
// dpkg cannot undo. After a failure, what it left half done is configured, and
// packages that were not there before are removed again, so that the package
// database is not left in want of repair. What is still another than before,
// such as an older version that was replaced, the failure names. Cancelling
// takes effect before dpkg starts. Uninstalling removes and does not purge.
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
    std::string name;           // with ":architecture" unless "all"
    std::string wanted;         // version after an installation, else ""
    std::string before;         // version before, or ""
    std::string before_status;  // DpkgState::status before
  };
  using States = std::map<std::string, DpkgState>;

  absl::Status PrepareInstall(const Attempt& attempt);
  absl::Status PrepareUninstall(const Attempt& attempt);
  absl::Status WritePlan(const Attempt& attempt, const std::vector<Plan>& plan);
  absl::StatusOr<std::vector<Plan>> ReadPlan(const Attempt& attempt) const;
  absl::StatusOr<States> StatesOf(const std::vector<Plan>& plan,
                                  const Attempt& attempt) const;
  // Whether the package is as it was, or better configured.
  static bool AsBefore(const Plan& package, const DpkgState& now);
  // "hello is 2.0 half-configured, was 1.0"
  static std::string Standing(const Plan& package, const DpkgState& now);
  // That of the packages that are not as before; "" if there is none.
  static std::string Differences(const std::vector<Plan>& plan,
                                 const States& states);
  // A run that puts right what an earlier one left.
  DpkgRun RepairRun(const Attempt& attempt,
                    std::vector<std::string> action) const;
  // Undo's work on a failed installation; `states` take what came out.
  absl::Status TakeBack(const Attempt& attempt, const std::vector<Plan>& plan,
                        States& states) const;

  Dpkg dpkg_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_DEB_HANDLER_H_
