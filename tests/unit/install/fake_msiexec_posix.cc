#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/file_io.h"
#include "tests/unit/install/fake_msiexec.h"

namespace usher::install::test {

std::filesystem::path MsiexecPath(const std::filesystem::path& folder) {
  return folder / "msiexec";
}

void WriteMsiexec(const std::filesystem::path& folder,
                  const MsiexecBehaviour& behaviour) {
  const std::filesystem::path path = MsiexecPath(folder);
  std::string script =
      absl::StrCat("#!/bin/sh\nSTATE=", folder.string(),
                   "\nfor a in \"$@\"; do echo \"$a\" >> $STATE/arguments; "
                   "test \"$last\" = '/l*v' && LOG=$a; last=$a; done\necho >> "
                   "$STATE/runs\n");
  if (behaviour.keep_package) {
    absl::StrAppend(&script, "cp $STATE/work/package.msi $STATE/seen\n");
  }
  if (!behaviour.log.empty()) {
    absl::StrAppend(&script, "echo '", behaviour.log, "' > \"$LOG\"\n");
  }
  absl::StrAppend(&script, "exit ", behaviour.exit_code, "\n");
  ASSERT_TRUE(WriteFileAtomically(path, script).ok());
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

}  // namespace usher::install::test
