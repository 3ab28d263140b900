#include "tests/fault/child.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/install/world.h"

namespace usher::install::test {

platform::ProcessResult Child(const std::filesystem::path& dir,
                              const std::string& scenario,
                              const std::string& action,
                              const std::string& fault) {
  platform::ProcessOptions options;
  options.argv = {std::filesystem::absolute(INSTALL_FAULT_CHILD).string(),
                  dir.string(), scenario, action};
  options.working_directory = dir;
  options.environment = {{"USHER_FAULT", fault}};
  for (const char* name : {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) {
      options.environment.emplace_back(name, value);
    }
  }
  options.timeout = absl::Minutes(1);
  auto result = platform::RunProcess(options, CancellationToken());
  // Wine 8 now and then fails to load a program, which then has done nothing.
  constexpr int kStatusDllInitFailed = static_cast<int>(0xC0000142);
  for (int tries = 1; !kIsUnix && result.ok() && tries < 5 &&
                      result->exit_code == kStatusDllInitFailed;
       ++tries) {
    result = platform::RunProcess(options, CancellationToken());
  }
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(platform::ProcessResult());
}

// By a fault point, which on Windows ends the process with this code.
bool WasKilled(const platform::ProcessResult& result) {
  return kIsUnix ? result.signal == 9 : result.exit_code == 128 + 9;
}

}  // namespace usher::install::test
