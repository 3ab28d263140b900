// Compiled with the same setting of NDEBUG as gRPC: the layout of its
// structures depends on it.

#include "common/transport/pipe_endpoint_win.h"

// gRPC's platform header comes before its others.
// clang-format off
#include <grpc/support/port_platform.h>
#include <grpc/grpc.h>
// clang-format on

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/iomgr/endpoint.h"
#include "src/core/lib/iomgr/error.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/resource_quota/memory_quota.h"
#include "src/core/lib/resource_quota/resource_quota.h"
#include "src/core/lib/slice/slice.h"

namespace usher::transport {
namespace {

// An idle connection waits with a buffer of the first size; one that fills its
// buffer gets a larger one.
constexpr size_t kMinRead = size_t{8} * 1024;
constexpr size_t kMaxRead = size_t{256} * 1024;
// A rest of a buffer that is not worth a system call.
constexpr size_t kMinRest = 1024;

class PipeEndpoint : public grpc_endpoint {
 public:
  PipeEndpoint(std::shared_ptr<PipeStream> stream, std::string peer,
               const grpc_core::ChannelArgs& arguments)
      : grpc_endpoint{&kVtable},
        peer_(std::move(peer)),
        stream_(std::move(stream)),
        memory_(arguments.GetObject<grpc_core::ResourceQuota>()
                    ->memory_quota()
                    ->CreateMemoryOwner(peer_)) {
    // What is done on the pool's threads may outlive channel and server.
    grpc_init();
  }

  PipeEndpoint(const PipeEndpoint&) = delete;
  PipeEndpoint& operator=(const PipeEndpoint&) = delete;

 private:
  ~PipeEndpoint() {
    grpc_core::CSliceUnref(buffer_);
    memory_.Reset();
    stream_.reset();
    grpc_shutdown();
  }

  static PipeEndpoint* From(grpc_endpoint* endpoint) {
    return static_cast<PipeEndpoint*>(endpoint);
  }

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  void Read(grpc_slice_buffer* into, grpc_closure* done) {
    grpc_slice_buffer_reset_and_unref(into);
    into_ = into;
    read_done_ = done;
    if (GRPC_SLICE_LENGTH(buffer_) < std::max(wanted_ / 4, kMinRest)) {
      grpc_core::CSliceUnref(buffer_);
      // Less under memory pressure.
      buffer_ = memory_.MakeSlice(grpc_core::MemoryRequest(kMinRead, wanted_));
    }
    offered_ = GRPC_SLICE_LENGTH(buffer_);
    Ref();
    const auto result =
        stream_->Read(GRPC_SLICE_START_PTR(buffer_), offered_,
                      [this](const PipeStream::Result& later) {
                        const grpc_core::ApplicationCallbackExecCtx callbacks;
                        const grpc_core::ExecCtx context;
                        FinishRead(later);
                      });
    if (result.has_value()) FinishRead(*result);
  }

  void FinishRead(const PipeStream::Result& result) {
    if (result.error == 0) {
      grpc_slice_buffer_add(into_,
                            grpc_slice_split_head(&buffer_, result.bytes));
      if (result.bytes == offered_) {
        wanted_ = std::min(wanted_ * 2, kMaxRead);
      } else if (result.bytes < wanted_ / 4) {
        wanted_ = std::max(wanted_ / 2, kMinRead);
      }
    }
    Finish(std::exchange(read_done_, nullptr), result);
  }

  void Write(grpc_slice_buffer* slices, grpc_closure* done) {
    std::vector<PipeStream::Span> spans;
    spans.reserve(slices->count);
    for (size_t i = 0; i < slices->count; ++i) {
      spans.push_back({GRPC_SLICE_START_PTR(slices->slices[i]),
                       GRPC_SLICE_LENGTH(slices->slices[i])});
    }
    write_done_ = done;
    Ref();
    const auto result = stream_->Write(
        std::move(spans), [this](const PipeStream::Result& later) {
          const grpc_core::ApplicationCallbackExecCtx callbacks;
          const grpc_core::ExecCtx context;
          Finish(std::exchange(write_done_, nullptr), later);
        });
    if (result.has_value()) {
      Finish(std::exchange(write_done_, nullptr), *result);
    }
  }

