#ifndef USHER_TESTS_UNIT_INSTALL_TEST_CHILD_WIN_H_
#define USHER_TESTS_UNIT_INSTALL_TEST_CHILD_WIN_H_

// The program that does what its first argument says
// (tests/unit/platform/test_child_win.cc), as an installer.

#include <gtest/gtest.h>
#include <windows.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/file_io.h"

namespace usher::install::test {

inline std::filesystem::path TestChildPath() {
  std::wstring self(MAX_PATH, L'\0');
  self.resize(GetModuleFileNameW(nullptr, self.data(), MAX_PATH));
  return std::filesystem::path(self).replace_filename("usher_test_child.exe");
}

// Its content.
inline std::string TestChild() {
  const auto content = ReadFile(TestChildPath(), uint64_t{256} << 20);
  EXPECT_TRUE(content.ok()) << content.status();
  return content.value_or("");
}

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_TEST_CHILD_WIN_H_
