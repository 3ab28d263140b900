#include "common/tuf/canonical_json.h"

#include <string>

#include "common/error.h"
#include "common/tuf/json_tools.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {

absl::StatusOr<std::string> CanonicalJson(absl::string_view json) {
  nlohmann::json value;
  USHER_RETURN_IF_ERROR(ReadJson(json, value));
  return Canonicalize(value);
}

}  // namespace usher::tuf
