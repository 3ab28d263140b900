#ifndef USHER_COMMON_TRANSPORT_PIPE_CHANNEL_WIN_H_
#define USHER_COMMON_TRANSPORT_PIPE_CHANNEL_WIN_H_

// HTTP/2 over a connected pipe, as a server's connection or a client's
// channel.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/transport/pipe_stream_win.h"

namespace grpc {
class Channel;
class ChannelArguments;
class Server;
}  // namespace grpc

namespace usher::transport {

// Has `server`, which must be running, serve the client behind `stream`.
// `received` are the bytes that were read from it already. A client that has
// not sent its HTTP/2 settings when `timeout` is over is disconnected.
absl::Status ServePipe(grpc::Server& server, std::shared_ptr<PipeStream> stream,
                       const std::string& received, absl::Duration timeout);

// A channel to the server behind `stream`. It does not redial.
absl::StatusOr<std::shared_ptr<grpc::Channel>> PipeChannel(
    std::shared_ptr<PipeStream> stream,
    const grpc::ChannelArguments& arguments);

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_PIPE_CHANNEL_WIN_H_
