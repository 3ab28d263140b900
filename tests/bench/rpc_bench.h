#ifndef USHER_TESTS_BENCH_RPC_BENCH_H_
#define USHER_TESTS_BENCH_RPC_BENCH_H_

#include <string>

#include "absl/status/status.h"

namespace usher::bench {

// Reads a session's properties at `service`, and calls the bare server at
// `bare`, in turn, `calls` times each, and prints both latencies as JSON lines
// "session_read" and "bare_echo".
absl::Status BenchRpc(const std::string& service, const std::string& bare,
                      int calls);

}  // namespace usher::bench

#endif  // USHER_TESTS_BENCH_RPC_BENCH_H_
