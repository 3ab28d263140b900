#include <gtest/gtest.h>
#include <windows.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/uuid.h"
#include "common/win32.h"
#include "tests/unit/install/test_child_win.h"
#include "tests/unit/install/waiting_installer.h"

namespace usher::install::test {
namespace {

// The program says a byte at the pipe, and waits for one.
class ProgramAtAPipe : public WaitingInstaller {
 public:
  ProgramAtAPipe()
      : name_(absl::StrCat(R"(\\.\pipe\usher-test-)", RandomResourceId())),
        pipe_(CreateNamedPipeW(win32::ToWide(name_).c_str(), PIPE_ACCESS_DUPLEX,
                               PIPE_TYPE_BYTE | PIPE_WAIT, 1, 0, 0, 0,
                               nullptr)) {
    EXPECT_TRUE(pipe_.open());
  }

  catalog::UpdateKey Add(World& world, int n) override {
    repository::v1::UpdateDescription update = World::NewUpdate(Key(n));
    world.AddPayload(update, "setup.exe", TestChild());
    update.mutable_handler()->mutable_exec()->add_arguments("hold");
    update.mutable_handler()->mutable_exec()->add_arguments(name_);
    world.catalog().Add(update);
    return Key(n);
  }
  void WaitUntilStarted() override {
    EXPECT_TRUE(ConnectNamedPipe(pipe_.get(), nullptr) != 0 ||
                GetLastError() == ERROR_PIPE_CONNECTED);
    char byte = 0;
    DWORD count = 0;
    EXPECT_NE(::ReadFile(pipe_.get(), &byte, 1, &count, nullptr), 0);
  }
  void LetGo() override {
    const char byte = 'x';
    DWORD count = 0;
    EXPECT_NE(::WriteFile(pipe_.get(), &byte, 1, &count, nullptr), 0);
  }

 private:
  const std::string name_;
  const win32::Handle pipe_;
};

}  // namespace

std::unique_ptr<WaitingInstaller> WaitingInstaller::Make(
    const std::filesystem::path& /*dir*/) {
  return std::make_unique<ProgramAtAPipe>();
}

}  // namespace usher::install::test
