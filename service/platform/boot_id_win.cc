#include <windows.h>

#include "absl/strings/str_cat.h"
#include "common/win32.h"
#include "service/platform/boot_id.h"

namespace usher::platform {
namespace {

// A volatile key vanishes when Windows restarts, so the moment at which it was
// made names the boot, whatever happens to the clock. (The boot time that
// Windows reports moves with the clock.) A "shut down" with fast startup keeps
// it, and does not do what waits for a restart either.
constexpr wchar_t kParent[] = L"SOFTWARE\\Usher";
constexpr wchar_t kChild[] = L"Boot";

// ERROR_SUCCESS and the time in `written`, or a Windows error.
LSTATUS KeyTime(HKEY root, FILETIME& written) {
  HKEY parent = nullptr;
  LSTATUS result =
      RegCreateKeyExW(root, kParent, 0, nullptr, REG_OPTION_NON_VOLATILE,
                      KEY_CREATE_SUB_KEY, nullptr, &parent, nullptr);
  if (result != ERROR_SUCCESS) return result;
  HKEY key = nullptr;
  // Opened as it is if it exists.
  result = RegCreateKeyExW(parent, kChild, 0, nullptr, REG_OPTION_VOLATILE,
                           KEY_QUERY_VALUE, nullptr, &key, nullptr);
  RegCloseKey(parent);
  if (result != ERROR_SUCCESS) return result;
  result =
      RegQueryInfoKeyW(key, nullptr, nullptr, nullptr, nullptr, nullptr,
                       nullptr, nullptr, nullptr, nullptr, nullptr, &written);
  RegCloseKey(key);
  return result;
}

}  // namespace

absl::StatusOr<std::string> BootId() {
  FILETIME written = {};
  LSTATUS result = KeyTime(HKEY_LOCAL_MACHINE, written);
  // Without privileges (a demo, a test) the user's own hive must do; it is
  // unloaded at sign-out, which then counts as a restart.
  if (result == ERROR_ACCESS_DENIED) {
    result = KeyTime(HKEY_CURRENT_USER, written);
  }
  if (result != ERROR_SUCCESS) {
    return win32::SystemError(static_cast<uint32_t>(result), "read",
                              "the time of the last restart");
  }
  return absl::StrCat(absl::Hex(written.dwHighDateTime, absl::kZeroPad8),
                      absl::Hex(written.dwLowDateTime, absl::kZeroPad8));
}

}  // namespace usher::platform
