#ifndef USHER_SERVICE_INSTALL_KEPT_H_
#define USHER_SERVICE_INSTALL_KEPT_H_

// What is kept of installed updates until they are uninstalled:
//
//   {kept}/{service}_{update}_{revision}/         the handler's files
//   {kept}/{service}_{update}_{revision}.update   how it was installed
//
// A repository offers the newest revision of an update only. What an older one
// installed is uninstalled as that one said.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "service/catalog/catalog.h"

namespace usher::install {

// The installer's thread makes the changes; reading is thread-safe.
class Kept {
 public:
  explicit Kept(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The handler's folder. May not exist.
  std::filesystem::path FolderOf(const catalog::UpdateKey& key) const;

  // Writes handler and payloads of `description` down.
  absl::Status Save(const catalog::UpdateKey& key,
                    const repository::v1::UpdateDescription& description) const;
  // Puts what was written down in the place of what `description` says, if
  // there is something.
  void Restore(const catalog::UpdateKey& key,
               repository::v1::UpdateDescription& description) const;

  // The revisions of the update of which a description is kept, oldest first.
  std::vector<int32_t> Revisions(const catalog::UpdateKey& key) const;

  // Forgets the other revisions of the update, whose place its installation by
  // `description` has taken. What is somewhere else (another product, package
  // or kind of handler) stays until the update is uninstalled.
  absl::Status ForgetReplaced(
      const catalog::UpdateKey& key,
      const repository::v1::UpdateDescription& description) const;
  // Forgets one revision.
  absl::Status Forget(const catalog::UpdateKey& key) const;
  // Forgets all revisions of the update.
  absl::Status ForgetAll(const catalog::UpdateKey& key) const;

 private:
  absl::Status ForgetUnless(const catalog::UpdateKey& key,
                            absl::FunctionRef<bool(int32_t)> keep) const;
  std::filesystem::path DescriptionOf(const catalog::UpdateKey& key) const;

  const std::filesystem::path folder_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_KEPT_H_
