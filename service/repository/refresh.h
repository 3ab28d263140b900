#ifndef USHER_SERVICE_REPOSITORY_REFRESH_H_
#define USHER_SERVICE_REPOSITORY_REFRESH_H_

// One run of the client workflow (TUF specification, section 5).

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "common/tuf/trusted_metadata_set.h"
#include "service/repository/fetcher.h"
#include "service/repository/metadata_store.h"
#include "service/repository/repository.h"

namespace usher::repository {

// The catalogs among the targets, in name order.
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED for one without SHA-256 or beyond
// `max_bytes`.
absl::StatusOr<std::vector<TargetFile>> CatalogsOf(const tuf::Targets& targets,
                                                   int64_t max_bytes);

class RefreshRun {
 public:
  // All must outlive the run.
  RefreshRun(const RepositoryOptions& options, const MetadataStore& store,
             Fetcher& fetcher, const CancellationToken& cancel);

  absl::StatusOr<RefreshOutcome> Run();

 private:
  absl::Status UpdateRoots(tuf::TrustedMetadataSet& set);
  absl::Status UpdateTimestamp(tuf::TrustedMetadataSet& set);
  absl::Status UpdateSnapshot(tuf::TrustedMetadataSet& set);
  absl::Status UpdateTargets(tuf::TrustedMetadataSet& set);
  // Reads metadata/{name}; its errors begin with the name.
  absl::StatusOr<std::string> Fetch(const std::string& name, int64_t max_bytes);
  // The same for a file that a trusted one describes.
  absl::StatusOr<std::string> FetchDescribed(const tuf::TrustedMetadataSet& set,
                                             absl::string_view role,
                                             const tuf::MetaFile& meta,
                                             int64_t max_bytes);
  absl::Status Keep(absl::string_view role, absl::string_view bytes);

  const RepositoryOptions& options_;
  const MetadataStore& store_;
  Fetcher& fetcher_;
  const CancellationToken& cancel_;
  RefreshOutcome outcome_;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_REFRESH_H_
