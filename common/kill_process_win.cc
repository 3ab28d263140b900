#include <windows.h>

#include <cstdlib>

#include "common/kill_process.h"

namespace usher {
namespace {

// What a shell on POSIX reports for SIGKILL, so that a test can tell this end
// from others on both platforms.
constexpr UINT kExitCode = 128 + 9;

}  // namespace

void KillThisProcess() {
  TerminateProcess(GetCurrentProcess(), kExitCode);
  // The process ends before this is reached.
  std::_Exit(kExitCode);
}

}  // namespace usher
