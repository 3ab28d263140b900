// Compiled with the same setting of NDEBUG as gRPC: the layout of its
// structures depends on it.

#include "common/transport/pipe_channel_win.h"

// gRPC's platform header comes before its others.
// clang-format off
#include <grpc/support/port_platform.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
// clang-format on
#include <grpcpp/channel.h>
#include <grpcpp/impl/grpc_library.h>
#include <grpcpp/server.h>
#include <grpcpp/support/channel_arguments.h>

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/transport/pipe_endpoint_win.h"
#include "src/core/ext/transport/chttp2/transport/chttp2_transport.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/channel/channel_args_preconditioning.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/gprpp/time.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/iomgr/timer.h"
#include "src/core/lib/security/credentials/credentials.h"
#include "src/core/lib/surface/channel.h"
#include "src/core/lib/surface/channel_stack_type.h"
#include "src/core/lib/surface/server.h"
#include "src/core/lib/transport/transport.h"

namespace usher::transport {
namespace {

// A local connection's name for the :authority of its calls.
constexpr char kAuthority[] = "localhost";

// Disconnects a client that does not send its HTTP/2 settings in time, as
// gRPC's own listeners do. gRPC calls each of the two closures once.
class SettingsWatch {
 public:
  static SettingsWatch* Make(std::shared_ptr<PipeStream> stream) {
    return new SettingsWatch(std::move(stream));
  }

  SettingsWatch(const SettingsWatch&) = delete;
  SettingsWatch& operator=(const SettingsWatch&) = delete;

  // Called when the settings come, or the connection ends.
  grpc_closure* on_settings() { return &on_settings_; }

  void Start(absl::Duration timeout) {
    grpc_timer_init(
        &timer_,
        grpc_core::Timestamp::Now() + grpc_core::Duration::Milliseconds(
                                          absl::ToInt64Milliseconds(timeout)),
        &on_timeout_);
  }

 private:
  explicit SettingsWatch(std::shared_ptr<PipeStream> stream)
      : stream_(std::move(stream)) {
    GRPC_CLOSURE_INIT(&on_settings_, OnSettings, this, nullptr);
    GRPC_CLOSURE_INIT(&on_timeout_, OnTimeout, this, nullptr);
  }
  ~SettingsWatch() = default;

  static void OnSettings(void* argument, grpc_error_handle /*error*/) {
    auto* const watch = static_cast<SettingsWatch*>(argument);
    grpc_timer_cancel(&watch->timer_);
    watch->Unref();
  }

  static void OnTimeout(void* argument, grpc_error_handle error) {
    auto* const watch = static_cast<SettingsWatch*>(argument);
    // The transport closes when its read fails. A cancelled timer is one whose
    // client has spoken.
    if (error.ok()) watch->stream_->Shutdown();
    watch->Unref();
  }

  void Unref() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  const std::shared_ptr<PipeStream> stream_;
  std::atomic<int> references_{2};
  grpc_timer timer_;
  grpc_closure on_settings_;
  grpc_closure on_timeout_;
};

// In memory that the transport frees.
grpc_slice_buffer* MakeReadBuffer(const std::string& received) {
  auto* const buffer =
      static_cast<grpc_slice_buffer*>(gpr_malloc(sizeof(grpc_slice_buffer)));
  grpc_slice_buffer_init(buffer);
  if (!received.empty()) {
    grpc_slice_buffer_add(buffer, grpc_slice_from_copied_buffer(
                                      received.data(), received.size()));
  }
  return buffer;
}

}  // namespace

absl::Status ServePipe(grpc::Server& server, std::shared_ptr<PipeStream> stream,
                       const std::string& received, absl::Duration timeout) {
  const grpc_core::ExecCtx context;
  grpc_core::Server* const core = grpc_core::Server::FromC(server.c_server());
  const grpc_core::ChannelArgs arguments = core->channel_args();
  grpc_transport* const transport = grpc_create_chttp2_transport(
      arguments, MakePipeEndpoint(stream, NewPipeName(), arguments),
      /*is_client=*/false);
  const grpc_error_handle error =
      core->SetupTransport(transport, nullptr, arguments, nullptr);
  if (!error.ok()) {
    grpc_transport_destroy(transport);
    return Error(hr::kWuEUnexpected,
                 absl::StrCat("gRPC does not take the connection: ",
                              grpc_core::StatusToString(error)));
  }
  SettingsWatch* const watch = SettingsWatch::Make(std::move(stream));
  // First the timer, which the other closure cancels.
  watch->Start(timeout);
  grpc_chttp2_transport_start_reading(transport, MakeReadBuffer(received),
                                      watch->on_settings(), nullptr);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> PipeChannel(
    std::shared_ptr<PipeStream> stream,
    const grpc::ChannelArguments& arguments) {
  // The channel takes part in gRPC's life once it is made; until then this
  // does.
  grpc_init();
  const auto end = absl::MakeCleanup([] { grpc_shutdown(); });
  grpc_channel_args c_arguments;
  arguments.SetChannelArgs(&c_arguments);
  grpc_channel* c_channel = nullptr;
  {
    const grpc_core::ExecCtx context;
    const grpc_core::ChannelArgs final_arguments =
        grpc_core::CoreConfiguration::Get()
            .channel_args_preconditioning()
            .PreconditionChannelArgs(&c_arguments)
            .SetIfUnset(GRPC_ARG_DEFAULT_AUTHORITY, kAuthority);
    const std::string name = NewPipeName();
    grpc_transport* const transport = grpc_create_chttp2_transport(
        final_arguments,
        MakePipeEndpoint(std::move(stream), name, final_arguments),
        /*is_client=*/true);
    auto channel = grpc_core::Channel::Create(
        name.c_str(), final_arguments, GRPC_CLIENT_DIRECT_CHANNEL, transport);
    if (!channel.ok()) {
      grpc_transport_destroy(transport);
      return Error(hr::kWuEUnexpected,
                   absl::StrCat("gRPC does not take the connection: ",
                                channel.status().message()));
    }
    grpc_chttp2_transport_start_reading(transport, nullptr, nullptr, nullptr);
    c_channel = channel->release()->c_ptr();
  }
  return grpc::CreateChannelInternal("", c_channel, {});
}

}  // namespace usher::transport
