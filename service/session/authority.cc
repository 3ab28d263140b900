#include "service/session/authority.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"

namespace usher::session {
namespace {

absl::string_view Describe(Right right) {
  switch (right) {
    case Right::kDownload:
      return "download updates";
    case Right::kInstall:
      return "install or uninstall updates";
    case Right::kDecide:
      return "hide updates or accept licence terms";
    case Right::kManageServices:
      return "register, remove or refresh update services";
    case Right::kAllSessions:
      return "see or close other callers' sessions";
  }
  return "do this";
}

}  // namespace

absl::Status Authorize(const Caller& caller, Right right,
                       const Policy& policy) {
  if (caller.is_administrator) return absl::OkStatus();
  if (right == Right::kDownload && policy.users_may_download) {
    return absl::OkStatus();
  }
  return Error(hr::kEAccessdenied,
               absl::StrCat(caller.user, " may not ", Describe(right),
                            "; only administrators (root and the members of "
                            "service.administrators_group) may"));
}

}  // namespace usher::session
