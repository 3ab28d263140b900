#ifndef USHER_PUBLISHER_PREPARED_CATALOGS_H_
#define USHER_PUBLISHER_PREPARED_CATALOGS_H_

// A draft's catalog files and payloads on their way to the public folder.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tuf/metadata.h"
#include "publisher/claims.h"
#include "publisher/payload_store.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// Not thread-safe.
class PreparedCatalogs {
 public:
  // Checks the draft as a whole, and makes the files that have changed since
  // the last publication; with `everything` all of them. All payloads must be
  // there; with `everything` they are read. Writes nothing.
  // WU_E_INVALID_UPDATE, WU_E_SOURCE_ABSENT.
  static absl::StatusOr<PreparedCatalogs> Make(const Workspace& workspace,
                                               bool everything);

  // What the targets metadata says of the files, by target name.
  const std::map<std::string, tuf::TargetInfo>& targets() const {
    return targets_;
  }
  int64_t updates() const { return updates_; }
  int64_t payloads_absent() const { return payloads_absent_; }
  int64_t bytes() const { return bytes_; }  // of all files
  // One hash for all of them, names included.
  std::string Digest() const;
  int shard_bits() const { return bits_; }
  // The draft's updates and categories.
  const Claims& claims() const { return claims_; }

  // Makes the payloads public that are not; gives their number.
  absl::StatusOr<int64_t> WritePayloads();
  // Writes the files that are not public yet; gives their bytes.
  absl::StatusOr<int64_t> WriteFiles();
  // Remembers what was made, so that the next time only changes are. After
  // everything else: what is remembered is public.
  absl::Status Remember() const;

 private:
  struct OwnPayload {
    std::string location;
    FileFacts facts;
  };
  // How a file was made, and from what.
  struct Made {
    std::string key;
    std::string sha256;
    int64_t length = 0;
    int64_t payloads_absent = 0;
    int64_t payloads_own = 0;
  };

  explicit PreparedCatalogs(const Workspace& workspace)
      : workspace_(workspace) {}

  absl::Status MakeFiles(const Draft& draft, bool everything);
  void ListPayloads(const DraftEntry& entry, Made& made);
  absl::Status CheckPayloads(PayloadStore::By by) const;
  std::map<std::string, Made> ReadMade() const;

  const Workspace& workspace_;
  std::map<std::string, tuf::TargetInfo> targets_;
  std::map<std::string, Made> made_;
  std::map<std::string, std::string> contents_;  // of the new files
  std::vector<OwnPayload> payloads_;             // of all files
  Claims claims_;
  int bits_ = 0;
  int64_t updates_ = 0;
  int64_t payloads_absent_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PREPARED_CATALOGS_H_
