#ifndef USHER_CLIENT_CLI_FAILURE_H_
#define USHER_CLIENT_CLI_FAILURE_H_

// How the program tells about errors.

#include <exception>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/console.h"
#include "client/cli/exit_code.h"
#include "usher/update_searcher.h"

namespace usher::cli {

// One line that says what to do about an error, or "" when its message says
// all there is.
std::string AdviceFor(const absl::Status& status);

// "0x80240032 WU_E_INVALID_CRITERIA"; the number alone when it has no name.
std::string HResultText(uint32_t hresult);

// The "error" object of --json as JSON text: hresult, symbol, message, and
// where known subject, advice, request_id, candidates.
std::string ErrorJson(const absl::Status& status);

// The end of a failed program's answer, as text for Console::EndJson: error,
// warnings, exit code.
std::string ErrorMembers(const absl::Status& status,
                         const std::vector<UpdateException>& warnings,
                         ExitCode exit_code);

// What is left of an exception: nothing of ours throws, but memory may run out.
absl::Status Unexpected(const std::exception& exception);

// Writes an error for people: what happened, what to do, HRESULT and symbol.
void PrintError(Console& console, const absl::Status& status);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_FAILURE_H_
