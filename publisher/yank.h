#ifndef USHER_PUBLISHER_YANK_H_
#define USHER_PUBLISHER_YANK_H_

// Withdrawing updates that turned out bad: nobody is offered them any more, and
// what they superseded is offered again. Machines that have one keep it, know
// it as installed and can uninstall it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/workspace.h"

namespace usher::publisher {

struct YankedUpdate {
  std::string update_id;
  std::string name;
  std::string version;
  std::string reason;
  bool changed = false;  // false: it was so already
};

// Withdraws updates, each given by its UpdateID or by a name that only one
// update has. All or none. `reason` has 1 to 1024 bytes and is published.
// Errors as of Draft::FindOne().
absl::StatusOr<std::vector<YankedUpdate>> YankUpdates(
    Workspace& workspace, const std::vector<std::string>& references,
    absl::string_view reason, absl::Time now);

// Takes that back.
absl::StatusOr<std::vector<YankedUpdate>> UnyankUpdates(
    Workspace& workspace, const std::vector<std::string>& references,
    absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_YANK_H_
