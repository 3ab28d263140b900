#ifndef USHER_SERVICE_REPOSITORY_ROLE_BUDGET_H_
#define USHER_SERVICE_REPOSITORY_ROLE_BUDGET_H_

// How much the delegated roles of one repository may be. All of them are in
// memory at once, and whoever publishes one may make it as large as it likes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"
#include "service/repository/repository.h"

namespace usher::repository {

// Of one run. Not thread-safe.
class RoleBudget {
 public:
  explicit RoleBudget(const RepositoryOptions& options)
      : of_one_(options.max_role_bytes),
        of_all_(options.max_all_roles_bytes),
        left_(options.max_all_roles_bytes) {}

  // Bytes that a role on the word of `delegator` may have.
  int64_t For(absl::string_view role, absl::string_view delegator) const {
    return counted_.contains({std::string(role), std::string(delegator)})
               ? of_one_
               : std::min(of_one_, left_);
  }

  // For each role that is kept; at most For(). One that is read again counts
  // once.
  void Take(absl::string_view role, absl::string_view delegator, size_t bytes) {
    if (counted_.emplace(std::string(role), std::string(delegator)).second) {
      left_ -= static_cast<int64_t>(bytes);
    }
  }

  // What is said of a file that is larger than For().
  absl::Status Exceeded(absl::string_view file) const {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 left_ < of_one_
                     ? absl::StrCat(file,
                                    ": with it the delegated roles are larger "
                                    "than the limit of ",
                                    of_all_, " bytes for all of them")
                     : absl::StrCat(file, ": larger than the limit of ",
                                    of_one_, " bytes for a delegated role"),
                 file);
  }

 private:
  const int64_t of_one_;
  const int64_t of_all_;
  int64_t left_;
  std::set<std::pair<std::string, std::string>> counted_;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_ROLE_BUDGET_H_
