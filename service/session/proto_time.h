#ifndef USHER_SERVICE_SESSION_PROTO_TIME_H_
#define USHER_SERVICE_SESSION_PROTO_TIME_H_

#include "absl/time/time.h"

namespace google::protobuf {
class Timestamp;
class Duration;
}  // namespace google::protobuf

namespace usher::session {

void SetTime(absl::Time time, google::protobuf::Timestamp& out);
absl::Time ToTime(const google::protobuf::Timestamp& time);
void SetDuration(absl::Duration duration, google::protobuf::Duration& out);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_PROTO_TIME_H_
