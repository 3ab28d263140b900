#include <cstdlib>

#include "tests/unit/common/process_end.h"

namespace usher {

void SetVariable(const std::string& name, const std::string& value) {
  _putenv_s(name.c_str(), value.c_str());
}

bool WasKilled(int exit_status) { return exit_status == 128 + 9; }

}  // namespace usher
