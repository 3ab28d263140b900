// The process that dies: install_fault_child FOLDER SCENARIO ACTION, with
// USHER_FAULT naming the step. ACTION "prepare" installs what the scenario
// wants to have before, "run" runs its job, "recover" only starts the engine.

#include <cstdio>
#include <memory>
#include <string>

#include "tests/fault/scenario.h"

int main(int argc, char** argv) {
  using usher::install::test::World;
  if (argc != 4) return 2;
  const std::string action = argv[3];
  World world(argv[1]);
  const auto scenario = usher::install::test::SetUp(world, argv[2]);
  if (const absl::Status status = world.Start(); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 3;
  }
  if (action == "prepare" && !scenario.before.empty()) {
    for (const auto& result : world.Install(scenario.before)) {
      std::fprintf(stderr, "%s\n", result.message.c_str());
      if (result.result_code != 2) return 4;
    }
  }
  if (action == "run") world.Run(scenario.request);
  return 0;
}
