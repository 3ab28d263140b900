#include "tests/bench/latency.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_format.h"

namespace usher::bench {

absl::Duration Latencies::Percentile(double percent) const {
  std::vector<absl::Duration> sorted = values_;
  const double rank =
      std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  const size_t index =
      std::min(sorted.size() - 1, static_cast<size_t>(std::max(rank, 1.0)) - 1);
  std::nth_element(sorted.begin(),
                   sorted.begin() + static_cast<ptrdiff_t>(index),
                   sorted.end());
  return sorted[index];
}

std::string Latencies::ToJson(absl::string_view name) const {
  return absl::StrFormat(
      R"({"name": "%s", "count": %d, "p50_us": %.2f, "p99_us": %.2f, )"
      R"("max_us": %.2f})",
      name, values_.size(), absl::ToDoubleMicroseconds(Percentile(50)),
      absl::ToDoubleMicroseconds(Percentile(99)),
      absl::ToDoubleMicroseconds(Percentile(100)));
}

}  // namespace usher::bench
