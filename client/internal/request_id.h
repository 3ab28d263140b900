#ifndef USHER_CLIENT_INTERNAL_REQUEST_ID_H_
#define USHER_CLIENT_INTERNAL_REQUEST_ID_H_

#include <string>

namespace usher::internal {

// The metadata under which a call carries its request id; docs/api.md.
inline constexpr char kRequestIdKey[] = "x-usher-request-id";

// A new one, unique on this machine: a random part for the process, and a
// number.
std::string NewRequestId();

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_REQUEST_ID_H_
