#include "client/cli/interrupts.h"

#include <cstdio>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal.h"

namespace usher::cli {
namespace {

// For a reader that is slow.
constexpr absl::Duration kLeaveTime = absl::Seconds(1);

struct Interrupts {
  absl::Mutex mutex;
  std::function<void(int)> handler ABSL_GUARDED_BY(mutex);
  int count ABSL_GUARDED_BY(mutex) = 0;
  int running ABSL_GUARDED_BY(mutex) = 0;
  bool leaving ABSL_GUARDED_BY(mutex) = false;
};

// Never destroyed: those who wait for interrupts live as long as the process.
Interrupts& State() {
  static auto* state = new Interrupts;
  return *state;
}

void Run(std::function<void(int)> handler, int count) {
  handler(count);
  handler = nullptr;  // what it holds goes before anybody may rely on that
  absl::MutexLock lock(&State().mutex);
  --State().running;
}

// A thread of its own, or, if the system gives none, this one.
void Detach(std::function<void()> work) {
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {
    work();
  }
}

}  // namespace

void OnInterrupt(std::function<void(int)> handler) {
  absl::MutexLock lock(&State().mutex);
  State().handler.swap(handler);
  State().count = 0;
}

void EndInterrupts() {
  OnInterrupt(nullptr);
  const auto idle = [] {
    State().mutex.AssertReaderHeld();
    return State().running == 0;
  };
  absl::MutexLock lock(&State().mutex);
  State().mutex.Await(absl::Condition(&idle));
}

void Interrupted() {
  std::function<void(int)> handler;
  int count = 0;
  {
    absl::MutexLock lock(&State().mutex);
    if (State().leaving) EndProcess(kExitInterrupted);
    handler = State().handler;
    count = ++State().count;
    if (handler) ++State().running;
  }
  // Not on this thread: one that waits for the service, or for whoever reads
  // the output, must not keep the second Ctrl-C waiting.
  if (handler) {
    Detach([handler = std::move(handler), count] { Run(handler, count); });
  } else {
    LeaveSoon(kExitInterrupted);
    Detach([] { LeaveNow(kExitInterrupted); });
  }
}

void LeaveSoon(int exit_code) {
  {
    absl::MutexLock lock(&State().mutex);
    if (std::exchange(State().leaving, true)) return;
  }
  Detach([exit_code] {
    absl::SleepFor(kLeaveTime);
    EndProcess(exit_code);
  });
}

void LeaveNow(int exit_code) {
  LeaveSoon(exit_code);
  std::fflush(nullptr);
  EndProcess(exit_code);
}

}  // namespace usher::cli
