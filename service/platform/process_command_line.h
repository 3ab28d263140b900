#ifndef USHER_SERVICE_PLATFORM_PROCESS_COMMAND_LINE_H_
#define USHER_SERVICE_PLATFORM_PROCESS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::platform {

// The one line that Windows hands to a program, quoted so that the C runtime
// and CommandLineToArgvW cut it into exactly these arguments. UTF-8.
//
// For a batch file every argument is quoted, as cmd.exe wants it, and one with
// any of "%!^&|<> or a line break is refused: cmd.exe has no way to quote them
// all. E_INVALIDARG; also for a NUL, and for a program whose name has a quote.
absl::StatusOr<std::string> CommandLine(const std::vector<std::string>& argv);

// True for .bat and .cmd, which cmd.exe runs.
bool IsBatchFile(absl::string_view program);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_PROCESS_COMMAND_LINE_H_
