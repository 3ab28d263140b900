#include "service/session/update_keys.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/uuid.h"
#include "service/session/limits.h"
#include "usher/v1/types.pb.h"

namespace usher::session {

absl::StatusOr<catalog::UpdateKey> ToUpdateKey(const v1::UpdateKey& key,
                                               absl::string_view field) {
  const auto canonical = [](const std::string& id) {
    const absl::StatusOr<std::string> text = CanonicalUuid(id);
    return text.ok() && *text == id;
  };
  if (!canonical(key.service_id()) || !canonical(key.update_id()) ||
      key.revision_number() < 1) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(field,
                              " needs service_id and update_id as UUIDs "
                              "in lower case and a revision_number of "
                              "1 or more"),
                 field);
  }
  return catalog::UpdateKey{key.service_id(), key.update_id(),
                            key.revision_number()};
}

absl::Status CheckUpdateKeys(
    const google::protobuf::RepeatedPtrField<v1::UpdateKey>& keys, int limit,
    absl::string_view field) {
  if (keys.size() > limit) {
    return LimitReached("updates of one job", limit, "updates_per_job");
  }
  absl::flat_hash_set<catalog::UpdateKey> seen;
  for (const v1::UpdateKey& key : keys) {
    USHER_ASSIGN_OR_RETURN(catalog::UpdateKey checked, ToUpdateKey(key, field));
    if (!seen.insert(std::move(checked)).second) {
      return Error(
          hr::kEInvalidarg,
          absl::StrCat(field, " names update ", key.update_id(), " twice"),
          field);
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::session
