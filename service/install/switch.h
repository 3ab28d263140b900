#ifndef USHER_SERVICE_INSTALL_SWITCH_H_
#define USHER_SERVICE_INSTALL_SWITCH_H_

// The name "current" in a product's folder: which version is in use. Platform
// twins: switch_posix.cc (a symbolic link), switch_win.cc (a junction, or the
// file ".current" with the folder's name where the file system has none).

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::install {

// The folder beside it that `link` names; "" when there is no link.
absl::StatusOr<std::string> CurrentVersion(const std::filesystem::path& link);

// Makes `link` name the folder `version` beside it. At every moment there is
// either the old link or the new one; durable on return.
absl::Status SwitchTo(const std::filesystem::path& link,
                      absl::string_view version);

// Removes `link`; nothing there is fine. Durable on return.
absl::Status RemoveSwitch(const std::filesystem::path& link);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_SWITCH_H_
