#ifndef USHER_SERVICE_INSTALL_PRODUCT_FOLDER_H_
#define USHER_SERVICE_INSTALL_PRODUCT_FOLDER_H_

// One archive product on disk:
//
//   {product}/{version}/       files of an installed version
//   {product}/current          the version in use (switch.h)
//   {product}/.versions        installed versions, one a line, in the order in
//                              which they came into use, each with the update
//                              that it belongs to
//   {product}/.staging-{step}  being unpacked
//   {product}/.old-{step}      taken out of the way by a step, until Commit
//
// Versions of one product stay side by side until they are uninstalled.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::install {

// Not thread-safe.
class ProductFolder {
 public:
  // Checks that both are allowed as folder names (ArchiveHandler in
  // catalog.proto; a version does not begin with '.' and is not "current").
  // WU_E_UH_INVALIDMETADATA.
  static absl::StatusOr<ProductFolder> Of(
      const std::filesystem::path& product_dir, absl::string_view product,
      absl::string_view version, int64_t step_id);

  const std::filesystem::path& root() const { return root_; }
  // The name of the version's folder (VersionFolderName), which is how all
  // functions here name versions.
  const std::string& version() const { return version_; }
  std::filesystem::path target() const;
  std::filesystem::path staging() const;
  std::filesystem::path old() const;

  // The version in use, or "".
  absl::StatusOr<std::string> Current() const;
  // Puts `version` in use; "" means none.
  absl::Status Switch(absl::string_view version) const;

  // The UpdateID that this version was installed by; "" if it is not
  // installed, or nobody wrote that down.
  absl::StatusOr<std::string> Owner() const { return OwnerOf(version_); }
  absl::StatusOr<std::string> OwnerOf(absl::string_view version) const;
  // Puts this version last in the list, as `owner`'s, or takes it out.
  absl::Status Enlist(absl::string_view owner) const;
  absl::Status Delist() const;
  // The newest installed version other than this one that is not `owner`'s, or
  // "".
  absl::StatusOr<std::string> Other(absl::string_view owner) const;
  // Removes `owner`'s versions other than this one and the one in use: an
  // update has one version, that of its newest revision.
  absl::Status RemoveOthersOf(absl::string_view owner) const;

  // Removes what a crash left of writing the list.
  absl::Status RemoveLeftovers() const;
  // Removes the product's folder if no version is left.
  absl::Status RemoveIfEmpty() const;

 private:
  struct Installed {
    std::string version;
    std::string owner;
    bool operator==(const Installed&) const = default;
  };

  ProductFolder() = default;
  // Oldest use first, without those whose folder is gone.
  absl::StatusOr<std::vector<Installed>> Versions() const;
  // Without this version.
  absl::StatusOr<std::vector<Installed>> OtherVersions() const;
  absl::Status WriteVersions(const std::vector<Installed>& versions) const;

  std::filesystem::path root_;
  std::string version_;
  int64_t step_id_ = 0;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_PRODUCT_FOLDER_H_
