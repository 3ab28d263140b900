#ifndef USHER_COMMON_TRANSPORT_PEER_WIN_H_
#define USHER_COMMON_TRANSPORT_PEER_WIN_H_

// What the kernel knows about the other end of a named pipe, who may connect,
// and the small things both ends of it need.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/transport/transport.h"

namespace usher::transport {

// Decides who a client is. Immutable after Make.
class PeerReader {
 public:
  // `administrators_group`: a local or domain group ("Update Admins",
  // "DOMAIN\Group") whose members are administrators too; empty: none.
  // E_INVALIDARG when there is no such group.
  static absl::StatusOr<std::unique_ptr<PeerReader>> Make(
      const std::string& administrators_group);
  virtual ~PeerReader() = default;

  // Reads who is at the other end of `pipe`, a server's end, from the token
  // that the kernel keeps for impersonation. The process id at the other end
  // would not do: it belongs to whoever has the number by then.
  //
  // Nothing is returned as long as the kernel does not have that token: a
  // client that asked for dynamic tracking (which is what a plain CreateFile
  // gets) is known only after something was read from it.
  virtual absl::StatusOr<absl::optional<PeerIdentity>> Read(
      void* pipe) const = 0;
};

// Refuses the server behind `pipe`, a client's end at `address`, with
// E_ACCESSDENIED unless it is SYSTEM, an administrator's or the caller's own.
// What decides is the owner of the pipe: only its creator, or an administrator,
// can have made an end of it, and nobody can give a thing to an owner that is
// not in its own token. Where the process at the other end may be looked at,
// that must fit too.
absl::Status CheckServer(void* pipe, const std::string& address);

// "process 1234 (C:\…\x.exe)" for the process that serves `address`, or "".
std::string DescribeServer(const std::wstring& address);

// The security of a pipe, as a PSECURITY_DESCRIPTOR.
using PipeSecurity = std::unique_ptr<void, void (*)(void*)>;

// SYSTEM, Administrators and, unless this process is elevated, its user may do
// everything; with `world_accessible`, authenticated users may connect, read
// and write, but not offer an end of their own (FILE_CREATE_PIPE_INSTANCE).
// Nobody else: not anonymous users, not app containers, and, by the label that
// the system gives, no process of low integrity.
absl::StatusOr<PipeSecurity> MakePipeSecurity(bool world_accessible);

// Whether nobody but those of MakePipeSecurity() can have offered an end of the
// pipe of which `pipe` is one, or can change who may: the security of a pipe is
// that of its first end, whoever made it. E_ACCESSDENIED.
absl::Status CheckSecurity(void* pipe, const std::string& address);

// A pipe's name for the Windows API. E_INVALIDARG unless it is
// "\\.\pipe\NAME" with a NAME of 1 to 240 bytes, neither backslash nor slash
// in it: never another machine's pipe.
absl::StatusOr<std::wstring> PipeAddress(const std::string& address);

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_PEER_WIN_H_
