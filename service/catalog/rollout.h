#ifndef USHER_SERVICE_CATALOG_ROLLOUT_H_
#define USHER_SERVICE_CATALOG_ROLLOUT_H_

// Which share of the machines this one belongs to: catalog.proto, RolloutRule.

#include "absl/strings/string_view.h"

namespace usher::catalog {

// What every machine follows.
inline constexpr absl::string_view kStableChannel = "stable";

// 0 to 9999, evenly over machines; always the same for the same arguments.
// `rollout_id` has no line feed, so that no two pairs of arguments are one
// text.
int RolloutDraw(absl::string_view rollout_id, absl::string_view seed);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_ROLLOUT_H_
