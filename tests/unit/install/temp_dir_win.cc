#include "tests/unit/install/temp_dir.h"

namespace usher::install::test {

std::filesystem::path TempBase() {
  return std::filesystem::temp_directory_path();
}

}  // namespace usher::install::test
