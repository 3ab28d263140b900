#include "common/fault_point.h"

#ifdef USHER_FAULT_POINTS

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/kill_process.h"

namespace usher {
namespace {

// The place and the count that USHER_FAULT names. Read at each point, so that a
// test can name one in the middle of a run.
struct Fault {
  std::string name;
  int count = 1;
};

Fault ConfiguredFault() {
  Fault fault;
  const char* text = std::getenv("USHER_FAULT");
  if (text == nullptr) return fault;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  fault.name = std::string{parts.first};
  int count = 0;
  if (absl::SimpleAtoi(parts.second, &count) && count > 0) fault.count = count;
  return fault;
}

}  // namespace

void ReachFaultPoint(const char* name) {
  static std::atomic<int> reached = 0;
  const Fault fault = ConfiguredFault();
  if (fault.name != name) return;
  if (reached.fetch_add(1) + 1 == fault.count) KillThisProcess();
}

}  // namespace usher

#endif  // USHER_FAULT_POINTS
