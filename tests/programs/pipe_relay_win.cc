// usher_pipe_relay: for clients whose gRPC cannot dial a named pipe. Reads
// names of pipes from its standard input, a line each, and answers each with
// the number of a TCP port on 127.0.0.1: every connection to that port is
// handed on to a connection of its own to the pipe, byte by byte in both
// directions. Ends with its standard input.

// winsock2.h comes before windows.h.
// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

#include <array>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

#include "common/win32.h"

namespace usher {
namespace {

constexpr size_t kBufferSize = size_t{64} * 1024;
using Buffer = std::array<char, kBufferSize>;

win32::Handle OpenPipe(const std::string& name) {
  const std::wstring wide = win32::ToWide(name);
  while (true) {
    win32::Handle pipe(CreateFileW(wide.c_str(), GENERIC_READ | GENERIC_WRITE,
                                   0, nullptr, OPEN_EXISTING,
                                   FILE_FLAG_OVERLAPPED, nullptr));
    if (pipe.open() || GetLastError() != ERROR_PIPE_BUSY ||
        WaitNamedPipeW(wide.c_str(), 60'000) == 0) {
      return pipe;
    }
  }
}

// Waits for an operation that was begun; the bytes moved, 0 on any failure.
DWORD Finish(HANDLE pipe, OVERLAPPED& overlapped, BOOL done) {
  if (done == 0 && GetLastError() != ERROR_IO_PENDING) return 0;
  DWORD bytes = 0;
  return GetOverlappedResult(pipe, &overlapped, &bytes, TRUE) != 0 ? bytes : 0;
}

DWORD Read(HANDLE pipe, HANDLE event, Buffer& buffer) {
  OVERLAPPED overlapped = {};
  overlapped.hEvent = event;
  return Finish(
      pipe, overlapped,
      ReadFile(pipe, buffer.data(), kBufferSize, nullptr, &overlapped));
}

bool Write(HANDLE pipe, HANDLE event, const char* data, int size) {
  while (size > 0) {
    OVERLAPPED overlapped = {};
    overlapped.hEvent = event;
    const DWORD written = Finish(
        pipe, overlapped,
        WriteFile(pipe, data, static_cast<DWORD>(size), nullptr, &overlapped));
    if (written == 0) return false;
    data += written;
    size -= static_cast<int>(written);
  }
  return true;
}

bool Send(SOCKET client, const char* data, int size) {
  while (size > 0) {
    const int sent = send(client, data, size, 0);
    if (sent <= 0) return false;
    data += sent;
    size -= sent;
  }
  return true;
}

void PipeToClient(HANDLE pipe, SOCKET client, HANDLE ended) {
  const win32::Handle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  Buffer buffer;
  while (true) {
    const DWORD bytes = Read(pipe, event.get(), buffer);
    if (bytes == 0 || !Send(client, buffer.data(), static_cast<int>(bytes))) {
      break;
    }
  }
  // Wakes the other direction.
  shutdown(client, SD_BOTH);
  SetEvent(ended);
}

void Relay(SOCKET client, const std::string& name) {
  const win32::Handle pipe = OpenPipe(name);
  if (pipe.open()) {
    const win32::Handle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
    const win32::Handle ended(CreateEventW(nullptr, TRUE, FALSE, nullptr));
    std::thread back(PipeToClient, pipe.get(), client, ended.get());
    Buffer buffer;
    while (true) {
      const int bytes = recv(client, buffer.data(), kBufferSize, 0);
      if (bytes <= 0 || !Write(pipe.get(), event.get(), buffer.data(), bytes)) {
        break;
      }
    }
    shutdown(client, SD_BOTH);
    // A read that begins just now is not cancelled the first time.
    do {
      CancelIoEx(pipe.get(), nullptr);
    } while (WaitForSingleObject(ended.get(), 10) == WAIT_TIMEOUT);
    back.join();
  }
  closesocket(client);
}

void Serve(SOCKET listener, const std::string& name) {
  while (true) {
    const SOCKET client = accept(listener, nullptr, nullptr);
    if (client == INVALID_SOCKET) return;
    const BOOL at_once = TRUE;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY,
               reinterpret_cast<const char*>(&at_once), sizeof(at_once));
    std::thread(Relay, client, name).detach();
  }
}

// A port whose connections lead to the pipe; 0 on failure.
int Open(const std::string& name) {
  const SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int size = sizeof(address);
  if (listener == INVALID_SOCKET ||
      bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    return 0;
  }
  std::thread(Serve, listener, name).detach();
  return ntohs(address.sin_port);
}

int Main() {
  WSADATA data;
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
  std::string line;
  while (std::getline(std::cin, line)) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    std::printf("%d\n", Open(line));
    std::fflush(stdout);
  }
  // Threads are at work: nothing is to be destroyed below them.
  TerminateProcess(GetCurrentProcess(), 0);
  return 0;
}

}  // namespace
}  // namespace usher

int main() { return usher::Main(); }
