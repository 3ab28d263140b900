#ifndef USHER_SERVICE_SESSION_SCAN_PACKAGE_PLACE_H_
#define USHER_SERVICE_SESSION_SCAN_PACKAGE_PLACE_H_

// Where an added scan package lies, with all that belongs to it, so that one
// package takes the place of another by the change of a URL.

#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::session {

struct ScanPackagePlace {
  // A folder of its own, with a name that is never used again.
  std::filesystem::path folder;

  // The package's content, laid out as a repository.
  std::filesystem::path repository() const { return folder / "repository"; }
  // Its trusted metadata.
  std::filesystem::path trusted() const { return folder / "trusted"; }
  // The registration as it is to be kept, until it is.
  std::filesystem::path registration() const { return folder / "registration"; }
  // The id of the session that a volatile registration belongs to.
  std::filesystem::path session() const { return folder / "session"; }
  // The name of the folder of the package that is to replace this one.
  std::filesystem::path successor() const { return folder / "successor"; }
  std::string url() const;
  std::string name() const;
};

// A place in `parent` that nothing is in.
ScanPackagePlace NewScanPackagePlace(const std::filesystem::path& parent);

// The place of that name in `parent`; none if it cannot be one's name.
std::optional<ScanPackagePlace> ScanPackagePlaceNamed(
    const std::filesystem::path& parent, absl::string_view name);

// The place in `parent` whose URL is, or was in another parent, `url`; none if
// it cannot be one's URL.
std::optional<ScanPackagePlace> ScanPackagePlaceOf(
    const std::filesystem::path& parent, absl::string_view url);

// Makes the trusted metadata of `to` that of `from`.
absl::Status CopyTrustedMetadata(const ScanPackagePlace& from,
                                 const ScanPackagePlace& to);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SCAN_PACKAGE_PLACE_H_
