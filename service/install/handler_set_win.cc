#include <memory>

#include "service/install/archive_handler.h"
#include "service/install/exec_handler.h"
#include "service/install/handler_set.h"
#include "service/install/msi_handler.h"
#include "service/install/msi_system.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {

HandlerSet HandlerSet::Standard(const InstallEngine::Options& options) {
  using Kind = repository::v1::Handler;
  HandlerSet set;
  set.Add(Kind::kArchive,
          std::make_unique<ArchiveHandler>(options.product_dir));
  set.Add(Kind::kExec, std::make_unique<ExecHandler>());
  set.Add(Kind::kMsi, std::make_unique<MsiHandler>(NewMsiSystem()));
  return set;
}

}  // namespace usher::install
