#include "service/platform/machine_folders.h"

// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <shlobj.h>
// clang-format on

#include <string>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"

namespace usher::platform {
namespace {

std::filesystem::path ProgramData() {
  wchar_t* path = nullptr;
  std::filesystem::path folder;
  if (SHGetKnownFolderPath(FOLDERID_ProgramData, KF_FLAG_DEFAULT, nullptr,
                           &path) == S_OK) {
    folder = path;
  } else {
    folder = win32::SystemFolder().root_path() / L"ProgramData";
  }
  CoTaskMemFree(path);
  return folder;
}

bool IsTrusted(PSID sid) {
  if (IsWellKnownSid(sid, WinLocalSystemSid) != 0 ||
      IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0) {
    return true;
  }
  PSID own = nullptr;
  if (ConvertStringSidToSidW(win32::ToWide(win32::OwnSid()).c_str(), &own) ==
      0) {
    return false;
  }
  const bool equal = EqualSid(sid, own) != 0;
  LocalFree(own);
  return equal;
}

// Opened without following a link, and checked on the handle.
absl::StatusOr<win32::Handle> OpenOwned(const std::filesystem::path& path,
                                        DWORD access) {
  const std::string name = PathToUtf8(path);
  win32::Handle file(CreateFileW(
      win32::ApiPath(path).c_str(), access,
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
      nullptr));
  if (!file.open()) return win32::LastError("open", name);
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR security = nullptr;
  if (const DWORD error = GetSecurityInfo(file.get(), SE_FILE_OBJECT,
                                          OWNER_SECURITY_INFORMATION, &owner,
                                          nullptr, nullptr, nullptr, &security);
      error != ERROR_SUCCESS) {
    return win32::SystemError(error, "find out the owner of", name);
  }
  const absl::Cleanup free = [security] { LocalFree(security); };
  if (owner == nullptr || !IsTrusted(owner)) {
    return Error(hr::kEAccessdenied,
                 absl::StrCat(name,
                              " belongs neither to SYSTEM nor to "
                              "Administrators nor to this user; somebody else "
                              "may have put it there: look at it, then remove "
                              "it or take ownership"),
                 name);
  }
  return file;
}

// Closes a folder to everybody else, and what has its permissions from it.
absl::Status Close(const std::filesystem::path& folder) {
  const std::string name = PathToUtf8(folder);
  USHER_RETURN_IF_ERROR(OpenOwned(folder, READ_CONTROL).status());
  void* const security = win32::NewFileSecurity(win32::Readers::kNobody);
  PACL acl = nullptr;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  if (security == nullptr ||
      GetSecurityDescriptorDacl(security, &present, &acl, &defaulted) == 0) {
    return win32::LastError("make permissions for", name);
  }
  // By name: that hands the permissions on to what is inside already.
  std::wstring path = folder.native();
  if (const DWORD error = SetNamedSecurityInfoW(
          path.data(), SE_FILE_OBJECT,
          DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
          nullptr, nullptr, acl, nullptr);
      error != ERROR_SUCCESS) {
    return win32::SystemError(error, "set the permissions of", name);
  }
  return absl::OkStatus();
}

}  // namespace

MachineFolders GetMachineFolders() {
  const std::filesystem::path root = ProgramData() / L"Usher";
  return {root / L"usherd.toml", root, root / L"cache", root / L"run",
          root / L"log" / L"usherd.log"};
}

absl::Status MakeStateFolder(const std::filesystem::path& folder, bool) {
  USHER_RETURN_IF_ERROR(MakeDirectories(folder, Access::kPrivate));
  // First closed, so that nothing can come in while the rest is looked at.
  USHER_RETURN_IF_ERROR(Close(folder));
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end;
       !error && entry != end; entry.increment(error)) {
    USHER_RETURN_IF_ERROR(CheckOwner(entry->path()));
  }
  if (error) return SystemError(error.value(), "list", PathToUtf8(folder));
  return absl::OkStatus();
}

absl::Status CheckOwner(const std::filesystem::path& path) {
  const absl::Status status = OpenOwned(path, READ_CONTROL).status();
  // Nothing there.
  return HResultOf(status) == hr::kErrorFileNotFound ? absl::OkStatus()
                                                     : status;
}

}  // namespace usher::platform
