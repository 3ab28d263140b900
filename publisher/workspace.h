#ifndef USHER_PUBLISHER_WORKSPACE_H_
#define USHER_PUBLISHER_WORKSPACE_H_

// A publisher's folder: bookkeeping, keys, draft, and below public/ what a web
// server serves (docs/architecture.md, "Repository layout").

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/file_io.h"
#include "publisher/draft.h"
#include "publisher/payload_store.h"
#include "publisher/vendor.h"

namespace usher::publisher {

// A document that was signed here: its version, and the SHA-256 of what its
// signatures cover, in hexadecimal.
struct SignedRecord {
  int64_t version = 0;
  std::string sha256;
};

// usher-repository.json.
struct Settings {
  std::string service_id;
  std::string service_name;
  // Folder of the keys: absolute, or relative to the workspace.
  std::string keys = "keys";
  // The last versions given out, so that none is ever given twice even when
  // the published files are lost.
  int64_t targets_version = 0;
  int64_t snapshot_version = 0;
  int64_t timestamp_version = 0;
  // What public/ may have as the document that names all others (the timestamp,
  // or a vendor's document): the one that was signed last, and the one before
  // it while the new one is on its way there. Whoever can write to public/ can
  // put back what was signed long ago; none in folders of older versions of
  // this program.
  std::vector<SignedRecord> signed_last;
  // While the first root is a draft: the SHA-256 of what its signatures are to
  // cover, so that no other one becomes the first.
  std::string first_root;
  // Into how many files the catalog is split, see ShardBits().
  int shard_bits = 0;
  // In a vendor's workspace: the role that it publishes for in somebody else's
  // repository. It has no root, snapshot and timestamp; the versions of its one
  // document are counted in targets_version.
  std::string vendor;
  // In a repository: to whom it delegates, in the order of priority.
  std::vector<Vendor> vendors;

  // Where its catalogs are among the targets: "catalog/" or "catalog/NAME/".
  std::string catalog_folder() const {
    return vendor.empty() ? "catalog/" : VendorFolder(vendor);
  }
};

// Not thread-safe.
class Workspace {
 public:
  enum class Mode {
    kRead,   // takes no lock
    kWrite,  // fails with WU_E_DS_STOREFILELOCKED while another one writes
  };

  // Makes a new workspace in a folder that is missing or holds none yet.
  // WU_E_DUPLICATE_ITEM when there is one.
  static absl::StatusOr<Workspace> Create(const std::filesystem::path& dir,
                                          Settings settings);
  // ERROR_FILE_NOT_FOUND when there is none; WU_E_INVALID_FILE when its
  // bookkeeping is damaged.
  static absl::StatusOr<Workspace> Open(const std::filesystem::path& dir,
                                        Mode mode);

  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path public_dir() const { return dir_ / "public"; }
  std::filesystem::path metadata_dir() const {
    return public_dir() / "metadata";
  }
  std::filesystem::path targets_dir() const { return public_dir() / "targets"; }
  std::filesystem::path keys_dir() const;

  // WU_E_INVALID_OPERATION in a vendor's workspace: what only a whole
  // repository has is asked for.
  absl::Status MustBeRepository() const;

  Settings& settings() { return settings_; }
  const Settings& settings() const { return settings_; }
  absl::Status SaveSettings() const;

  // The draft; an empty one when nothing was added yet.
  absl::StatusOr<Draft> LoadDraft() const;
  absl::Status SaveDraft(const Draft& draft) const;

  PayloadStore payloads() const {
    return PayloadStore(dir_ / "waiting", targets_dir());
  }

 private:
  explicit Workspace(std::filesystem::path dir) : dir_(std::move(dir)) {}

  std::filesystem::path dir_;
  Settings settings_;
  absl::optional<FileLock> lock_;
};

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_WORKSPACE_H_
