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

  // Forgets all revisions of the update but this one; 0: all.
  absl::Status ForgetOthers(const catalog::UpdateKey& key,
                            int32_t revision) const;

 private:
  std::filesystem::path DescriptionOf(const catalog::UpdateKey& key) const;

  const std::filesystem::path folder_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_KEPT_H_
