#include <algorithm>
#include <limits>

#include "common/error.h"
#include "common/fault_point.h"
#include "service/download/content_cache.h"
#include "service/install/install_engine.h"
#include "service/session/core.h"
#include "service/session/machine_api.h"
#include "service/session/proto_time.h"
#include "service/store/history_store.h"
#include "usher/v1/history.pb.h"
#include "usher/v1/system.pb.h"

namespace usher::session {

absl::Status GetSystemInformation(
    Core& core, const Call& call,
    const v1::GetSystemInformationRequest& /*request*/,
    v1::SystemInformation& response) {
  response.set_reboot_required(core.installs().RebootRequired());
  response.set_is_busy(core.installs().IsBusy());
  response.set_caller(call.caller.user);
  response.set_caller_is_administrator(call.caller.is_administrator);
  response.set_session_count(core.sessions().Count());
  response.set_running_job_count(core.RunningJobs());
  SetTime(core.start_time(), *response.mutable_service_start_time());
  response.set_cache_bytes(core.cache().TotalBytes());
  return absl::OkStatus();
}

absl::Status GetAgentInfo(Core& /*core*/, const Call& /*call*/,
                          const v1::GetAgentInfoRequest& /*request*/,
                          v1::AgentInfo& response) {
  response.set_api_major_version(8);
  response.set_api_minor_version(0);
  response.set_product_version_string(USHER_VERSION);
  return absl::OkStatus();
}

absl::Status GetTotalHistoryCount(
    Core& core, const Call& /*call*/,
    const v1::GetTotalHistoryCountRequest& /*request*/,
    v1::GetTotalHistoryCountResponse& response,
    const CancellationToken& /*cancel*/) {
  USHER_FAULT_POINT("session.history_count");
  USHER_ASSIGN_OR_RETURN(const int64_t count,
                         store::CountHistory(core.database()));
  response.set_count(static_cast<int32_t>(
      std::min<int64_t>(count, std::numeric_limits<int32_t>::max())));
  return absl::OkStatus();
}

}  // namespace usher::session
