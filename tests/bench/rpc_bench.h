#ifndef USHER_TESTS_BENCH_RPC_BENCH_H_
#define USHER_TESTS_BENCH_RPC_BENCH_H_

#include <string>

#include "absl/status/status.h"

namespace usher::bench {

// Reads a session's properties at `service`, and calls the bare server at
// `bare` and at its TCP port on loopback, in turn, `calls` times each, and
// prints the latencies as JSON lines "session_read", "bare_echo" and
// "bare_tcp_echo".
absl::Status BenchRpc(const std::string& service, const std::string& bare,
                      int bare_port, int calls);

}  // namespace usher::bench

#endif  // USHER_TESTS_BENCH_RPC_BENCH_H_
