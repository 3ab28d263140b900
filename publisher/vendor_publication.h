#ifndef USHER_PUBLISHER_VENDOR_PUBLICATION_H_
#define USHER_PUBLISHER_VENDOR_PUBLICATION_H_

// The vendor's side: a workspace whose public folder holds what the repository
// is to take in: one signed document, catalogs, payloads.

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "publisher/key_ring.h"
#include "publisher/publication.h"
#include "publisher/workspace.h"

namespace usher::publisher {

struct VendorInitOptions {
  std::string vendor;
  // Of the repository: its id and shown name.
  std::string service_id;
  std::string service_name;
  std::filesystem::path keys;  // empty: {dir}/keys
  std::string scheme = "ed25519";
};

struct VendorInitResult {
  std::filesystem::path key;
  std::string key_id;
  bool created = false;
  bool encrypted = false;
};

// Makes a vendor's workspace, with the key {keys}/{vendor}.pem if it is not
// there yet.
absl::StatusOr<VendorInitResult> InitVendor(const std::filesystem::path& dir,
                                            const VendorInitOptions& options,
                                            PassphraseSource& passphrases);

// Publish() for a vendor's workspace: signs "{version}.{vendor}.json" with the
// vendor's key if anything has changed. The result has no root, snapshot and
// timestamp.
absl::StatusOr<PublishResult> PublishVendor(Workspace& workspace,
                                            const PublishOptions& options,
                                            PassphraseSource& passphrases,
                                            absl::Time now);

// Adds the signature of another key to the vendor's last document, for vendors
// with a threshold above one. WU_E_INVALID_OPERATION if what lies in the public
// folder is not what was published from here last.
absl::Status AddVendorSignature(const Workspace& workspace,
                                const tuf::PrivateKey& key);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_VENDOR_PUBLICATION_H_
