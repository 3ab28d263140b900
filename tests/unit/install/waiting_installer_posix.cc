#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/install/waiting_installer.h"

namespace usher::install::test {
namespace {

// Opening the pipe blocks until the other end is opened too.
class ScriptAtAPipe : public WaitingInstaller {
 public:
  explicit ScriptAtAPipe(const std::filesystem::path& dir)
      : pipe_(dir / "pipe") {
    EXPECT_EQ(mkfifo(pipe_.c_str(), 0600), 0);
  }

  catalog::UpdateKey Add(World& world, int n) override {
    return world.AddScript(n, "echo started > $STATE/pipe; cat $STATE/pipe", "",
                           nullptr);
  }
  void WaitUntilStarted() override { std::ifstream(pipe_).get(); }
  void LetGo() override { std::ofstream(pipe_) << "go\n"; }

 private:
  const std::filesystem::path pipe_;
};

}  // namespace

std::unique_ptr<WaitingInstaller> WaitingInstaller::Make(
    const std::filesystem::path& dir) {
  return std::make_unique<ScriptAtAPipe>(dir);
}

}  // namespace usher::install::test
