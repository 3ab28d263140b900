#ifndef USHER_SERVICE_REPOSITORY_TUF_CLIENT_H_
#define USHER_SERVICE_REPOSITORY_TUF_CLIENT_H_

// The client workflow of The Update Framework (specification, section 5): what
// is fetched when, and kept where.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "common/tuf/trusted_metadata_set.h"
#include "service/repository/fetcher.h"
#include "service/repository/metadata_store.h"
#include "service/repository/repository.h"
#include "service/repository/role_budget.h"

namespace usher::repository {

// One run: Refresh() once, then any number of questions. Everything that it
// has verified is kept in the store; errors name the file. Not thread-safe.
class TufClient {
 public:
  // Whether the top-level targets are of use; one that is not is not kept.
  using TargetsCheck = std::function<absl::Status(const tuf::Targets&)>;

  // What it does besides the answers.
  struct Work {
    bool changed = false;  // something was fetched that is now trusted
    int requests = 0;
    int64_t bytes = 0;  // of metadata fetched
    // Whether the chain of roots was followed to its end.
    bool roots_followed = false;
  };

  // All must outlive it. Of `options` it takes the limits.
  TufClient(const RepositoryOptions& options, std::string metadata_url,
            const MetadataStore& store, Fetcher& fetcher,
            const CancellationToken& cancel, TargetsCheck check = nullptr);

  // Sections 5.2 to 5.6: root, timestamp, snapshot, top-level targets; none of
  // the delegated ones. If the options say that the roots are recent, it first
  // asks whether that is necessary at all.
  absl::Status Refresh();

  // A role on the word of `delegator`, both of the snapshot at hand: from the
  // store where that is still right, otherwise fetched. The top-level targets
  // on that of "".
  absl::StatusOr<std::shared_ptr<const tuf::Targets>> LoadRole(
      absl::string_view role, absl::string_view delegator);

  // Section 5.6.7: looks for a target through the delegations. None: no role
  // that is asked about it describes it.
  absl::StatusOr<std::optional<tuf::TargetInfo>> FindTarget(
      const std::string& name);

  // Only after Refresh() has succeeded.
  const tuf::TrustedMetadataSet& trusted() const { return *set_; }
  const Work& work() const { return work_; }

 private:
  // Whether the server's timestamp is, byte for byte, the trusted one, and
  // that as well as the root still holds. Then both are final in `set`.
  absl::StatusOr<bool> TimestampIsUnchanged(tuf::TrustedMetadataSet& set);
  absl::Status UpdateRoots(tuf::TrustedMetadataSet& set);
  absl::Status UpdateTimestamp(tuf::TrustedMetadataSet& set);
  absl::Status UpdateSnapshot(tuf::TrustedMetadataSet& set);
  absl::Status UpdateTargets(tuf::TrustedMetadataSet& set);
  // Reads a file below the metadata URL; its errors begin with the name.
  absl::StatusOr<std::string> Fetch(const std::string& name, int64_t max_bytes);
  // The same for a file that a trusted one describes.
  absl::StatusOr<std::string> FetchDescribed(const tuf::TrustedMetadataSet& set,
                                             absl::string_view role,
                                             const tuf::MetaFile& meta,
                                             int64_t max_bytes);
  absl::Status Keep(absl::string_view role, absl::string_view bytes);

  const RepositoryOptions& options_;
  const std::string metadata_url_;
  const MetadataStore& store_;
  Fetcher& fetcher_;
  const CancellationToken& cancel_;
  const TargetsCheck check_;
  std::optional<tuf::TrustedMetadataSet> set_;
  RoleBudget budget_;
  Work work_;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_TUF_CLIENT_H_
