#ifndef USHER_PUBLISHER_DEB_UPDATE_H_
#define USHER_PUBLISHER_DEB_UPDATE_H_

// Debian packages as updates. A package's version is an update of its own,
// which supersedes the older versions; a change of its description is a new
// revision of the same update.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/sha256.h"
#include "publisher/control_file.h"
#include "publisher/draft.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {

enum class DebInstaller {
  kDeb,      // dpkg installs it
  kArchive,  // its files go to a versioned folder; needs no dpkg
};

// What the publisher says beyond the package itself.
struct DebOptions {
  DebInstaller installer = DebInstaller::kDeb;
  std::string eula_text;
  std::string release_notes;
  std::string support_url;
  std::string msrc_severity;
  // Canonical ids of known categories.
  std::vector<std::string> category_ids;
  // Explicit superseded update ids, beside the automatic ones.
  std::vector<std::string> superseded_update_ids;
  // Supersede every older version of the package.
  bool supersede_older = true;
  // Distribution and its least version ("debian", "12"); empty for any.
  std::string min_os_distribution;
  std::string min_os_version;
  usher::v1::InstallationRebootBehavior reboot =
      usher::v1::INSTALLATION_REBOOT_BEHAVIOR_NEVER_REBOOTS;
  // Share of the machines in hundredths of a percent, and channels. Where they
  // are not given an update that is in the draft keeps what it has, and a new
  // one is for every machine.
  absl::optional<int> basis_points;
  std::vector<std::string> channels;
};

// A package as its control paragraph describes it.
struct DebIdentity {
  std::string name;
  std::string version;
  std::string architecture;
};

// WU_E_INVALID_FILE when a field is missing or not allowed by Debian Policy.
absl::StatusOr<DebIdentity> IdentityOf(const ControlParagraph& control);

// The update id of a package version: the same for ever.
std::string DebUpdateId(absl::string_view service_id, const DebIdentity& deb);

// "NAME_VERSION_ARCHITECTURE.deb", the version without its epoch, as in the
// distribution's own archive.
std::string DebFileName(const DebIdentity& deb);

// Describes a package. The payload has its name, size and hash; `location`
// says where it lies.
absl::StatusOr<repository::v1::UpdateDescription> DescribeDeb(
    absl::string_view service_id, const ControlParagraph& control,
    const DebOptions& options, int64_t size, const Sha256Digest& sha256,
    absl::string_view location);

// One package on its way into a draft, serialised to be small.
struct DebItem {
  DebIdentity deb;
  std::string update_id;
  std::string wire;
  bool supersede_older = true;
  // Take these from the update in the draft, if there is one.
  bool keep_share = true;
  bool keep_channels = true;
};

struct DebSummary {
  int64_t added = 0;
  int64_t revised = 0;
  int64_t unchanged = 0;
};

// Puts packages into the draft and links versions: each item supersedes the
// older versions among the items and in the draft, and newer ones in the draft
// get to supersede the items. Of items with the same id the first counts.
// On an error the draft is partly changed and must not be saved.
absl::StatusOr<DebSummary> PutDebs(std::vector<DebItem> items,
                                   absl::string_view service_id, absl::Time now,
                                   Draft& draft);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_DEB_UPDATE_H_
