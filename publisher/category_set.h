#ifndef USHER_PUBLISHER_CATEGORY_SET_H_
#define USHER_PUBLISHER_CATEGORY_SET_H_

// The categories that a repository's updates can belong to.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "usher/v1/update.pb.h"

namespace usher::publisher {

// A value. Starts with the agent's well-known classifications under their
// well-known ids: "Updates", "Security Updates", "Critical Updates",
// "Definition Updates", "Feature Packs", "Service Packs", "Tools", "Update
// Rollups", "Drivers", "Applications".
class CategorySet {
 public:
  CategorySet();

  // Adds a category or replaces the one of the same id. The parent must be
  // there already. WU_E_INVALID_UPDATE when it is not right.
  absl::Status Add(const usher::v1::Category& category);

  // The id of a category given by id or by name (case-insensitive).
  // WU_E_UNKNOWN_ID when there is none or more than one of that name, with
  // the names that there are.
  absl::StatusOr<std::string> Resolve(absl::string_view id_or_name) const;

  // Null when there is none of that id.
  const usher::v1::Category* Find(absl::string_view id) const;

  // Those of `ids` and all their ancestors, each after its parent, in a fixed
  // order.
  std::vector<const usher::v1::Category*> Closure(
      const std::vector<std::string>& ids) const;

  // All, each after its parent, in a fixed order.
  std::vector<const usher::v1::Category*> All() const;

 private:
  std::map<std::string, usher::v1::Category> by_id_;
};

// The id that a category has when its author gives none.
std::string CategoryId(absl::string_view service_id, absl::string_view type,
                       absl::string_view name);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_CATEGORY_SET_H_
