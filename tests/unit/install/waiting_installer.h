#ifndef USHER_TESTS_UNIT_INSTALL_WAITING_INSTALLER_H_
#define USHER_TESTS_UNIT_INSTALL_WAITING_INSTALLER_H_

// An installer that says when it has started and waits until it is let go, each
// by an event. Platform twins: waiting_installer_posix.cc,
// waiting_installer_win.cc.

#include <filesystem>
#include <memory>

#include "tests/unit/install/world.h"

namespace usher::install::test {

class WaitingInstaller {
 public:
  static std::unique_ptr<WaitingInstaller> Make(
      const std::filesystem::path& dir);
  virtual ~WaitingInstaller() = default;

  // Adds it as update `n`; for one installation.
  virtual catalog::UpdateKey Add(World& world, int n) = 0;
  virtual void WaitUntilStarted() = 0;
  virtual void LetGo() = 0;
};

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_WAITING_INSTALLER_H_
