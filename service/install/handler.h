#ifndef USHER_SERVICE_INSTALL_HANDLER_H_
#define USHER_SERVICE_INSTALL_HANDLER_H_

// What knows how to install one kind of update. The engine drives a handler
// through a step and writes the journal between the calls:
//
//   Prepare -> (journal) -> Apply -> (journal) -> Commit
//
// Undo takes back a Prepare or Apply that failed or was cancelled; Recover
// finds out, after a crash, how far Apply came.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cancellation.h"
#include "common/hresult.h"
#include "service/catalog/catalog.h"
#include "service/install/install_engine.h"

namespace usher::install {

// One installation or uninstallation of one update.
struct Attempt {
  // Unique for ever; the same after a crash.
  int64_t step_id = 0;
  Operation operation = Operation::kInstall;
  // What is installed, or was and is now uninstalled.
  catalog::UpdateKey key;
  // Valid as long as the attempt.
  const repository::v1::UpdateDescription* description = nullptr;
  download::ContentCache* cache = nullptr;
  // Private folder (0700) of this attempt; exists, and goes after it.
  std::filesystem::path work_dir;
  // Private folder in which the handler may keep files of this update until
  // it is uninstalled. May not exist.
  std::filesystem::path kept_dir;
  // Private folder for logs of what handlers run.
  std::filesystem::path log_dir;
  // The user wants it to end: heeded by handlers that can undo.
  CancellationToken cancel;
  // The service must stop now: heeded by all. What was interrupted is put
  // right by Recover at the next start.
  CancellationToken interrupt;
  // Takes 0 … 100 for the present call. May be empty.
  std::function<void(int percent)> progress;

  void Report(int percent) const {
    if (progress) progress(percent);
  }
  bool stopping() const { return cancel.cancelled() || interrupt.cancelled(); }
};

// What came out of an Apply that succeeded.
struct Outcome {
  // S_OK or a success code such as WU_S_ALREADY_INSTALLED.
  HResult hresult = 0;
  bool reboot_required = false;
  // Nothing else may be installed before the restart, not even the rest of a
  // bundle.
  bool restart_mandatory = false;
  // The installer's own code where it is not an HRESULT.
  int32_t unmapped_result_code = 0;
  std::string message;
};

// A failure, with the installer's own code if it has one.
struct ApplyResult {
  absl::Status status;
  Outcome outcome;  // unmapped_result_code also when status is an error
};

// What Recover found.
struct Recovery {
  enum class State {
    kApplied,  // Apply's work is complete (or was completed now)
    kUndone,   // nothing of it is left
    kUnknown,  // neither can be said
  };
  State state = State::kUnknown;
  Outcome outcome;      // for kApplied
  std::string message;  // for kUnknown: why
};

// Called by one thread at a time.
class Handler {
 public:
  virtual ~Handler() = default;

  // Checks and gathers what Apply needs, without changing anything that
  // others see.
  virtual absl::Status Prepare(const Attempt& attempt) = 0;

  // Makes the change. After an error the engine calls Undo.
  virtual ApplyResult Apply(const Attempt& attempt) = 0;

  // Drops what only Undo needs; keeps what an uninstallation will need. Can be
  // repeated after a crash, also when work_dir has gone meanwhile.
  virtual absl::Status Commit(const Attempt& attempt) = 0;

  // Takes back Prepare and Apply as far as that is possible. `applying`: Apply
  // was called (perhaps in a former life). Can be repeated.
  virtual absl::Status Undo(const Attempt& attempt, bool applying) = 0;

  // After a crash within Apply.
  virtual absl::StatusOr<Recovery> Recover(const Attempt& attempt) = 0;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_HANDLER_H_
