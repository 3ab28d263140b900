#ifndef USHER_SERVICE_INSTALL_UPDATE_PLAN_H_
#define USHER_SERVICE_INSTALL_UPDATE_PLAN_H_

// What is to be done for one update of a job, after all its preconditions.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/install/handler_set.h"
#include "service/install/install_engine.h"
#include "service/install/journal.h"
#include "service/install/kept.h"

namespace usher::install {

struct UpdatePlan {
  // Set when there is nothing to do: the result already, good or bad.
  std::optional<InstallResult> result;
  // Serialized usher.v1.UpdateHistoryEntry; all but result and date.
  std::string entry;
  std::vector<Step> steps;
};

// Makes plans. Thread-safe.
class Planner {
 public:
  Planner(catalog::Catalog& catalog, download::ContentCache& cache,
          const HandlerSet& handlers, const Kept& kept, std::string locale);

  // Checks, in this order, for an installation: installed already
  // (WU_S_ALREADY_INSTALLED unless forced), applicable (WU_E_NOT_APPLICABLE
  // unless forced), licence terms (WU_E_EULAS_DECLINED), ForceQuiet
  // (WU_E_UH_DOESNOTSUPPORTACTION), handler (WU_E_UH_UNKNOWNHANDLER), content
  // (WU_E_DM_NOTDOWNLOADED, also when forced). For an uninstallation: absent
  // (WU_S_ALREADY_UNINSTALLED unless forced or present), IsUninstallable
  // (WU_E_UNINSTALL_NOT_ALLOWED), ForceQuiet, handler. UAMG-185 … 189,
  // 199, 200.
  //
  // A bundle becomes one step for each child that needs it, in order (in
  // reverse for an uninstallation), which may be none. What an older revision
  // installed is uninstalled as that one said; the step's description has its
  // revision. What still older ones left in other places has steps of its own
  // before. A step whose description says that it always needs a restart has
  // it from the child, or is the last one of a bundle that says so.
  UpdatePlan Make(const InstallRequest& request,
                  const catalog::UpdateKey& key) const;

  // Keeps the payloads of `key` and its children in the cache.
  std::vector<download::ContentPin> Pin(const catalog::UpdateKey& key) const;

  // Whether `key`, or a child of it, must be alone in a job (UAMG-183).
  absl::StatusOr<bool> IsExclusive(Operation operation,
                                   const catalog::UpdateKey& key) const;

 private:
  class Checker;

  // Calls `visit` with `key`'s description and those of its children, as far
  // as they are known, until it returns false. The error is that of `key`.
  absl::Status Visit(
      const catalog::UpdateKey& key,
      absl::FunctionRef<bool(const repository::v1::UpdateDescription&)> visit)
      const;

  catalog::Catalog& catalog_;
  download::ContentCache& cache_;
  const HandlerSet& handlers_;
  const Kept& kept_;
  std::string locale_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_UPDATE_PLAN_H_
