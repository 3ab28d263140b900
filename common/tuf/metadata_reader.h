#ifndef USHER_COMMON_TUF_METADATA_READER_H_
#define USHER_COMMON_TUF_METADATA_READER_H_

// The "signed" part of a document from JSON, for this layer's sources only.
// The first error goes to `status`.

#include <cstddef>

#include "absl/status/status.h"
#include "common/tuf/metadata.h"
#include "nlohmann/json_fwd.hpp"

namespace usher::tuf {

inline constexpr size_t kMaxKeyIdBytes = 256;

void ReadBody(const nlohmann::json& value, Root& root, absl::Status& status);
void ReadBody(const nlohmann::json& value, Timestamp& timestamp,
              absl::Status& status);
void ReadBody(const nlohmann::json& value, Snapshot& snapshot,
              absl::Status& status);
void ReadBody(const nlohmann::json& value, Targets& targets,
              absl::Status& status);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_METADATA_READER_H_
