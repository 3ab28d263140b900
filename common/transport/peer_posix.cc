#include "common/transport/peer_posix.h"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::transport {
namespace {

absl::StatusOr<ucred> ReadCredentials(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return SystemError(errno, "read the peer of", "connection");
  }
  return credentials;
}

// The supplementary groups the peer had when it connected.
absl::StatusOr<std::vector<gid_t>> ReadGroups(int fd) {
  std::vector<gid_t> groups(64);
  while (true) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    // The kernel says how much room it wants; NGROUPS_MAX bounds it.
    if (errno != ERANGE || size / sizeof(gid_t) <= groups.size()) {
      return SystemError(errno, "read the groups of", "connection");
    }
    groups.resize(size / sizeof(gid_t));
  }
}

}  // namespace

absl::StatusOr<PeerIdentity> ReadPeer(
    int fd, absl::optional<gid_t> administrators_gid) {
  USHER_ASSIGN_OR_RETURN(const ucred credentials, ReadCredentials(fd));
  PeerIdentity peer;
  peer.user = absl::StrCat("uid:", credentials.uid);
  peer.process_id = credentials.pid;
  peer.is_self = credentials.pid == getpid();
  // The service can do no more than the user it runs as, so that user is an
  // administrator of it: a private instance obeys the one who started it.
  peer.is_administrator = credentials.uid == 0 || credentials.uid == geteuid();
  if (!peer.is_administrator && administrators_gid.has_value()) {
    USHER_ASSIGN_OR_RETURN(const std::vector<gid_t> groups, ReadGroups(fd));
    peer.is_administrator = credentials.gid == *administrators_gid ||
                            std::find(groups.begin(), groups.end(),
                                      *administrators_gid) != groups.end();
  }
  peer.credentials =
      absl::StrCat(peer.user, peer.is_administrator ? " administrator" : "");
  return peer;
}

absl::StatusOr<uid_t> ReadPeerUid(int fd) {
  USHER_ASSIGN_OR_RETURN(const ucred credentials, ReadCredentials(fd));
  return credentials.uid;
}

absl::StatusOr<sockaddr_un> SocketAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("socket path must have 1 to ",
                              sizeof(address.sun_path) - 1,
                              " bytes; choose a shorter one"),
                 path);
  }
  if (path.find('\0') != std::string::npos) {
    return Error(hr::kEInvalidarg, "socket path contains a zero byte", path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::StatusOr<gid_t> GroupId(const std::string& name) {
  std::vector<char> buffer(1024);
  while (true) {
    group entry{};
    group* found = nullptr;
    const int error =
        getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < (size_t{1} << 24)) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    if (error != 0) return SystemError(error, "look up group", name);
    if (found == nullptr) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("there is no group named \"", name,
                                "\" on this machine; make it or name another"),
                   name);
    }
    return entry.gr_gid;
  }
}

}  // namespace usher::transport
