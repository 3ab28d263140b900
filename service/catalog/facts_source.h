#ifndef USHER_SERVICE_CATALOG_FACTS_SOURCE_H_
#define USHER_SERVICE_CATALOG_FACTS_SOURCE_H_

// What only the operating system can say about the machine. Platform twins:
// facts_source_posix.cc, facts_source_win.cc.

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"

namespace usher::catalog {

// "linux" or "windows".
std::string MachineFamily();

// The version and build of Windows ("10.0.19045"); "" on Linux, where
// os-release has it.
std::string MachineVersion();

// Where the system keeps the list of its Debian packages, and its os-release;
// empty on Windows, which has neither: what anybody may put at such a path
// there says nothing about the machine.
std::filesystem::path DpkgStatusPath();
std::filesystem::path OsReleasePath();

// Debian's name of the architecture the kernel runs on ("amd64"), or the
// kernel's own when Debian has none.
std::string MachineArchitecture();

// A text that changes whenever the file at `path` may have changed; empty when
// there is nothing. Links are followed. Costs one system call.
std::string FileStamp(const std::filesystem::path& path);

// The SHA-256 of a regular file's bytes; WU_E_INVALID_FILE for anything that
// is not one, without waiting on devices and pipes.
absl::StatusOr<Sha256Digest> FileDigest(const std::filesystem::path& path);

// The folder in use of an archive product whose folder is `product`; may not
// exist.
std::filesystem::path CurrentFolder(const std::filesystem::path& product);

// A checked rule's path as this system has it, "%NAME%" at its start filled in
// on Windows; empty when that is not defined.
std::filesystem::path SystemPath(absl::string_view rule_path);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_FACTS_SOURCE_H_
