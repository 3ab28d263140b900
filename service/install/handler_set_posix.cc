#include <filesystem>
#include <memory>
#include <system_error>

#include "service/install/archive_handler.h"
#include "service/install/deb_handler.h"
#include "service/install/exec_handler.h"
#include "service/install/handler_set.h"
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

}  // namespace usher::install
