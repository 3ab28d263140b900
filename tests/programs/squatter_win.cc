// usher_squatter PIPE [busy]: has made the pipe before the service could, as
// somebody else, and answers nobody. With "busy" the pipe has one end only,
// which a client of its own has. Says "ready"; ends with its standard input.

// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <sddl.h>
// clang-format on

#include <cstdio>
#include <cstring>
#include <vector>

int main(int argc, char** argv) {
  const bool busy = argc == 3 && std::strcmp(argv[2], "busy") == 0;
  if (argc != 2 && !busy) {
    std::fputs("usage: usher_squatter PIPE [busy]\n", stderr);
    return 2;
  }
  // Owned by a user of no machine's, and open to everyone. Windows lets nobody
  // make a thing of somebody else's without a privilege, Wine does.
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorA(
          "O:S-1-5-21-1-2-3-1001D:(A;;GA;;;WD)", SDDL_REVISION_1, &descriptor,
          nullptr) == 0) {
    return 1;
  }
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), descriptor, FALSE};
  // One for each who comes by: an instance is used up by its first client.
  std::vector<HANDLE> pipes(busy ? 1 : 8);
  for (HANDLE& pipe : pipes) {
    pipe = CreateNamedPipeA(argv[1], PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                            PIPE_TYPE_BYTE | PIPE_WAIT,
                            busy ? 1 : PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0,
                            &attributes);
    if (pipe == INVALID_HANDLE_VALUE) {
      std::fprintf(stderr, "usher_squatter: error %lu\n", GetLastError());
      return 1;
    }
  }
  LocalFree(descriptor);
  if (busy && CreateFileA(argv[1], GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                          OPEN_EXISTING, 0, nullptr) == INVALID_HANDLE_VALUE) {
    std::fprintf(stderr, "usher_squatter: error %lu\n", GetLastError());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  DWORD heard = 0;
  for (const HANDLE pipe : pipes) {
    DWORD available = 0;
    PeekNamedPipe(pipe, nullptr, 0, nullptr, &available, nullptr);
    heard += available;
    CloseHandle(pipe);
  }
  std::printf("heard %lu bytes\n", heard);
  return 0;
}
