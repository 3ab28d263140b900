#ifndef USHER_TESTS_FAULT_SCENARIO_H_
#define USHER_TESTS_FAULT_SCENARIO_H_

// Installations that the fault tests kill at each of their steps. The same
// code sets them up in the process that dies and in the one that recovers.

#include <string>
#include <vector>

#include "service/install/install_engine.h"
#include "tests/unit/install/world.h"

namespace usher::install::test {

struct Scenario {
  std::string name;
  // What is installed before, without a fault.
  std::vector<catalog::UpdateKey> before;
  InstallRequest request;
};

// Fills the world's catalog and cache with the updates of all scenarios and
// returns the one called `name`.
Scenario SetUp(World& world, const std::string& name);

}  // namespace usher::install::test

#endif  // USHER_TESTS_FAULT_SCENARIO_H_
