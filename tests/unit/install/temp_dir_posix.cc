#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/unit/install/temp_dir.h"

namespace usher::install::test {

std::filesystem::path TempBase() {
  std::filesystem::path memory = "/dev/shm";
  struct statvfs info;
  if (statvfs(memory.c_str(), &info) == 0 &&
      (info.f_flag & (ST_NOEXEC | ST_RDONLY)) == 0 &&
      access(memory.c_str(), W_OK) == 0) {
    return memory;
  }
  return std::filesystem::temp_directory_path();
}

}  // namespace usher::install::test
