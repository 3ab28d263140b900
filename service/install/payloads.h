#ifndef USHER_SERVICE_INSTALL_PAYLOADS_H_
#define USHER_SERVICE_INSTALL_PAYLOADS_H_

// Private, verified copies of an update's payloads.

#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "service/install/handler.h"

namespace usher::install {

// Refuses payload names that are not plain file names, or occur twice, with
// WU_E_UH_INVALIDMETADATA. Names that differ only in case count as the same,
// since they would be one file on Windows.
absl::Status CheckPayloadNames(
    const repository::v1::UpdateDescription& description);

// The digest of a payload; WU_E_UH_INVALIDMETADATA unless it has 32 bytes.
absl::StatusOr<Sha256Digest> DigestOf(absl::string_view bytes);

// Copies every payload into the new private folder `directory`, each under its
// name, hashing what is copied. Taken from the cache, or, if it is not there,
// from the attempt's kept folder. Errors: WU_E_DM_NOTDOWNLOADED,
// WU_E_DM_INCORRECTFILEHASH, WU_E_UH_OPERATIONCANCELLED.
absl::Status CopyPayloads(const Attempt& attempt,
                          const std::filesystem::path& directory);

// Copies payload number `index` to the new file `destination`.
absl::Status CopyPayload(const Attempt& attempt, int index,
                         const std::filesystem::path& destination);

// The error of an attempt that was asked to end.
absl::Status CancelledError();

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_PAYLOADS_H_
