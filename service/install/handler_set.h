#ifndef USHER_SERVICE_INSTALL_HANDLER_SET_H_
#define USHER_SERVICE_INSTALL_HANDLER_SET_H_

#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "service/install/handler.h"
#include "service/install/install_engine.h"

namespace usher::install {

// The handlers of this machine, by the number of their field in
// usher.repository.v1.Handler.
class HandlerSet {
 public:
  // archive and exec; deb where there is dpkg, msi on Windows. Platform twins:
  // handler_set_posix.cc, handler_set_win.cc.
  static HandlerSet Standard(const InstallEngine::Options& options);

  void Add(int kind, std::unique_ptr<Handler> handler);
  // WU_E_UH_UNKNOWNHANDLER if there is none for the update.
  absl::StatusOr<Handler*> Find(
      const repository::v1::UpdateDescription& description) const;

 private:
  std::map<int, std::unique_ptr<Handler>> handlers_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_HANDLER_SET_H_