  // Tells gRPC, behind the running function, and lets go of the reference that
  // the operation held.
  void Finish(grpc_closure* done, const PipeStream::Result& result) {
    grpc_core::ExecCtx::Run(DEBUG_LOCATION, done, StatusOf(result.error));
    Unref();
  }

  grpc_error_handle StatusOf(uint32_t error) {
    if (error == 0) return absl::OkStatus();
    absl::MutexLock lock(&mutex_);
    return grpc_error_set_int(
        shut_down_
            ? GRPC_ERROR_CREATE_REFERENCING("pipe is shut down", &why_, 1)
            : GRPC_ERROR_CREATE(
                  absl::StrCat("pipe is closed (Windows error ", error, ")")),
        grpc_core::StatusIntProperty::kRpcStatus, GRPC_STATUS_UNAVAILABLE);
  }

  void Shutdown(grpc_error_handle why) {
    {
      absl::MutexLock lock(&mutex_);
      if (!shut_down_) why_ = std::move(why);
      shut_down_ = true;
    }
    stream_->Shutdown();
  }

  static const grpc_endpoint_vtable kVtable;

  const std::string peer_;
  std::shared_ptr<PipeStream> stream_;
  grpc_core::MemoryOwner memory_;
  std::atomic<int> references_{1};

  // Of the read under way.
  grpc_slice buffer_ = grpc_empty_slice();
  size_t offered_ = 0;
  size_t wanted_ = kMinRead;
  grpc_slice_buffer* into_ = nullptr;
  grpc_closure* read_done_ = nullptr;

  grpc_closure* write_done_ = nullptr;

  absl::Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  grpc_error_handle why_ ABSL_GUARDED_BY(mutex_);
};

const grpc_endpoint_vtable PipeEndpoint::kVtable = {
    .read = [](grpc_endpoint* endpoint, grpc_slice_buffer* into,
               grpc_closure* done, bool /*urgent*/,
               int /*min_progress_size*/) { From(endpoint)->Read(into, done); },
    .write =
        [](grpc_endpoint* endpoint, grpc_slice_buffer* slices,
           grpc_closure* done, void* /*argument*/,
           int /*max_frame_size*/) { From(endpoint)->Write(slices, done); },
    // The thread pool does the waiting, so there is nothing to poll.
    .add_to_pollset = [](grpc_endpoint*, grpc_pollset*) {},
    .add_to_pollset_set = [](grpc_endpoint*, grpc_pollset_set*) {},
    .delete_from_pollset_set = [](grpc_endpoint*, grpc_pollset_set*) {},
    .shutdown =
        [](grpc_endpoint* endpoint, grpc_error_handle why) {
          From(endpoint)->Shutdown(std::move(why));
        },
    .destroy =
        [](grpc_endpoint* endpoint) {
          From(endpoint)->stream_->Shutdown();
          From(endpoint)->Unref();
        },
    .get_peer = [](grpc_endpoint* endpoint) -> absl::string_view {
      return From(endpoint)->peer_;
    },
    .get_local_address = [](grpc_endpoint*) -> absl::string_view { return ""; },
    .get_fd = [](grpc_endpoint*) { return -1; },
    .can_track_err = [](grpc_endpoint*) { return false; },
};

}  // namespace

grpc_endpoint* MakePipeEndpoint(std::shared_ptr<PipeStream> stream,
                                std::string peer,
                                const grpc_core::ChannelArgs& arguments) {
  return new PipeEndpoint(std::move(stream), std::move(peer), arguments);
}

std::string NewPipeName() {
  static std::atomic<uint64_t> count{0};
  return absl::StrCat("pipe:",
                      count.fetch_add(1, std::memory_order_relaxed) + 1);
}

}  // namespace usher::transport
