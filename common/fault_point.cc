#include "common/fault_point.h"

#ifdef USHER_FAULT_POINTS

#include <atomic>
#include <cstdio>
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

// Waits at `name` if USHER_FAULT_WAIT says so.
void MaybeWait(absl::string_view name) {
  const char* text = std::getenv("USHER_FAULT_WAIT");
  if (text == nullptr) return;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (parts.first != name) return;
  // Opening a pipe waits for the other end, reading for what it does.
  std::FILE* const pipe = std::fopen(std::string{parts.second}.c_str(), "rb");
  if (pipe == nullptr) return;
  // One byte and no more: others wait for theirs.
  static_cast<void>(std::setvbuf(pipe, nullptr, _IONBF, 0));
  static_cast<void>(std::fgetc(pipe));
  static_cast<void>(std::fclose(pipe));
}

}  // namespace

void ReachFaultPoint(const char* name) {
  MaybeWait(name);
  static std::atomic<int> reached = 0;
  const Fault fault = ConfiguredFault();
  if (fault.name != name) return;
  if (reached.fetch_add(1) + 1 == fault.count) KillThisProcess();
}

}  // namespace usher

#endif  // USHER_FAULT_POINTS
