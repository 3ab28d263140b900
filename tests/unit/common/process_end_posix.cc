#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "tests/unit/common/process_end.h"

namespace usher {

void SetVariable(const std::string& name, const std::string& value) {
  setenv(name.c_str(), value.c_str(), 1);
}

bool WasKilled(int exit_status) {
  return WIFSIGNALED(exit_status) && WTERMSIG(exit_status) == SIGKILL;
}

}  // namespace usher
