#ifndef USHER_USHER_H_
#define USHER_USHER_H_

// All of the SDK. Errors are absl::Status; HResultOf(status) in
// "common/error.h" gives the HRESULT inside.

#include "common/error.h"          // IWYU pragma: export
#include "common/hresult.h"        // IWYU pragma: export
#include "usher/update_session.h"  // IWYU pragma: export

#endif  // USHER_USHER_H_
