#ifndef USHER_TESTS_UNIT_COMMON_TEMP_FOLDER_H_
#define USHER_TESTS_UNIT_COMMON_TEMP_FOLDER_H_

#include <filesystem>
#include <string>
#include <system_error>

#include "common/uuid.h"

namespace usher {

// A folder of one test, removed with it.
class TempFolder {
 public:
  TempFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("usher-test-" + RandomResourceId())) {
    std::filesystem::create_directory(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace usher

#endif  // USHER_TESTS_UNIT_COMMON_TEMP_FOLDER_H_
