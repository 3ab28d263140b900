#ifndef USHER_TESTS_UNIT_TRANSPORT_RAW_CLIENT_H_
#define USHER_TESTS_UNIT_TRANSPORT_RAW_CLIENT_H_

// A client without gRPC, and what else a test of the transport needs of the
// platform. Platform twins: raw_client_posix.cc, raw_client_win.cc.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace usher::transport {

class RawClient {
 public:
  // Connects without a word; null if that fails.
  static std::unique_ptr<RawClient> Connect(const std::string& address);
  // Goes without a word.
  virtual ~RawClient() = default;

  virtual bool Send(absl::string_view bytes) = 0;
  // Waits until the other end has closed the connection; false if it sent
  // something before.
  virtual bool IsClosed() = 0;
};

// An address that nobody uses. What has to be made for it goes at the end of
// the process.
std::string NewAddress();

// This process's own user as a PeerIdentity names it, and its process id.
std::string OwnUser();
int64_t OwnProcess();

}  // namespace usher::transport

#endif  // USHER_TESTS_UNIT_TRANSPORT_RAW_CLIENT_H_
