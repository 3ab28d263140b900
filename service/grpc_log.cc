#include "service/grpc_log.h"

#include <grpc/support/log.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "service/session/line_limit.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

// Who causes a line is not known where it is written, so all share one count.
constexpr session::LineLimit::Limits kLines = {60, 60, absl::Minutes(1)};
// What a client sends may be as long as the metadata of a call.
constexpr size_t kMaxBytes = 512;

struct State {
  absl::Mutex mutex;
  std::unique_ptr<session::LineLimit> limit ABSL_GUARDED_BY(mutex);
};

// Never destroyed: gRPC's threads live as long as the process.
State& GetState() {
  static auto* const state = new State;
  return *state;
}

void Write(gpr_log_func_args* args) {
  State& state = GetState();
  // Held while the line is written, so that the log is there.
  absl::MutexLock lock(&state.mutex);
  if (state.limit == nullptr || !spdlog::should_log(spdlog::level::warn) ||
      !state.limit->Admit("gRPC", absl::Now())) {
    return;
  }
  const absl::string_view message(args->message);
  spdlog::warn("gRPC: {}{}", absl::CEscape(message.substr(0, kMaxBytes)),
               message.size() > kMaxBytes ? "…" : "");
}

}  // namespace

void StartGrpcLog() {
  State& state = GetState();
  {
    absl::MutexLock lock(&state.mutex);
    state.limit = std::make_unique<session::LineLimit>(
        kLines, [](const std::string& line) { spdlog::warn("{}", line); });
  }
  gpr_set_log_function(Write);
}

void StopGrpcLog() {
  State& state = GetState();
  absl::MutexLock lock(&state.mutex);
  state.limit.reset();
}

}  // namespace usher::daemon
