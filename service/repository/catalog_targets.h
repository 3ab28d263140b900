#ifndef USHER_SERVICE_REPOSITORY_CATALOG_TARGETS_H_
#define USHER_SERVICE_REPOSITORY_CATALOG_TARGETS_H_

// The catalogs among a repository's targets, its own and those of the
// publishers to whom it delegates.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata.h"
#include "service/repository/repository.h"

namespace usher::repository {

// Gives a role on the word of a delegator ("" for the top-level targets).
using RoleLoader =
    std::function<absl::StatusOr<std::shared_ptr<const tuf::Targets>>(
        absl::string_view role, absl::string_view delegator)>;

// What is asked of the catalogs of one role.
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED for one without SHA-256 or beyond
// `max_bytes`.
absl::Status CheckCatalogs(absl::string_view role, const tuf::Targets& targets,
                           int64_t max_bytes);

struct CatalogTargets {
  std::vector<TargetFile> catalogs;  // by priority and name
  // Delegated roles that could not be had. Their catalogs are missing; the
  // others are whole, so that one publisher's lapse is not everybody's.
  std::vector<RoleProblem> problems;
};

// Asks every role that may describe a catalog; who describes which one is
// decided for each as it is for any target. Fails only if the top-level
// targets do, or if there are more than `max_roles` roles.
absl::StatusOr<CatalogTargets> FindCatalogs(const RepositoryOptions& options,
                                            const RoleLoader& load);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_CATALOG_TARGETS_H_
