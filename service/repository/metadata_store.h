#ifndef USHER_SERVICE_REPOSITORY_METADATA_STORE_H_
#define USHER_SERVICE_REPOSITORY_METADATA_STORE_H_

// The trusted metadata of one repository on disk: root.json, timestamp.json,
// snapshot.json, targets.json and those of delegated roles in one folder, each
// replaced atomically. The order in which the workflow replaces them leaves a
// state at any moment from which it can go on: a file is used only after it
// was verified again, by whoever speaks for it then.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::repository {

class MetadataStore {
 public:
  explicit MetadataStore(std::filesystem::path folder)
      : folder_(std::move(folder)) {}

  // Makes the folder.
  absl::Status Create() const;
  // Removes temporary files that a power cut left.
  absl::Status RemoveLeftovers() const;

  bool Has(absl::string_view role) const;
  absl::StatusOr<std::string> Read(absl::string_view role,
                                   int64_t max_bytes) const;
  // The same where a file that cannot be read is as good as none.
  std::optional<std::string> ReadIfUsable(absl::string_view role,
                                          int64_t max_bytes) const;
  // Passes the fault point "repository.{role}_written", or
  // "repository.delegated_written".
  absl::Status Write(absl::string_view role, absl::string_view bytes) const;
  // Passes "repository.{role}_removed".
  absl::Status Remove(absl::string_view role) const;

 private:
  std::filesystem::path PathOf(absl::string_view role) const;

  std::filesystem::path folder_;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_METADATA_STORE_H_
