#ifndef USHER_SERVICE_CATALOG_FACTS_SOURCE_H_
#define USHER_SERVICE_CATALOG_FACTS_SOURCE_H_

// What only the operating system can say about the machine. Platform twins:
// facts_source_posix.cc, facts_source_win.cc.

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "common/sha256.h"

namespace usher::catalog {

// "linux" or "windows".
std::string MachineFamily();

// Debian's name of the architecture the kernel runs on ("amd64"), or the
// kernel's own when Debian has none.
std::string MachineArchitecture();

// A text that changes whenever the file at `path` may have changed; empty when
// there is nothing. Links are followed. Costs one system call.
std::string FileStamp(const std::filesystem::path& path);

// The SHA-256 of a regular file's bytes; WU_E_INVALID_FILE for anything that
// is not one, without waiting on devices and pipes.
absl::StatusOr<Sha256Digest> FileDigest(const std::filesystem::path& path);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_FACTS_SOURCE_H_
