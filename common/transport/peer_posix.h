#ifndef USHER_COMMON_TRANSPORT_PEER_POSIX_H_
#define USHER_COMMON_TRANSPORT_PEER_POSIX_H_

// What the kernel knows about the other end of a Unix socket, and the small
// things both ends of it need.

#include <sys/types.h>
#include <sys/un.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/transport/transport.h"

namespace usher::transport {

// Reads who connected at the other end of `fd` (SO_PEERCRED, SO_PEERGROUPS).
// `administrators_gid`: group whose members are administrators, if any.
absl::StatusOr<PeerIdentity> ReadPeer(int fd,
                                      absl::optional<gid_t> administrators_gid);

// The user id of the other end: at a client, of the process that listens.
absl::StatusOr<uid_t> ReadPeerUid(int fd);

// Makes the address of a socket path. E_INVALIDARG when it does not fit
// (107 bytes) or is empty.
absl::StatusOr<sockaddr_un> SocketAddress(const std::string& path);

// The id of a group by its name. E_INVALIDARG when there is none.
absl::StatusOr<gid_t> GroupId(const std::string& name);

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_PEER_POSIX_H_
