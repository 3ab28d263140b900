#ifndef USHER_PUBLISHER_DIFF_H_
#define USHER_PUBLISHER_DIFF_H_

// What two states of a repository have different.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/repository_source.h"
#include "publisher/workspace.h"

namespace usher::publisher {

struct UpdateState {
  std::string update_id;
  int32_t revision = 0;
  std::string name;
  std::string version;
  std::string title;
  std::string role;  // "targets", or the vendor's name
  bool yanked = false;
  std::string digest;  // of everything
};

struct RepositoryState {
  std::map<std::string, UpdateState> updates;  // by id
  struct Category {
    std::string name;
    std::string digest;
  };
  std::map<std::string, Category> categories;  // by id
  // Who signs, in words that are compared: "root", "timestamp" …, "delegation
  // to NAME".
  std::map<std::string, std::string> trust;
};

// What a repository's clients see, verified from `root`.
absl::StatusOr<RepositoryState> PublicState(RepositorySource& source,
                                            absl::string_view root,
                                            absl::Time now);

// What the repository's own clients will see of its draft, without vendors.
absl::StatusOr<RepositoryState> DraftState(const Workspace& workspace);

struct Difference {
  std::vector<UpdateState> added;
  std::vector<UpdateState> removed;
  struct Change {
    UpdateState before;
    UpdateState after;
  };
  std::vector<Change> changed;
  std::vector<std::string> categories_added;  // names
  std::vector<std::string> categories_removed;
  std::vector<std::string> categories_changed;
  struct TrustChange {
    std::string what;
    std::string before;  // "" for nothing
    std::string after;
  };
  std::vector<TrustChange> trust;

  bool empty() const {
    return added.empty() && removed.empty() && changed.empty() &&
           categories_added.empty() && categories_removed.empty() &&
           categories_changed.empty() && trust.empty();
  }
};

// Updates come by name, version, id. `with_trust`: who signs is compared, too.
Difference Compare(const RepositoryState& before, const RepositoryState& after,
                   bool with_trust);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_DIFF_H_
