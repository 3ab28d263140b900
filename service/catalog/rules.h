#ifndef USHER_SERVICE_CATALOG_RULES_H_
#define USHER_SERVICE_CATALOG_RULES_H_

// Applicability rules: evaluating them, and what they depend on. Checking them
// is common/catalog/check_rule.h.

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/catalog/facts.h"

namespace usher::repository::v1 {
class Rule;
}  // namespace usher::repository::v1

namespace usher::catalog {

// Receipts of what Usher installed.
class Receipts {
 public:
  virtual ~Receipts() = default;
  // The installed revision of an update, 0 when none is. An empty id means the
  // update that carries the rule.
  virtual absl::StatusOr<int32_t> InstalledRevision(
      absl::string_view update_id) = 0;
};

// Evaluates a checked rule of the update `own_update_id`.
absl::StatusOr<bool> EvaluateRule(const repository::v1::Rule& rule,
                                  absl::string_view own_update_id,
                                  const MachineFacts& machine, Facts& facts,
                                  Receipts& receipts);

// Facts that a rule depends on and that can change while the service runs;
// FactKind::kMachine is left out, since it concerns all rows anyway.
using RuleFacts = std::set<std::pair<FactKind, std::string>>;
void CollectFacts(const repository::v1::Rule& rule,
                  absl::string_view own_update_id, RuleFacts& facts);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_RULES_H_
