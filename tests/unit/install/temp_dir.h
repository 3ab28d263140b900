#ifndef USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_
#define USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_

#include <filesystem>

#include "common/file_io.h"
#include "common/uuid.h"

namespace usher::install::test {

// Where temporary folders are made: in memory where that allows programs. These
// tests write to disk thousands of times, and killing a process looks the same
// there. Platform twins: temp_dir_posix.cc, temp_dir_win.cc.
std::filesystem::path TempBase();

// A private folder that goes with the object.
class TempDir {
 public:
  TempDir() : path_(TempBase() / ("usher-install-" + RandomResourceId())) {
    MakeDirectories(path_).IgnoreError();
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { RemoveTree(path_).IgnoreError(); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_
