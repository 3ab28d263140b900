#ifndef USHER_PUBLISHER_STAGING_H_
#define USHER_PUBLISHER_STAGING_H_

// Staged updates: which share of the machines is offered an update, and on
// which channels. Both are rules that is_installable is joined with by all_of:
// among its direct parts (or all of it) at most one RolloutRule without a seed
// and at most one ChannelRule. Those are read, replaced and removed here,
// whoever wrote them; what stands deeper, or has a seed, is the author's own.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/catalog/check_rule.h"

namespace usher::repository::v1 {
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::publisher {

struct Staging {
  // Hundredths of a percent; kAllBasisPoints: every machine.
  int basis_points = catalog::kAllBasisPoints;
  // Sorted, each once; empty: whatever channels a machine follows.
  std::vector<std::string> channels;
  friend bool operator==(const Staging&, const Staging&) = default;
};

Staging StagingOf(const repository::v1::UpdateDescription& description);

// Replaces or removes the rule about the share; 0 to kAllBasisPoints.
void SetShare(int basis_points, repository::v1::UpdateDescription& description);
// Replaces the rule about channels; removes it when there are none.
void SetChannels(const std::vector<std::string>& channels,
                 repository::v1::UpdateDescription& description);

// Whether there is at most one rule of each kind, and none in is_installed:
// staging says what is offered, not what a machine has.
// WU_E_EE_INVALID_EXPRESSION.
absl::Status CheckStaging(const repository::v1::UpdateDescription& description);

// 0 to 100 in steps of 0.01 as hundredths of a percent; none for the rest.
absl::optional<int> BasisPointsOf(double percent);
// The same from text: "12.5" or "12.5%".
absl::optional<int> ParsePercent(absl::string_view text);
// "12.5"
std::string FormatPercent(int basis_points);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_STAGING_H_
