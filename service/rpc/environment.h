#ifndef USHER_SERVICE_RPC_ENVIRONMENT_H_
#define USHER_SERVICE_RPC_ENVIRONMENT_H_

#include <string>

#include "service/session/authority.h"

namespace usher::session {
class Core;
}  // namespace usher::session

namespace usher::rpc {

// Who calls without the secret that a door asks for (loopback_door.h).
inline constexpr char kUnknownCaller[] = "loopback:unknown";

// What the services of one server share: the session layer, and the identity
// of everyone who is connected to this server.
struct Environment {
  session::Core& core;
  const session::Caller caller;
  // Unless empty, each call must carry it in its metadata, because anyone may
  // connect (loopback_door.h).
  const std::string secret = {};
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_ENVIRONMENT_H_
