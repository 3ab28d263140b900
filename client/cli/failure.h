#ifndef USHER_CLIENT_CLI_FAILURE_H_
#define USHER_CLIENT_CLI_FAILURE_H_

// How the program tells about errors.

#include <string>

#include "absl/status/status.h"
#include "client/cli/console.h"

namespace usher::cli {

// One line that says what to do about an error, or "" when its message says
// all there is.
std::string AdviceFor(const absl::Status& status);

// "0x80240032 WU_E_INVALID_CRITERIA"; the number alone when it has no name.
std::string HResultText(uint32_t hresult);

// The "error" object of --json as JSON text: hresult, symbol, message, and
// where known subject, advice, request_id, candidates.
std::string ErrorJson(const absl::Status& status);

// Writes an error for people: what happened, what to do, HRESULT and symbol.
void PrintError(Console& console, const absl::Status& status);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_FAILURE_H_
