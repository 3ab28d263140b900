#ifndef USHER_TESTS_FAULT_CHILD_H_
#define USHER_TESTS_FAULT_CHILD_H_

// Runs install_fault_child, the process that dies.

#include <filesystem>
#include <string>

#include "service/platform/process.h"

namespace usher::install::test {

// In `dir`; `fault` is a fault point, or "".
platform::ProcessResult Child(const std::filesystem::path& dir,
                              const std::string& scenario,
                              const std::string& action,
                              const std::string& fault);

// Whether it ended as if the power had been cut.
bool WasKilled(const platform::ProcessResult& result);

}  // namespace usher::install::test

#endif  // USHER_TESTS_FAULT_CHILD_H_
