#ifndef USHER_TESTS_BENCH_BARE_SERVER_H_
#define USHER_TESTS_BENCH_BARE_SERVER_H_

// The yardstick: a gRPC server that does nothing, behind the same transport as
// the service.

#include <string>

#include "absl/status/status.h"

namespace usher::bench {

// Serves SessionService at the socket `address`: GetSession echoes the name
// that it was asked for. Prints "ready" when it answers, and runs until its
// standard input ends.
absl::Status ServeBare(const std::string& address);

}  // namespace usher::bench

#endif  // USHER_TESTS_BENCH_BARE_SERVER_H_
