#ifndef USHER_COMMON_TRANSPORT_PIPE_ENDPOINT_WIN_H_
#define USHER_COMMON_TRANSPORT_PIPE_ENDPOINT_WIN_H_

// gRPC's view of a named pipe. Newer gRPC takes an EventEngine::Endpoint at
// both ends; then only this file and pipe_channel_win.cc change.

#include <memory>
#include <string>

#include "common/transport/pipe_stream_win.h"

struct grpc_endpoint;

namespace grpc_core {
class ChannelArgs;
}  // namespace grpc_core

namespace usher::transport {

// Makes an endpoint, which its transport destroys. `peer` is what calls show
// as their peer. The buffers are charged to the resource quota in `arguments`.
grpc_endpoint* MakePipeEndpoint(std::shared_ptr<PipeStream> stream,
                                std::string peer,
                                const grpc_core::ChannelArgs& arguments);

// A name for a connection's end, never given twice: "pipe:7".
std::string NewPipeName();

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_PIPE_ENDPOINT_WIN_H_
