#include <gtest/gtest.h>
#include <windows.h>

#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/file_io.h"
#include "tests/unit/install/fake_msiexec.h"
#include "tests/unit/install/test_child_win.h"

namespace usher::install::test {

std::filesystem::path MsiexecPath(const std::filesystem::path& folder) {
  return folder / "msiexec.exe";
}

void WriteMsiexec(const std::filesystem::path& folder,
                  const MsiexecBehaviour& behaviour) {
  std::error_code error;
  if (!std::filesystem::exists(MsiexecPath(folder), error)) {
    ASSERT_TRUE(
        std::filesystem::copy_file(TestChildPath(), MsiexecPath(folder), error))
        << error.message();
  }
  // Read by the program.
  ASSERT_TRUE(WriteFileAtomically(
                  folder / "behaviour",
                  absl::StrCat(behaviour.exit_code, "\n",
                               behaviour.keep_package ? "keep" : "leave", "\n",
                               behaviour.log, "\n"))
                  .ok());
}

}  // namespace usher::install::test
