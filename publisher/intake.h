#ifndef USHER_PUBLISHER_INTAKE_H_
#define USHER_PUBLISHER_INTAKE_H_

// Taking authors' files into a repository's draft. Everything is checked
// before anything is written; on an error the repository is as it was (but for
// payload copies that nothing names, which "gc" removes).

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "publisher/apt_import.h"
#include "publisher/deb_update.h"
#include "publisher/draft.h"
#include "publisher/workspace.h"

namespace usher::publisher {

struct IntakeItem {
  std::string file;
  std::string update_id;
  int32_t revision = 0;
  std::string title;
  DraftChange change = DraftChange::kUnchanged;
};

// Adds update description files.
absl::StatusOr<std::vector<IntakeItem>> AddDescriptionFiles(
    Workspace& workspace, const std::vector<std::filesystem::path>& files,
    absl::Time now);

// Adds Debian packages. `categories` are names or ids.
absl::StatusOr<std::vector<IntakeItem>> AddDebFiles(
    Workspace& workspace, const std::vector<std::filesystem::path>& files,
    DebOptions options, const std::vector<std::string>& categories,
    absl::Time now);

// Imports package indexes. `classification` is a name or id, or "".
absl::StatusOr<AptImportSummary> ImportAptInto(
    Workspace& workspace, AptImportOptions options,
    const std::string& classification, absl::Time now);

// Removes updates given as "UPDATEID" or "UPDATEID:REVISION".
absl::StatusOr<std::vector<IntakeItem>> RemoveUpdates(
    Workspace& workspace, const std::vector<std::string>& references);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_INTAKE_H_
