#ifndef USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_
#define USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_

#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "common/file_io.h"
#include "common/uuid.h"

namespace usher::install::test {

// A private folder that goes with the object. In memory where that allows
// programs: these tests write to disk thousands of times, and killing a process
// looks the same there.
class TempDir {
 public:
  TempDir() : path_(Base() / ("usher-install-" + RandomResourceId())) {
    MakeDirectories(path_).IgnoreError();
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { RemoveTree(path_).IgnoreError(); }

  const std::filesystem::path& path() const { return path_; }

 private:
  static std::filesystem::path Base() {
    const std::filesystem::path memory = "/dev/shm";
    struct statvfs info;
    if (statvfs(memory.c_str(), &info) == 0 &&
        (info.f_flag & (ST_NOEXEC | ST_RDONLY)) == 0 &&
        access(memory.c_str(), W_OK) == 0) {
      return memory;
    }
    return std::filesystem::temp_directory_path();
  }

  std::filesystem::path path_;
};

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_TEMP_DIR_H_
