#ifndef USHER_TESTS_BENCH_LATENCY_H_
#define USHER_TESTS_BENCH_LATENCY_H_

// Latencies of single calls, and what is said of them.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::bench {

// Not thread-safe.
class Latencies {
 public:
  void Add(absl::Duration value) { values_.push_back(value); }
  // The smallest value that `percent` (0 … 100) of all values do not exceed.
  // There must be at least one value.
  absl::Duration Percentile(double percent) const;
  // {"name": …, "count": …, "p50_us": …, "p99_us": …, "max_us": …}
  std::string ToJson(absl::string_view name) const;

 private:
  std::vector<absl::Duration> values_;
};

}  // namespace usher::bench

#endif  // USHER_TESTS_BENCH_LATENCY_H_
