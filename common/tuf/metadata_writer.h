#ifndef USHER_COMMON_TUF_METADATA_WRITER_H_
#define USHER_COMMON_TUF_METADATA_WRITER_H_

// The "signed" part of a document to JSON, for this layer's sources only.

#include "absl/status/status.h"
#include "common/tuf/metadata.h"
#include "nlohmann/json_fwd.hpp"

namespace usher::tuf {

absl::Status WriteBody(const Root& root, nlohmann::json& out);
absl::Status WriteBody(const Timestamp& timestamp, nlohmann::json& out);
absl::Status WriteBody(const Snapshot& snapshot, nlohmann::json& out);
absl::Status WriteBody(const Targets& targets, nlohmann::json& out);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_METADATA_WRITER_H_
