// usher_service_handles NAME: how many handles the process of a Windows
// service has, as a line of text.

// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <winternl.h>
// clang-format on

#include <cstdio>
#include <vector>

namespace {

int Fail(const char* what) {
  std::fprintf(stderr, "usher_service_handles: %s: error %lu\n", what,
               GetLastError());
  return 1;
}

// 0: there is no such service, or it does not run.
DWORD ProcessOf(const char* service) {
  const SC_HANDLE manager =
      OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT);
  if (manager == nullptr) return 0;
  const SC_HANDLE handle = OpenServiceA(manager, service, SERVICE_QUERY_STATUS);
  SERVICE_STATUS_PROCESS status = {};
  DWORD size = 0;
  if (handle != nullptr) {
    QueryServiceStatusEx(handle, SC_STATUS_PROCESS_INFO,
                         reinterpret_cast<BYTE*>(&status), sizeof(status),
                         &size);
    CloseServiceHandle(handle);
  }
  CloseServiceHandle(manager);
  return status.dwProcessId;
}

// 0: the system does not say.
size_t HandlesOf(DWORD process) {
  const HANDLE handle =
      OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process);
  DWORD told = 0;
  if (handle != nullptr) {
    GetProcessHandleCount(handle, &told);
    CloseHandle(handle);
  }
  if (told > 0) return told;
  // Wine 8 leaves that at nought, and tells of every process's handles.
  std::vector<ULONG64> buffer(size_t{1} << 20);
  ULONG size = 0;
  if (NtQuerySystemInformation(
          SystemHandleInformation, buffer.data(),
          static_cast<ULONG>(buffer.size() * sizeof(ULONG64)), &size) < 0) {
    return 0;
  }
  const auto* const all =
      reinterpret_cast<const SYSTEM_HANDLE_INFORMATION*>(buffer.data());
  size_t count = 0;
  for (ULONG i = 0; i < all->Count; ++i) {
    if (all->Handle[i].OwnerPid == process) ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return Fail("usage: usher_service_handles NAME");
  const DWORD process = ProcessOf(argv[1]);
  if (process == 0) return Fail("no such service runs");
  const size_t handles = HandlesOf(process);
  if (handles == 0) return Fail("the system does not tell of handles");
  std::printf("%zu\n", handles);
  return 0;
}
