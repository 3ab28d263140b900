#ifndef USHER_SERVICE_CATALOG_CRITERIA_H_
#define USHER_SERVICE_CATALOG_CRITERIA_H_

// The search criteria language (API reference, section 3; UAMG-035 … 086).
//
// `or` stands outside parentheses only, so every criteria string is a list of
// and-groups, and that is what parsing gives.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::catalog {

// Longest criteria string, in bytes, and most criteria in one.
inline constexpr size_t kMaxCriteriaBytes = size_t{32} * 1024;
inline constexpr int kMaxCriteria = 256;

// What an empty criteria string stands for (UAMG-035).
inline constexpr absl::string_view kDefaultCriteria =
    "( IsInstalled = 0 and IsHidden = 0 )";

enum class Property {
  kType,
  kDeploymentAction,
  kIsAssigned,
  kAutoSelectOnWebSites,
  kBrowseOnly,
  kUpdateId,
  kRevisionNumber,
  kCategoryIds,
  kIsInstalled,
  kIsHidden,
  kIsPresent,
  kRebootRequired,
};

struct Criterion {
  Property property;
  bool negated = false;  // "!="
  // 0 or 1 for flags, the revision, usher.v1.UpdateType or DeploymentAction.
  int64_t number = 0;
  std::string text;  // UpdateID, CategoryIDs: unescaped, lower case
};

// All of them must hold.
using AndGroup = std::vector<Criterion>;

// One of them must hold; never empty.
using Criteria = std::vector<AndGroup>;

// Parses criteria strictly. WU_E_INVALID_CRITERIA with position (1 is the
// first byte) and reason.
absl::StatusOr<Criteria> ParseCriteria(absl::string_view text);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_CRITERIA_H_
