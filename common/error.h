#ifndef USHER_COMMON_ERROR_H_
#define USHER_COMMON_ERROR_H_

// Errors as absl::Status that carry an HRESULT and the thing concerned.

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/hresult.h"

namespace usher {

// Makes a failed status with the canonical code that the HRESULT table gives
// `hr`. `message` says what went wrong and what to do about it; `subject`
// names the request field, resource, file or update concerned. `hr` must be a
// failure code.
absl::Status Error(HResult hr, absl::string_view message,
                   absl::string_view subject = "");

// The same with a canonical code of the caller's choice.
absl::Status Error(absl::StatusCode code, HResult hr, absl::string_view message,
                   absl::string_view subject = "");

// The HRESULT inside `status`; for one without, the code that fits its
// canonical code best; S_OK for an OK status.
HResult HResultOf(const absl::Status& status);

// The subject inside `status`, or "".
std::string SubjectOf(const absl::Status& status);

// Returns `status` with a way out that only its place of origin knows, for
// whoever shows it to a person. Stays on this side of the wire.
absl::Status WithAdvice(absl::Status status, absl::string_view advice);

// The advice inside `status`, or "".
std::string AdviceOf(const absl::Status& status);

// Returns `status` with "`context`: " before its message, and everything else
// kept. An OK status is returned as it is.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// Makes a status from `errno` or another system code in std::error_code form:
// "cannot {what} {path}: {reason}". Disk full becomes ERROR_DISK_FULL.
absl::Status SystemError(int error_number, absl::string_view what,
                         absl::string_view path);

}  // namespace usher

// The macros' other arguments are names, which take no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)

// Returns from the enclosing function if `expr` is a failed absl::Status. The
// name carries the line, so that `expr` may hold a lambda that uses it too.
#define USHER_RETURN_IF_ERROR(expr) \
  USHER_RETURN_IF_ERROR_IMPL_(USHER_CONCAT_(usher_status_, __LINE__), expr)

#define USHER_RETURN_IF_ERROR_IMPL_(tmp, expr)  \
  do {                                          \
    if (absl::Status tmp = (expr); !tmp.ok()) { \
      return tmp;                               \
    }                                           \
  } while (false)

#define USHER_CONCAT_INNER_(a, b) a##b
#define USHER_CONCAT_(a, b) USHER_CONCAT_INNER_(a, b)

// Assigns the value of a StatusOr to `lhs` or returns its status.
#define USHER_ASSIGN_OR_RETURN(lhs, expr) \
  USHER_ASSIGN_OR_RETURN_IMPL_(USHER_CONCAT_(usher_or_, __LINE__), lhs, expr)

#define USHER_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) {                                   \
    return std::move(tmp).status();                  \
  }                                                  \
  lhs = *std::move(tmp)

// NOLINTEND(bugprone-macro-parentheses)

#endif  // USHER_COMMON_ERROR_H_
