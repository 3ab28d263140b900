#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal.h"

namespace usher::cli {
namespace {

struct Interrupts {
  absl::Mutex mutex;
  std::function<void(int)> handler ABSL_GUARDED_BY(mutex);
  int count ABSL_GUARDED_BY(mutex) = 0;
};

// Never destroyed: the waiting thread lives as long as the process.
Interrupts& State() {
  static auto* state = new Interrupts;
  return *state;
}

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void WaitForSignals() {
  const sigset_t signals = Signals();
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) return;
    std::function<void(int)> handler;
    int count = 0;
    {
      absl::MutexLock lock(&State().mutex);
      handler = State().handler;
      count = ++State().count;
    }
    if (!handler) LeaveNow(kExitInterrupted);
    // Not on this thread: a handler that waits for the service must not keep
    // the second Ctrl-C waiting.
    std::thread(handler, count).detach();
  }
}

}  // namespace

// Terminals are like that.
void PrepareTerminal() {}

bool StdinIsTerminal() { return isatty(STDIN_FILENO) == 1; }
bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }
bool StderrIsTerminal() { return isatty(STDERR_FILENO) == 1; }

int TerminalWidth() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

void CatchInterrupts() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A reader that went away (`usher search | head`) is a failed write.
  signal(SIGPIPE, SIG_IGN);
  std::thread(WaitForSignals).detach();
}

void OnInterrupt(std::function<void(int)> handler) {
  absl::MutexLock lock(&State().mutex);
  State().handler = std::move(handler);
  State().count = 0;
}

const char kServiceQuery[] = "systemctl status usherd";
const char kElevationPrefix[] = "sudo ";
const char kHowToElevate[] = "sudo usher …";

void LeaveNow(int exit_code) {
  std::fflush(nullptr);
  _exit(exit_code);
}

}  // namespace usher::cli
