#include "service/rpc/server_shutdown.h"

#include <grpcpp/server.h>

#include <algorithm>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/transport/transport.h"

namespace usher::rpc {
namespace {

// For clients that do read to be told that their calls are cancelled.
constexpr absl::Duration kFarewell = absl::Seconds(1);

}  // namespace

void ShutDown(grpc::Server& server, absl::Time deadline,
              transport::Listener* listener) {
  const absl::Time latest = std::max(deadline, absl::Now());
  absl::Notification ended;
  std::thread watch;
  if (listener != nullptr) {
    watch = std::thread([&ended, latest, listener] {
      if (!ended.WaitForNotificationWithDeadline(latest + kFarewell)) {
        listener->CutOff();
      }
    });
  }
  server.Shutdown(absl::ToChronoTime(latest));
  server.Wait();
  ended.Notify();
  if (watch.joinable()) watch.join();
}

}  // namespace usher::rpc
