#include "service/session/limits.h"

#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::session {

absl::Status LimitReached(absl::string_view what, int64_t limit,
                          absl::string_view setting) {
  return Error(hr::kWuEMaxCapacityReached,
               absl::StrCat("limit of ", limit, " ", what,
                            " reached; end or clean up some, or raise limits.",
                            setting, " in the service's configuration"),
               absl::StrCat("limits.", setting));
}

}  // namespace usher::session
