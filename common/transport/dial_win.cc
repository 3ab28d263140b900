#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <windows.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/transport/peer_win.h"
#include "common/transport/pipe_channel_win.h"
#include "common/transport/pipe_stream_win.h"
#include "common/transport/transport.h"
#include "common/win32.h"

namespace usher::transport {
namespace {

absl::Status ConnectError(DWORD error, const std::string& address) {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
      return Error(hr::kWuENoService,
                   absl::StrCat("no Usher service answers at ", address,
                                "; is usherd running?"),
                   address);
    case ERROR_SEM_TIMEOUT:
    case ERROR_PIPE_BUSY:
      return Error(hr::kWuETimeOut,
                   absl::StrCat("the Usher service at ", address,
                                " did not accept the connection in time"),
                   address);
    default:
      return win32::SystemError(error, "connect to", address);
  }
}

absl::StatusOr<win32::Handle> Open(const std::wstring& name,
                                   const std::string& address,
                                   absl::Time deadline) {
  while (true) {
    // The server may know who calls, and cannot act as the caller.
    win32::Handle pipe(CreateFileW(
        name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
        nullptr));
    if (pipe.open()) return pipe;
    if (const DWORD error = GetLastError(); error != ERROR_PIPE_BUSY) {
      return ConnectError(error, address);
    }
    // 0 would mean the server's own timeout.
    const int64_t left = std::min<int64_t>(
        absl::ToInt64Milliseconds(deadline - absl::Now()), 0x7FFFFFFF);
    if (left <= 0) return ConnectError(ERROR_PIPE_BUSY, address);
    // Another caller may still be faster.
    if (WaitNamedPipeW(name.c_str(), static_cast<DWORD>(left)) == 0) {
      return ConnectError(GetLastError(), address);
    }
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(
    const DialOptions& options, const grpc::ChannelArguments& arguments) {
  const std::string address =
      options.address.empty() ? DefaultAddress() : options.address;
  USHER_ASSIGN_OR_RETURN(const std::wstring name, PipeAddress(address));
  USHER_ASSIGN_OR_RETURN(win32::Handle pipe,
                         Open(name, address, absl::Now() + options.timeout));
  if (options.verify_server) {
    USHER_RETURN_IF_ERROR(CheckServer(pipe.get(), address));
  }
  USHER_ASSIGN_OR_RETURN(std::shared_ptr<PipeStream> stream,
                         PipeStream::Create(std::move(pipe), nullptr));
  return PipeChannel(std::move(stream), arguments);
}

}  // namespace usher::transport
