#include <windows.h>

#include "absl/strings/str_cat.h"
#include "common/uuid.h"
#include "common/win32.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::transport {
namespace {

class PipeClient : public RawClient {
 public:
  explicit PipeClient(win32::Handle pipe) : pipe_(std::move(pipe)) {}

  bool Send(absl::string_view bytes) override {
    DWORD sent = 0;
    return WriteFile(pipe_.get(), bytes.data(),
                     static_cast<DWORD>(bytes.size()), &sent, nullptr) != 0 &&
           sent == bytes.size();
  }
  bool IsClosed() override {
    char byte = 0;
    DWORD received = 0;
    return ReadFile(pipe_.get(), &byte, 1, &received, nullptr) == 0 &&
           GetLastError() == ERROR_BROKEN_PIPE;
  }

 private:
  const win32::Handle pipe_;
};

}  // namespace

std::unique_ptr<RawClient> RawClient::Connect(const std::string& address) {
  const std::wstring name = win32::ToWide(address);
  while (true) {
    win32::Handle pipe(CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE,
                                   0, nullptr, OPEN_EXISTING, 0, nullptr));
    if (pipe.open()) return std::make_unique<PipeClient>(std::move(pipe));
    if (GetLastError() != ERROR_PIPE_BUSY ||
        WaitNamedPipeW(name.c_str(), 60'000) == 0) {
      return nullptr;
    }
  }
}

std::string NewAddress() {
  return absl::StrCat(R"(\\.\pipe\usher-test-)", RandomResourceId());
}

std::string OwnUser() { return win32::OwnSid(); }
int64_t OwnProcess() { return GetCurrentProcessId(); }

}  // namespace usher::transport
