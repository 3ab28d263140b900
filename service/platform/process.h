#ifndef USHER_SERVICE_PLATFORM_PROCESS_H_
#define USHER_SERVICE_PLATFORM_PROCESS_H_

// Runs a program to its end, without a shell. Platform twins:
// process_posix.cc, process_win.cc. On Windows "process group" means a job
// object, which nothing that the program starts can leave.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/cancellation.h"

namespace usher::platform {

// What to run, and within which limits. Text is UTF-8.
struct ProcessOptions {
  // Program and arguments. The program is an absolute path: PATH is never
  // searched.
  std::vector<std::string> argv;
  // Absolute path of the folder that the program starts in.
  std::filesystem::path working_directory;
  // The whole environment beside PATH, which is the system's own folders.
  // Nothing of this process's environment is handed on. On Windows also what
  // the machine defines for everybody (SystemRoot and its like).
  std::vector<std::pair<std::string, std::string>> environment;
  // How long it may run. Then, and when cancelled, it and everything in its
  // process group are asked to end (SIGTERM), and killed after `kill_delay`.
  // Windows has nothing to ask a program without window with: there it is
  // killed at once.
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration kill_delay = absl::Seconds(5);
  // On Windows: waits also for what the program has started, as installers do
  // that start another program and end. Elsewhere what is left in the process
  // group ends with the program.
  bool wait_for_all = false;
  // Bytes kept of the end of each of standard output and standard error.
  size_t tail_bytes = size_t{16} * 1024;
  // Both streams are appended to this file, if set, up to `max_log_bytes` of
  // one run. It is made readable for the owner only; a link is not followed.
  std::filesystem::path log_file;
  int64_t max_log_bytes = int64_t{4} * 1024 * 1024;
  // If set, the program gets a pipe as descriptor kStatusDescriptor, and this
  // is called with each complete line written there (at most 4096 bytes; the
  // rest of a longer one is dropped). Called on the thread of RunProcess. Not
  // on Windows: E_NOTIMPL.
  std::function<void(absl::string_view line)> on_status_line;
};

// The descriptor of ProcessOptions::on_status_line in the program.
inline constexpr int kStatusDescriptor = 3;

// How a program ended.
struct ProcessResult {
  enum class End {
    kExited,     // by itself, or through a signal that was not ours
    kTimedOut,   // ended because of ProcessOptions::timeout
    kCancelled,  // ended because of the cancellation token
  };
  End end = End::kExited;
  // Exit code; -1 when a signal ended it or, on Windows, RunProcess did.
  int exit_code = 0;
  // Number of the signal that ended it, or 0; always 0 on Windows.
  int signal = 0;
  // Ends of what it wrote.
  std::string output;
  std::string error_output;
};

// Runs a program and waits for its end. On Windows a batch file is a program,
// too, but takes only arguments that cmd.exe cannot misread. Standard input is
// empty, no other descriptor of this process is inherited, and the file mode
// mask is 022. Neither the program nor what it started in its process group
// outlives the call; if this process dies the program is killed. Thread-safe.
// Errors: the program, its folder or the log file cannot be opened.
absl::StatusOr<ProcessResult> RunProcess(const ProcessOptions& options,
                                         const CancellationToken& cancel);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_PROCESS_H_
