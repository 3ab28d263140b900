#ifndef USHER_COMMON_TUF_KEY_JSON_H_
#define USHER_COMMON_TUF_KEY_JSON_H_

// Keys inside metadata documents, for this layer's sources only.

#include <string>

#include "absl/status/status.h"
#include "common/tuf/key.h"
#include "nlohmann/json_fwd.hpp"

namespace usher::tuf {

// Reads a key object; the first error goes to `status`.
Key ReadKey(const nlohmann::json& value, const std::string& where,
            absl::Status& status);

absl::Status WriteKey(const Key& key, nlohmann::json& out);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_KEY_JSON_H_
