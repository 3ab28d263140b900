#ifndef USHER_TESTS_UNIT_INSTALL_FAKE_MSIEXEC_H_
#define USHER_TESTS_UNIT_INSTALL_FAKE_MSIEXEC_H_

// A program in place of msiexec. Platform twins: fake_msiexec_posix.cc (a shell
// script), fake_msiexec_win.cc (a copy of the test program).

#include <filesystem>
#include <string>

namespace usher::install::test {

struct MsiexecBehaviour {
  // Whether it copies work/package.msi to the file "seen".
  bool keep_package = false;
  // What it writes to its log; empty: no log.
  std::string log;
  int exit_code = 0;
};

// The program in `folder`.
std::filesystem::path MsiexecPath(const std::filesystem::path& folder);

// Makes it, or changes it. It notes its arguments in the file "arguments" in
// `folder`, a line each, and that it ran in the file "runs".
void WriteMsiexec(const std::filesystem::path& folder,
                  const MsiexecBehaviour& behaviour);

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_FAKE_MSIEXEC_H_
