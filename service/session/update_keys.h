#ifndef USHER_SERVICE_SESSION_UPDATE_KEYS_H_
#define USHER_SERVICE_SESSION_UPDATE_KEYS_H_

#include <google/protobuf/repeated_ptr_field.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/catalog/catalog.h"

namespace usher::v1 {
class UpdateKey;
}  // namespace usher::v1

namespace usher::session {

// Checks one key's form: canonical UUIDs and a revision of 1 or more.
absl::StatusOr<catalog::UpdateKey> ToUpdateKey(const v1::UpdateKey& key,
                                               absl::string_view field);

// Checks a list: the form of each, no duplicates, at most `limit`.
absl::Status CheckUpdateKeys(
    const google::protobuf::RepeatedPtrField<v1::UpdateKey>& keys, int limit,
    absl::string_view field);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_UPDATE_KEYS_H_
