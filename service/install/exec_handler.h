#ifndef USHER_SERVICE_INSTALL_EXEC_HANDLER_H_
#define USHER_SERVICE_INSTALL_EXEC_HANDLER_H_

#include "service/install/handler.h"

namespace usher::install {

// Runs a vendor's own installer in a private copy of the payloads. What it did
// when it was interrupted cannot be known, and cannot be undone.
//
// The program finds in its environment USHER_OPERATION ("install" or
// "uninstall"), USHER_UPDATE_ID, USHER_REVISION, HOME, TMPDIR, TEMP and TMP
// (private, empty, removed afterwards) and LC_ALL=C.UTF-8. Its output goes to
// exec.log.
class ExecHandler : public Handler {
 public:
  absl::Status Prepare(const Attempt& attempt) override;
  ApplyResult Apply(const Attempt& attempt) override;
  // Keeps the payloads if the update can be uninstalled with them.
  absl::Status Commit(const Attempt& attempt) override;
  absl::Status Undo(const Attempt& attempt, bool applying) override;
  absl::StatusOr<Recovery> Recover(const Attempt& attempt) override;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_EXEC_HANDLER_H_
