#ifndef USHER_COMMON_WIN32_H_
#define USHER_COMMON_WIN32_H_

// What every Windows twin needs: text, paths, errors and handles of the
// Windows API, without <windows.h>. Included by *_win.cc files only.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::win32 {

// UTF-8 to UTF-16 and back. What is not valid becomes U+FFFD.
std::wstring ToWide(absl::string_view text);
std::string ToUtf8(std::wstring_view text);

// The absolute form of a path as wide functions take it: "\\?\C:\…", which
// lifts the limit of 260 characters. A path that has such a prefix already is
// returned as it is; "" stays "".
std::wstring ApiPath(const std::filesystem::path& path);

// "cannot {what} {subject}: {the system's text}" with the HRESULT that fits
// the Windows error `code`: ERROR_DISK_FULL, E_ACCESSDENIED,
// ERROR_FILE_NOT_FOUND, ERROR_SHARING_VIOLATION's HRESULT for a file in use,
// otherwise WU_E_UNEXPECTED.
absl::Status SystemError(uint32_t code, absl::string_view what,
                         absl::string_view subject);
// The same for the calling thread's last error.
absl::Status LastError(absl::string_view what, absl::string_view subject);

// The folder of the system's own programs ("C:\Windows\System32"), which only
// administrators may write to.
std::filesystem::path SystemFolder();

// Who may read a new file besides those who have full control.
enum class Readers {
  kNobody,
  kUsers,  // Authenticated Users: those whom the pipe admits
  kEveryone,
};

// A security descriptor for new files and folders that are not to depend on
// what lies above them: full control for SYSTEM, Administrators and this
// process's user, and reading for `readers`. Inherited by what is made below a
// folder. A PSECURITY_DESCRIPTOR, valid for ever; null (what lies above
// decides) if the system refuses to make it.
void* NewFileSecurity(Readers readers);

// The SID of this process's user as text ("S-1-5-18"), or "".
std::string OwnSid();

// Owns a kernel object's handle.
class Handle {
 public:
  // Takes over a HANDLE; null and INVALID_HANDLE_VALUE mean none.
  explicit Handle(void* handle = nullptr);
  Handle(Handle&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() { Close(); }

  void* get() const { return handle_; }
  bool open() const { return handle_ != nullptr; }
  void Close();
  // Hands the handle to the caller.
  void* Release() { return std::exchange(handle_, nullptr); }

 private:
  void* handle_ = nullptr;
};

}  // namespace usher::win32

#endif  // USHER_COMMON_WIN32_H_
