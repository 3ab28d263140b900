#include "service/install/handler_set.h"

#include <utility>

#include "common/error.h"
#include "service/install/archive_handler.h"
#include "service/install/deb_handler.h"
#include "service/install/exec_handler.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {

HandlerSet HandlerSet::Standard(const InstallEngine::Options& options) {
  using Kind = repository::v1::Handler;
  HandlerSet set;
  set.Add(Kind::kArchive,
          std::make_unique<ArchiveHandler>(options.product_dir));
  set.Add(Kind::kExec, std::make_unique<ExecHandler>());
  std::error_code error;
  if (std::filesystem::is_directory(options.dpkg.admin_dir, error)) {
    set.Add(Kind::kDeb, std::make_unique<DebHandler>(options.dpkg));
  }
  return set;
}

void HandlerSet::Add(int kind, std::unique_ptr<Handler> handler) {
  handlers_[kind] = std::move(handler);
}

absl::StatusOr<Handler*> HandlerSet::Find(
    const repository::v1::UpdateDescription& description) const {
  const auto found = handlers_.find(description.handler().kind_case());
  if (found != handlers_.end()) return found->second.get();
  return Error(hr::kWuEUhUnknownhandler,
               "this machine has no handler for this kind of update",
               description.update().identity().update_id());
}

}  // namespace usher::install
