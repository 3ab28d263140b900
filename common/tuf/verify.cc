// Signatures against a role, content against what its parent says.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/content_hashes.h"
#include "common/tuf/key.h"
#include "common/tuf/trusted_metadata_set.h"

namespace usher::tuf {
namespace {

bool IsHex(absl::string_view text) {
  return text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789abcdefABCDEF") ==
             absl::string_view::npos;
}

}  // namespace

absl::Status VerifyThreshold(absl::string_view signed_bytes,
                             const std::vector<Signature>& signatures,
                             const std::map<std::string, Key>& keys,
                             const Role& role) {
  if (role.threshold < 1) {
    return Error(hr::kWuEMetadataBadSignature, "the threshold is below one");
  }
  const std::set<std::string> role_ids(role.key_ids.begin(),
                                       role.key_ids.end());
  std::set<std::string> signers;  // by fingerprint
  for (const Signature& signature : signatures) {
    const auto key = keys.find(signature.key_id);
    if (!role_ids.contains(signature.key_id) || key == keys.end() ||
        !IsHex(signature.signature)) {
      continue;
    }
    const absl::StatusOr<std::string> fingerprint = KeyFingerprint(key->second);
    if (!fingerprint.ok() || signers.contains(*fingerprint)) continue;
    if (VerifySignature(key->second, signed_bytes,
                        absl::HexStringToBytes(signature.signature))
            .ok()) {
      signers.insert(*fingerprint);
    }
  }
  if (static_cast<int64_t>(signers.size()) >= role.threshold) {
    return absl::OkStatus();
  }
  return Error(hr::kWuEMetadataBadSignature,
               absl::StrCat("signed by ", signers.size(), " of the ",
                            role.threshold, " trusted keys that it needs"));
}

absl::Status CheckContent(absl::string_view bytes,
                          const std::optional<int64_t>& length,
                          const Hashes& hashes, bool need_hash) {
  if (length.has_value() && static_cast<int64_t>(bytes.size()) != *length) {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 absl::StrCat("has ", bytes.size(), " bytes, not the ", *length,
                              " that its signed parent says"));
  }
  ContentHashes known(hashes);
  if (need_hash && known.empty()) {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 "its signed parent gives no sha256 or sha512 of it");
  }
  known.Update(bytes);
  return known.Finish();
}

}  // namespace usher::tuf
