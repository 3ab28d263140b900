#ifndef USHER_PUBLISHER_CLAIMS_H_
#define USHER_PUBLISHER_CLAIMS_H_

// Which updates and categories are whose in a repository of several publishers:
// clients leave out the publisher who claims another one's.

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "publisher/workspace.h"

namespace usher::v1 {
class Category;
}  // namespace usher::v1

namespace usher::publisher {

struct Claims {
  std::set<std::string> updates;  // ids
  // Ids with a hash of the whole record: several may define the same.
  std::map<std::string, std::string> categories;

  // WU_E_INVALID_UPDATE if it is there with another content.
  absl::Status AddCategory(const usher::v1::Category& category);
};

// The repository's own, among those of vendors.
inline constexpr absl::string_view kOwnClaims = "targets";

// Keeps what `owner` (a vendor, or kOwnClaims) has in the repository now.
absl::Status WriteClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims);
bool HasClaims(const Workspace& workspace, absl::string_view owner);
absl::Status RemoveClaims(const Workspace& workspace, absl::string_view owner);

// Compares with what all others have, unless the owner has claimed nothing new
// since WriteClaims(). WU_E_DS_DUPLICATEUPDATEID names the first thing that two
// of them claim, and the other owner.
absl::Status CheckClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_CLAIMS_H_
