#include <windows.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "service/catalog/facts_source.h"

namespace usher::catalog {
namespace {

constexpr uint64_t kMaxPointer = 512;

win32::Handle OpenForReading(const std::filesystem::path& path, DWORD access) {
  return win32::Handle(
      CreateFileW(win32::ApiPath(path).c_str(), access,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

// "\\server", pipes and devices: a rule must not make the service talk to
// another machine or wait on a device.
bool IsLocalPath(const std::filesystem::path& path) {
  const std::wstring& text = path.native();
  return text.size() > 2 && text[1] == L':' &&
         (text[2] == L'\\' || text[2] == L'/');
}

}  // namespace

std::string MachineFamily() { return "windows"; }

std::string MachineVersion() {
  // GetVersionEx tells each program what it wants to hear.
  using RtlGetVersionFunction = LONG(WINAPI*)(OSVERSIONINFOW*);
  const auto get_version =
      reinterpret_cast<RtlGetVersionFunction>(reinterpret_cast<void*>(
          GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion")));
  OSVERSIONINFOW info = {};
  info.dwOSVersionInfoSize = sizeof info;
  if (get_version == nullptr || get_version(&info) != 0) return "";
  return absl::StrCat(info.dwMajorVersion, ".", info.dwMinorVersion, ".",
                      info.dwBuildNumber);
}

std::filesystem::path DpkgStatusPath() { return {}; }

std::filesystem::path OsReleasePath() { return {}; }

std::string MachineArchitecture() {
  SYSTEM_INFO info;
  GetNativeSystemInfo(&info);
  switch (info.wProcessorArchitecture) {
    case PROCESSOR_ARCHITECTURE_AMD64:
      return "amd64";
    case PROCESSOR_ARCHITECTURE_ARM64:
      return "arm64";
    case PROCESSOR_ARCHITECTURE_INTEL:
      return "i386";
    default:
      return "";
  }
}

std::string FileStamp(const std::filesystem::path& path) {
  if (!IsLocalPath(path)) return "";
  const win32::Handle file = OpenForReading(path, FILE_READ_ATTRIBUTES);
  BY_HANDLE_FILE_INFORMATION info;
  FILE_BASIC_INFO times;
  if (!file.open() || GetFileInformationByHandle(file.get(), &info) == 0 ||
      GetFileInformationByHandleEx(file.get(), FileBasicInfo, &times,
                                   sizeof times) == 0) {
    return "";
  }
  // The change time too: the modification time can be set at will.
  return absl::StrCat(info.dwVolumeSerialNumber, ":", info.nFileIndexHigh, ":",
                      info.nFileIndexLow, ":", info.dwFileAttributes, ":",
                      info.nFileSizeHigh, ":", info.nFileSizeLow, ":",
                      times.LastWriteTime.QuadPart, ":",
                      times.ChangeTime.QuadPart);
}

absl::StatusOr<Sha256Digest> FileDigest(const std::filesystem::path& path) {
  const std::string name = PathToUtf8(path);
  if (!IsLocalPath(path)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not on a drive of this machine"),
                 name);
  }
  const win32::Handle file = OpenForReading(path, GENERIC_READ);
  if (!file.open()) return win32::LastError("open", name);
  BY_HANDLE_FILE_INFORMATION info;
  if (GetFileType(file.get()) != FILE_TYPE_DISK ||
      GetFileInformationByHandle(file.get(), &info) == 0 ||
      (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not a regular file"), name);
  }
  Sha256 hash;
  std::vector<char> buffer(size_t{64} * 1024);
  while (true) {
    DWORD count = 0;
    if (::ReadFile(file.get(), buffer.data(), static_cast<DWORD>(buffer.size()),
                   &count, nullptr) == 0) {
      return win32::LastError("read", name);
    }
    if (count == 0) return hash.Finish();
    hash.Update({buffer.data(), count});
  }
}

std::filesystem::path CurrentFolder(const std::filesystem::path& product) {
  // Where the file system has no junctions: service/install/switch_win.cc.
  const absl::StatusOr<std::string> name =
      ReadFile(product / ".current", kMaxPointer);
  if (!name.ok() || name->find_first_of("/\\:") != std::string::npos) {
    return product / "current";
  }
  return product / PathFromUtf8(*name);
}

std::filesystem::path SystemPath(absl::string_view rule_path) {
  if (!absl::StartsWith(rule_path, "%")) return PathFromUtf8(rule_path);
  const size_t end = rule_path.find('%', 1);
  if (end == absl::string_view::npos) return {};
  std::array<wchar_t, 1024> value;
  const DWORD size = GetEnvironmentVariableW(
      win32::ToWide(rule_path.substr(1, end - 1)).c_str(), value.data(),
      value.size());
  if (size == 0 || size >= value.size()) return {};
  return std::filesystem::path(std::wstring(value.data(), size) +
                               win32::ToWide(rule_path.substr(end + 1)));
}

}  // namespace usher::catalog
