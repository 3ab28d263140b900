#ifndef USHER_COMMON_TUF_METADATA_CODEC_H_
#define USHER_COMMON_TUF_METADATA_CODEC_H_

// Metadata documents from and to JSON; signing. `Body` is Root, Timestamp,
// Snapshot or Targets.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/metadata.h"
#include "common/tuf/private_key.h"

namespace usher::tuf {

// Reads a document strictly: type, major version of the specification, every
// known member's type and range, confined names. Verifies no signature. The
// caller limits the size of `text`. WU_E_METADATA_SIGNATURE_VERIFY_FAILED
// names the member that is wrong.
template <typename Body>
absl::StatusOr<Metadata<Body>> Parse(absl::string_view text);

// The document with its signatures as JSON text, ending in a newline. A body
// that Parse() would refuse fails with E_INVALIDARG. Does not sign: changing
// the body leaves the old signatures wrong until Sign().
template <typename Body>
absl::StatusOr<std::string> Serialize(const Metadata<Body>& metadata);

// The canonical JSON of the body: what signatures cover.
template <typename Body>
absl::StatusOr<std::string> SignedBytes(const Body& body);

// Signs the body with each of `keys`. Signatures by other keys are kept if
// `keep_others` (several people sign one root in turn), else dropped.
template <typename Body>
absl::Status Sign(Metadata<Body>& metadata, const std::vector<PrivateKey>& keys,
                  bool keep_others = false);

// Describes a serialised document for the one that names it.
MetaFile DescribeMetadata(int64_t version, absl::string_view serialized);

// Times as in "expires": exactly YYYY-MM-DDTHH:MM:SSZ.
absl::StatusOr<absl::Time> ParseExpiry(absl::string_view text);
std::string FormatExpiry(absl::Time time);

// Whether `name` can name a target: relative, '/' separated, no empty, "." or
// ".." part, no backslash, no control character, no drive letter, at most
// 1024 bytes. So it cannot leave the folder that it is put in.
bool IsConfinedTargetName(absl::string_view name);

// Whether `name` can name a role, whose file lies in one folder: 1 to 255
// bytes of printable UTF-8; what a file name cannot hold is percent-encoded by
// RoleFileName().
bool IsRoleName(absl::string_view name);

// Whether it is root, timestamp, snapshot or targets.
bool IsTopLevelRole(absl::string_view name);

// "{role}.json" with everything outside [A-Za-z0-9._~-] percent-encoded, as
// other clients store and request it.
std::string RoleFileName(absl::string_view role);

// Where a target lies with consistent snapshots: the hash, in hexadecimal
// digits, stands before the last part of the name (section 6.2).
std::string ConsistentTargetPath(absl::string_view target,
                                 absl::string_view hash);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_METADATA_CODEC_H_
