#ifndef USHER_SERVICE_SESSION_FIELD_MASK_H_
#define USHER_SERVICE_SESSION_FIELD_MASK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace google::protobuf {
class FieldMask;
class Message;
}  // namespace google::protobuf

namespace usher::session {

enum class EmptyMask { kRefused, kNothing };

// Copies the fields that `mask` names from `from` to `to`, messages of one
// type. A field that is not set in `from` gets its default. Paths other than
// `writable` (top-level names; fields below them are allowed too) are refused
// with E_INVALIDARG, and then `to` is unchanged.
absl::Status ApplyMask(const google::protobuf::FieldMask& mask, EmptyMask empty,
                       absl::Span<const absl::string_view> writable,
                       const google::protobuf::Message& from,
                       google::protobuf::Message& to);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_FIELD_MASK_H_
