#ifndef USHER_COMMON_TRANSPORT_PIPE_STREAM_WIN_H_
#define USHER_COMMON_TRANSPORT_PIPE_STREAM_WIN_H_

// Bytes over one end of a connected named pipe, on the Windows thread pool.
// Knows nothing of gRPC.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/win32.h"

namespace usher::transport {

// Lives as long as anybody refers to it, and itself refers to itself while an
// operation runs: the handle is closed after the last completion, never before.
// Thread-safe; one read and one write at a time.
class PipeStream {
 public:
  struct Result {
    // A Windows error code; 0: done.
    uint32_t error = 0;
    // Bytes that were read; of a write, all of them.
    size_t bytes = 0;
  };
  struct Span {
    const void* data = nullptr;
    size_t size = 0;
  };
  // Called on a thread of the pool's. Must not block.
  using Done = std::function<void(const Result&)>;

  // Takes over the end of a connected pipe that was opened for overlapped use,
  // in byte mode. `lease` is let go when the handle has been closed.
  static absl::StatusOr<std::shared_ptr<PipeStream>> Create(
      win32::Handle pipe, std::shared_ptr<void> lease);
  virtual ~PipeStream() = default;

  // Reads between 1 and `size` bytes. What could be done at once is returned;
  // otherwise `done` is called later. `buffer` must live until then.
  virtual absl::optional<Result> Read(void* buffer, size_t size, Done done) = 0;
  // Writes everything, in the same manner. What `spans` refers to must live
  // until it is done.
  virtual absl::optional<Result> Write(std::vector<Span> spans, Done done) = 0;
  // Ends running operations, and later ones at once, with
  // ERROR_OPERATION_ABORTED.
  virtual void Shutdown() = 0;
  // The pipe, for questions about it.
  virtual void* handle() const = 0;
};

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_PIPE_STREAM_WIN_H_
