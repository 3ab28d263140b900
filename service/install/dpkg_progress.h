#ifndef USHER_SERVICE_INSTALL_DPKG_PROGRESS_H_
#define USHER_SERVICE_INSTALL_DPKG_PROGRESS_H_

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace usher::install {

// Turns the lines of dpkg's --status-fd ("status: hello:amd64: unpacked") into
// a percentage that never goes back, and keeps the errors among them.
class DpkgProgress {
 public:
  // `packages`: how many will be worked on.
  DpkgProgress(int packages, std::function<void(int)> sink)
      : packages_(packages), sink_(std::move(sink)) {}

  void Line(absl::string_view line);

  // What dpkg reported as "error", one per line; "" if nothing.
  const std::string& errors() const { return errors_; }

 private:
  int packages_;
  std::function<void(int)> sink_;
  std::map<std::string, int> stage_;
  int percent_ = 0;
  std::string errors_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_DPKG_PROGRESS_H_
