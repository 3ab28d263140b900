#ifndef USHER_SERVICE_SESSION_RESTORE_H_
#define USHER_SERVICE_SESSION_RESTORE_H_

#include "absl/status/status.h"

namespace usher::session {

class Core;

// Puts back the stored sessions and jobs at start: finished jobs with their
// results, unfinished ones running again. Rows that cannot be read are logged
// and left out.
absl::Status RestoreSessions(Core& core);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_RESTORE_H_
