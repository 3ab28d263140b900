#ifndef USHER_TESTS_UNIT_COMMON_PROCESS_END_H_
#define USHER_TESTS_UNIT_COMMON_PROCESS_END_H_

// How processes end and what they inherit, for death tests. Platform twins:
// process_end_posix.cc, process_end_win.cc.

#include <string>

namespace usher {

// Sets a variable of this process's environment.
void SetVariable(const std::string& name, const std::string& value);

// Whether a death test's exit status is that of KillThisProcess().
bool WasKilled(int exit_status);

}  // namespace usher

#endif  // USHER_TESTS_UNIT_COMMON_PROCESS_END_H_
