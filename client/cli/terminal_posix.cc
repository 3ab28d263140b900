#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <thread>

#include "client/cli/interrupts.h"
#include "client/cli/terminal.h"

namespace usher::cli {
namespace {

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
    Interrupted();
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

const char kServiceQuery[] = "systemctl status usherd";
const char kElevationPrefix[] = "sudo ";
const char kHowToElevate[] = "sudo usher …";

void EndProcess(int exit_code) { _exit(exit_code); }

}  // namespace usher::cli
