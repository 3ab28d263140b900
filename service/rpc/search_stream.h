#ifndef USHER_SERVICE_RPC_SEARCH_STREAM_H_
#define USHER_SERVICE_RPC_SEARCH_STREAM_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "absl/status/statusor.h"
#include "service/rpc/call_record.h"
#include "service/session/core.h"
#include "service/session/searcher_api.h"

namespace usher::rpc {

enum class SearchEnd {
  kDropJob,  // Search: the job goes with the stream
  kKeepJob,  // EndSearch: the job's result is taken when the stream is whole
};

// Streams a search job's result: the job, then its updates as the catalog
// serialized them, then the summary.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StreamSearch(
    session::Core& core, const CallRecord& record, SearchEnd end,
    absl::StatusOr<session::BegunSearch> search);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_SEARCH_STREAM_H_
