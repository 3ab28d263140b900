#ifndef USHER_PUBLISHER_ROLLOUT_H_
#define USHER_PUBLISHER_ROLLOUT_H_

// Changing who is offered an update that is in the draft already.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "publisher/draft.h"
#include "publisher/staging.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// What to change; the rest stays as it is.
struct RolloutRequest {
  // 0 to kAllBasisPoints.
  absl::optional<int> basis_points;
  // Empty lifts the restriction to channels.
  absl::optional<std::vector<std::string>> channels;
};

struct RolloutResult {
  std::string update_id;
  int32_t revision = 0;  // the new one, or the present one if unchanged
  std::string name;
  std::string title;
  DraftChange change = DraftChange::kUnchanged;
  Staging before;
  Staging after;
};

// Stages the update `reference`, an UpdateID or a name, and gives it the next
// revision; machines that have the present revision count as having the new
// one, too, since only its offer differs. WU_E_DS_NODATA_NOSUCHREVISION when
// there is none; E_INVALIDARG with the list when several have the name;
// WU_E_INVALID_UPDATE when a bundle names its present revision.
absl::StatusOr<RolloutResult> ChangeRollout(Workspace& workspace,
                                            absl::string_view reference,
                                            const RolloutRequest& request,
                                            absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_ROLLOUT_H_
