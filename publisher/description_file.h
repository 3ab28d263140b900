#ifndef USHER_PUBLISHER_DESCRIPTION_FILE_H_
#define USHER_PUBLISHER_DESCRIPTION_FILE_H_

// Update description files: TOML that an author writes, one update each.
// docs/publishing.md is the reference of their keys.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "publisher/category_set.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {

// An update on its way into a repository.
struct UpdateSource {
  // Complete but for size, SHA-256 and location of payloads that come from a
  // file.
  repository::v1::UpdateDescription description;
  // One for each payload: the file to take in, empty for content that lies
  // elsewhere.
  std::vector<std::filesystem::path> payload_files;
  // Supersede all older versions that are known under the same name.
  bool supersede_older = false;
};

// Reads a description file. Files that it names are relative to its folder and
// must exist. Categories that it declares are added to `categories`. Every
// fault is reported as "file:line:column: reason" in one E_INVALIDARG;
// ERROR_FILE_NOT_FOUND.
absl::StatusOr<UpdateSource> ReadDescriptionFile(
    const std::filesystem::path& path, absl::string_view service_id,
    CategorySet& categories);

// The same from text; `file` names it in messages, `folder` is what its file
// names are relative to.
absl::StatusOr<UpdateSource> ReadDescription(
    absl::string_view text, const std::string& file,
    const std::filesystem::path& folder, absl::string_view service_id,
    CategorySet& categories);

// The id of an update whose author gives none.
std::string DefaultUpdateId(absl::string_view service_id,
                            absl::string_view name, absl::string_view version);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_DESCRIPTION_FILE_H_
