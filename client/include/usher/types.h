#ifndef USHER_TYPES_H_
#define USHER_TYPES_H_

// Enumerations and small values of the SDK. The numbers are those of the
// Windows Update Agent (API reference, section 6.1).

#include <cstdint>
#include <string>

namespace usher {

// State or outcome of an operation.
enum class OperationResultCode {
  kNotStarted = 0,
  kInProgress = 1,
  kSucceeded = 2,
  kSucceededWithErrors = 3,
  kFailed = 4,
  kAborted = 5,
};

// Which kind of server a search asks.
enum class ServerSelection {
  kDefault = 0,
  kManagedServer = 1,
  kWindowsUpdate = 2,
  kOthers = 3,
};

// Per-machine or per-user updates; 3 to 5 are refused when searching with
// WU_E_UNSUPPORTED_SEARCHSCOPE (UAMG-094).
enum class SearchScope {
  kDefault = 0,
  kMachineOnly = 1,
  kCurrentUserOnly = 2,
  kMachineAndCurrentUser = 3,
  kMachineAndAllUsers = 4,
  kAllUsers = 5,
};

enum class UpdateType { kUnspecified = 0, kSoftware = 1, kDriver = 2 };

enum class DeploymentAction {
  kNone = 0,
  kInstallation = 1,
  kUninstallation = 2,
  kDetection = 3,
  kOptionalInstallation = 4,
};

// kUnspecified counts as kNormal.
enum class DownloadPriority {
  kUnspecified = 0,
  kLow = 1,
  kNormal = 2,
  kHigh = 3,
  kExtraHigh = 4,
};

enum class DownloadPhase {
  kUnspecified = 0,
  kInitializing = 1,
  kDownloading = 2,
  kVerifying = 3,
};

enum class InstallationImpact {
  kNormal = 0,
  kMinor = 1,
  // Must be alone in an install call (UAMG-183).
  kRequiresExclusiveHandling = 2,
};

enum class InstallationRebootBehavior {
  kNeverReboots = 0,
  kAlwaysRequiresReboot = 1,
  kCanRequestReboot = 2,
};

enum class AutoSelectionMode {
  kLetAgentDecide = 0,
  kAutoSelectIfDownloaded = 1,
  kNeverAutoSelect = 2,
  kAlwaysAutoSelect = 3,
};

enum class AutoDownloadMode {
  kLetAgentDecide = 0,
  kNeverAutoDownload = 1,
  kAlwaysAutoDownload = 2,
};

enum class UpdateOperation {
  kUnspecified = 0,
  kInstallation = 1,
  kUninstallation = 2,
};

enum class UpdateExceptionContext {
  kUnspecified = 0,
  kGeneral = 1,
  kWindowsDriver = 2,
  kWindowsInstaller = 3,
  kSearchIncomplete = 4,
};

// What a job does, and how far it is.
enum class JobKind {
  kUnspecified = 0,
  kSearch = 1,
  kDownload = 2,
  kInstallation = 3,
  kUninstallation = 4,
};

enum class JobState {
  kUnspecified = 0,
  kQueued = 1,
  kRunning = 2,
  // Set aside because the service stops; goes on at its next start.
  kParked = 3,
  kCompleted = 4,
};

// Name of one revision of one update of one service (IUpdateIdentity, and the
// service it came from).
struct UpdateIdentity {
  std::string service_id;  // UUID, lower case
  std::string update_id;   // UUID, lower case
  int32_t revision_number = 0;

  friend bool operator==(const UpdateIdentity&,
                         const UpdateIdentity&) = default;
};

// English names of values, for example "Succeeded"; "Unknown (9)" for a number
// that has none.
std::string ToString(OperationResultCode value);
std::string ToString(UpdateType value);
std::string ToString(UpdateOperation value);
std::string ToString(JobKind value);
std::string ToString(JobState value);

}  // namespace usher

#endif  // USHER_TYPES_H_
