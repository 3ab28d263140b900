#ifndef USHER_PUBLISHER_CLI_TIMESTAMP_COMMANDS_H_
#define USHER_PUBLISHER_CLI_TIMESTAMP_COMMANDS_H_

// refresh-timestamp and renew-root, and what other commands share with them.

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "publisher/cli/output.h"
#include "publisher/key_ring.h"
#include "publisher/publication.h"
#include "publisher/workspace.h"

namespace usher::publisher::cli {

// Says what expires soon, or has expired, and what to do. Whether something is
// urgent: within 7 days.
bool WarnOfExpiry(const PublishResult& result, absl::Time now,
                  const std::string& dir, const Output& output);

// After a new root is public: signs the timestamp anew, so that clients look
// for the root at once, if that is possible without asking anybody for a
// passphrase; else says which command does it. The new timestamp's version, or
// 0.
int64_t Announce(Workspace& workspace, PassphraseSource& passphrases,
                 absl::Time now, const Output& output);

}  // namespace usher::publisher::cli

#endif  // USHER_PUBLISHER_CLI_TIMESTAMP_COMMANDS_H_
