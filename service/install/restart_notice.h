#ifndef USHER_SERVICE_INSTALL_RESTART_NOTICE_H_
#define USHER_SERVICE_INSTALL_RESTART_NOTICE_H_

#include <filesystem>
#include <string>
#include <vector>

namespace usher::install {

// Debian packages that want a restart touch /run/reboot-required and add their
// name to /run/reboot-required.pkgs. This sees whether they did so since it
// was made.
class RestartNotice {
 public:
  explicit RestartNotice(std::filesystem::path file);

  // True if the file is new or was touched, or names one of `packages` (with
  // or without ":architecture").
  bool Asked(const std::vector<std::string>& packages) const;

 private:
  std::filesystem::path file_;
  bool existed_;
  std::filesystem::file_time_type time_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_RESTART_NOTICE_H_
