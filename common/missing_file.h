#ifndef USHER_COMMON_MISSING_FILE_H_
#define USHER_COMMON_MISSING_FILE_H_

#include "absl/status/status.h"

namespace usher {

// Whether an error says that a file is not there, in a folder or on a web
// server: the end of the chain of roots (TUF specification, section 5.3.3).
bool IsMissingFile(const absl::Status& status);

}  // namespace usher

#endif  // USHER_COMMON_MISSING_FILE_H_
