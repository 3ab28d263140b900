#ifndef USHER_PUBLISHER_MIRROR_H_
#define USHER_PUBLISHER_MIRROR_H_

// Copying a published repository, whole or in part, into a folder that a web
// server can serve: everything verified before it is put in place.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/repository_source.h"
#include "publisher/repository_walk.h"

namespace usher::publisher {

struct MirrorOptions {
  // Whose payloads are copied: updates with one of these names ('*' stands for
  // any text) or ids; all of them if both are empty. Metadata and catalogs are
  // signed as they are, and always whole.
  std::vector<std::string> names;
  std::vector<std::string> update_ids;
  bool payloads = true;
  // Remove afterwards what the copied state does not name, and no state within
  // this time has named: readers may be in the middle of it. How long each file
  // has been unnamed is kept beside the mirror's files.
  bool prune = false;
  absl::Duration keep_unnamed = absl::Hours(24);
};

struct MirrorResult {
  int64_t timestamp_version = 0;
  int64_t updates = 0;
  int64_t payloads = 0;            // that are wanted and in the mirror now
  int64_t payloads_elsewhere = 0;  // with a URL of their own
  int64_t payloads_absent = 0;     // left out by the publisher
  int64_t files_copied = 0;
  int64_t bytes_copied = 0;
  int64_t files_removed = 0;
  int64_t files_unnamed = 0;  // that are still there, to be removed later
  // Vendors (delegated roles) that clients of the mirror leave out, as they do
  // with the repository: expired ones are copied as they are, and of damaged
  // ones what is not damaged. Payloads that are damaged or missing, too.
  std::vector<RoleFault> faults;
};

// Brings `dir` to the state of `source`, which is verified from the trusted
// `root` on. What is there with the right content is not copied again. A reader
// of `dir` sees the old or the new state at any moment. WU_E_REDIRECTOR_ID_
// SMALLER when the source is older than what `dir` has; E_INVALIDARG for an
// update that is asked for and not there; WU_E_DS_STOREFILELOCKED while another
// one writes into `dir`; otherwise the errors of VerifyRepository(). What is
// wrong with a vendor's files is no error: nobody else is to expire for it.
absl::StatusOr<MirrorResult> Mirror(RepositorySource& source,
                                    absl::string_view root,
                                    const std::filesystem::path& dir,
                                    const MirrorOptions& options,
                                    absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_MIRROR_H_
