#ifndef USHER_PUBLISHER_REPOSITORY_WALK_H_
#define USHER_PUBLISHER_REPOSITORY_WALK_H_

// A published repository's whole chain of trust, as a client sees it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/metadata.h"
#include "publisher/repository_source.h"

namespace usher::publisher {

// A document, by its name below metadata/.
struct MetadataDocument {
  std::string name;
  std::string text;
};

// A target that somebody who may describes.
struct VerifiedTarget {
  std::string role;
  std::string name;
  std::string path;  // below targets/
  int64_t length = 0;
  tuf::Hashes hashes;  // at least one of a known algorithm
  // Of these, hexadecimal, small letters; "" if it has another one only, as
  // targets that are no catalogs may.
  std::string sha256;
};

// A delegated role that clients would do without, and why.
struct RoleFault {
  enum class Kind {
    // Missing, or not what it must be.
    kDamaged,
    // Otherwise as it must be: it is among `delegated`, what it names among
    // `files`.
    kExpired,
    // A fault of the network or of this machine, which tells nothing.
    kNotRead,
  };
  std::string role;
  absl::Status status;
  Kind kind = Kind::kDamaged;
};

struct VerifiedRepository {
  tuf::Root root;
  int64_t timestamp_version = 0;
  int64_t snapshot_version = 0;
  int64_t targets_version = 0;
  absl::Time expires;  // the first of all documents
  // The roots from the oldest that leads to the trusted one up to the newest.
  std::vector<MetadataDocument> roots;
  std::vector<MetadataDocument> delegated;
  MetadataDocument targets;
  MetadataDocument snapshot;
  MetadataDocument timestamp;
  std::vector<tuf::Delegations> delegations;  // top level first
  std::vector<VerifiedTarget> files;          // by priority and name
  std::vector<RoleFault> faults;
};

// What was trusted at an earlier time; "" for nothing. The repository may not
// go back behind it.
struct EarlierState {
  // The roots that followed the trusted one.
  std::vector<MetadataDocument> roots;
  std::string timestamp;
  std::string snapshot;
};

// Verifies everything from the trusted `root` down to the targets metadata of
// every delegated role, within clients' limits. Errors are those of
// tuf::TrustedMetadataSet and of the source; each names the file.
absl::StatusOr<VerifiedRepository> VerifyRepository(
    RepositorySource& source, absl::string_view root, absl::Time now,
    const EarlierState& earlier = {});

// Whether reading a file failed for what the source has: nothing, or something
// else than is signed. Otherwise the next attempt may succeed.
bool IsDamage(const absl::Status& status);

// Reads a target and verifies it. WU_E_DM_INCORRECTFILEHASH.
absl::StatusOr<std::string> ReadTarget(RepositorySource& source,
                                       const VerifiedTarget& target);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_REPOSITORY_WALK_H_
