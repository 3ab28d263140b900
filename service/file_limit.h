#ifndef USHER_SERVICE_FILE_LIMIT_H_
#define USHER_SERVICE_FILE_LIMIT_H_

// How many open files the connections that the configuration allows need.

#include <cstdint>

#include "service/config.h"

namespace usher::daemon {

// Open files that a service with this configuration may come to have.
int64_t FilesWanted(const Config& config);

// Lowers limits.connections and limits.connections_per_user of `config` to what
// `files` open files suffice for, so that enough are left for everything else.
// False if they are few enough already.
bool FitConnections(int64_t files, Config& config);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_FILE_LIMIT_H_
