#ifndef USHER_SERVICE_INSTALL_ARCHIVE_HANDLER_H_
#define USHER_SERVICE_INSTALL_ARCHIVE_HANDLER_H_

#include <filesystem>
#include <utility>

#include "service/install/handler.h"
#include "service/install/product_folder.h"

namespace usher::install {

// Installs archives into versioned folders (product_folder.h). Everything it
// does can be undone until Commit; a crash leaves either the old version in
// use or the new one. A version belongs to the update that installed it: no
// other replaces it but one that supersedes that update, and none removes it.
// An update that brings another version with a new revision has that one only,
// once it is committed.
class ArchiveHandler : public Handler {
 public:
  explicit ArchiveHandler(std::filesystem::path product_dir)
      : product_dir_(std::move(product_dir)) {}

  absl::Status Prepare(const Attempt& attempt) override;
  ApplyResult Apply(const Attempt& attempt) override;
  absl::Status Commit(const Attempt& attempt) override;
  absl::Status Undo(const Attempt& attempt, bool applying) override;
  absl::StatusOr<Recovery> Recover(const Attempt& attempt) override;

 private:
  absl::StatusOr<ProductFolder> FolderOf(const Attempt& attempt) const;
  absl::Status Stage(const Attempt& attempt, const ProductFolder& folder);
  absl::Status Install(const Attempt& attempt, const ProductFolder& folder);
  absl::Status Uninstall(const Attempt& attempt, const ProductFolder& folder);

  std::filesystem::path product_dir_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_ARCHIVE_HANDLER_H_
