#ifndef USHER_TESTS_BENCH_SEARCH_BENCH_H_
#define USHER_TESTS_BENCH_SEARCH_BENCH_H_

#include <string>

#include "absl/status/status.h"

namespace usher::bench {

struct SearchCase {
  // Shown name.
  std::string name;
  std::string criteria;
  // Searches measured, after two that are not.
  int runs = 1;
};

// Searches at `service`, offline, and prints the time from the call to the
// last result, every update parsed, as a JSON line, then one with the number
// of updates found and the first one's UpdateID.
absl::Status BenchSearch(const std::string& service,
                         const std::string& service_id, const std::string& text,
                         const SearchCase& search);

}  // namespace usher::bench

#endif  // USHER_TESTS_BENCH_SEARCH_BENCH_H_
