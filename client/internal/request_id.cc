#include "client/internal/request_id.h"

#include <atomic>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/uuid.h"

namespace usher::internal {

std::string NewRequestId() {
  static const std::string* const process =
      new std::string(absl::StrCat("c", RandomResourceId().substr(0, 12)));
  static std::atomic<uint64_t> next{0};
  return absl::StrCat(*process, "-", absl::Hex(next.fetch_add(1)));
}

}  // namespace usher::internal
