#ifndef USHER_COMMON_TUF_DELEGATION_H_
#define USHER_COMMON_TUF_DELEGATION_H_

// Which role speaks for which target (specification, sections 4.5 and 5.6.7;
// hash bins: TAP 15). Without I/O.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tuf/metadata.h"

namespace usher::tuf {

// Whether `delegated` is asked about the target of that name, by a pattern or
// by the beginning of the SHA-256 of the name.
bool IsDelegatedTo(const DelegatedRole& delegated, absl::string_view target);

// The name of the n-th hash bin, from 0 to 2^bit_length - 1.
std::string BinName(const SuccinctRoles& bins, uint64_t n);

// The hash bin that is asked about the target of that name.
std::string BinFor(const SuccinctRoles& bins, absl::string_view target);

// The rule of `delegations` for the role of that name, with the keys that may
// sign for it in `delegations.keys`; null if there is no such delegation.
const Role* FindRole(const Delegations& delegations, absl::string_view name);

// The search for one target through the delegations, depth first and in the
// order of priority: Next() names the role to look into, Visit() takes what it
// says. No role is visited twice, so that circles end.
//
// Not thread-safe.
class TargetSearch {
 public:
  struct Limits {
    // Roles visited for one target, and how deep they lie below the top-level
    // targets.
    size_t max_roles = 128;
    size_t max_depth = 32;
  };
  struct Step {
    std::string role;
    // Who delegates to it; "" for the top-level targets.
    std::string delegator;
  };

  TargetSearch(std::string target, Limits limits);

  // The role to be visited next; none when all have been asked, and after the
  // target was found. WU_E_METADATA_SIGNATURE_VERIFY_FAILED beyond a limit.
  absl::StatusOr<std::optional<Step>> Next();

  // Takes the trusted metadata of the role that Next() has named. The target's
  // description if it is there; it belongs to `targets`.
  const TargetInfo* Visit(const Targets& targets);

 private:
  struct Pending {
    Step step;
    size_t depth = 0;
  };

  std::string target_;
  Limits limits_;
  std::vector<Pending> to_visit_;  // the next one last
  std::set<std::string> visited_;
  Pending current_;
};

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_DELEGATION_H_
