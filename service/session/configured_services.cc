#include "service/session/configured_services.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "common/error.h"
#include "service/session/core.h"
#include "spdlog/spdlog.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

constexpr absl::Duration kFirstPause = absl::Seconds(10);
constexpr absl::Duration kLongestPause = absl::Minutes(10);
// AddServiceFlag: pending and online, or online alone.
constexpr int kPendingAndOnline = 3;
constexpr int kOnline = 2;

void Try(Core& core, const std::shared_ptr<const NewService>& service,
         absl::Duration pause) {
  core.network().Post([&core, service, pause] {
    if (core.stopping()) return;
    const absl::Status status =
        core.services().Add(*service, {}, core.stop_token()).status();
    if (status.ok() || core.stopping()) return;
    const bool passes = status.code() == absl::StatusCode::kUnavailable ||
                        status.code() == absl::StatusCode::kDeadlineExceeded;
    spdlog::error("configured service {} cannot be registered{}: {}",
                  service->url, passes ? " yet" : "",
                  std::string(status.message()));
    if (!passes) return;
    core.timers().After(pause, [&core, service, pause] {
      Try(core, service, std::min(pause * 2, kLongestPause));
    });
  });
}

}  // namespace

void RegisterConfigured(Core& core, std::vector<NewService> services) {
  for (NewService& service : services) {
    service.flags = service.service_id.empty() ? kOnline : kPendingAndOnline;
    Try(core, std::make_shared<const NewService>(std::move(service)),
        kFirstPause);
  }
}

}  // namespace usher::session
