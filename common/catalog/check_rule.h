#ifndef USHER_COMMON_CATALOG_CHECK_RULE_H_
#define USHER_COMMON_CATALOG_CHECK_RULE_H_

#include "absl/status/status.h"

namespace usher::repository::v1 {
class Rule;
}  // namespace usher::repository::v1

namespace usher::catalog {

inline constexpr int kMaxRuleDepth = 16;
inline constexpr int kMaxRuleNodes = 256;
// RolloutRule.basis_points of all machines.
inline constexpr int kAllBasisPoints = 10000;
// Channels that one ChannelRule names.
inline constexpr int kMaxChannels = 64;

// Checks an applicability rule's size and every field, and brings ids into
// canonical form. WU_E_EE_UNKNOWN_EXPRESSION for a kind that this build does
// not know, WU_E_EE_INVALID_EXPRESSION for the rest.
absl::Status CheckRule(repository::v1::Rule& rule);

}  // namespace usher::catalog

#endif  // USHER_COMMON_CATALOG_CHECK_RULE_H_
