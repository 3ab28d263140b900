// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <sddl.h>
// clang-format on

#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/win32.h"

namespace usher::win32 {
namespace {

constexpr std::wstring_view kLong = L"\\\\?\\";
constexpr std::wstring_view kDevice = L"\\\\.\\";
constexpr std::wstring_view kShare = L"\\\\";

// MinGW's headers lack it.
constexpr DWORD kDiskQuotaExceeded = 1295;

// What the system says about a code, without the full stop and line break
// that it puts behind.
std::string TextOf(uint32_t code) {
  std::array<wchar_t, 512> buffer;
  const DWORD size = FormatMessageW(
      FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
          FORMAT_MESSAGE_MAX_WIDTH_MASK,
      nullptr, code, 0, buffer.data(), buffer.size(), nullptr);
  std::string text = ToUtf8(std::wstring_view(buffer.data(), size));
  absl::StripAsciiWhitespace(&text);
  if (!text.empty() && text.back() == '.') text.pop_back();
  return text.empty() ? absl::StrCat("error ", code)
                      : absl::StrCat(text, " (error ", code, ")");
}

}  // namespace

std::wstring ToWide(absl::string_view text) {
  const int length = static_cast<int>(text.size());
  std::wstring wide(static_cast<size_t>(MultiByteToWideChar(
                        CP_UTF8, 0, text.data(), length, nullptr, 0)),
                    L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), length, wide.data(),
                      static_cast<int>(wide.size()));
  return wide;
}

std::string ToUtf8(std::wstring_view text) {
  const int length = static_cast<int>(text.size());
  std::string narrow(
      static_cast<size_t>(WideCharToMultiByte(CP_UTF8, 0, text.data(), length,
                                              nullptr, 0, nullptr, nullptr)),
      '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), length, narrow.data(),
                      static_cast<int>(narrow.size()), nullptr, nullptr);
  return narrow;
}

std::wstring ApiPath(const std::filesystem::path& path) {
  const std::wstring& text = path.native();
  if (text.empty() || text.starts_with(kLong) || text.starts_with(kDevice)) {
    return text;
  }
  // Behind the prefix nothing is interpreted, so "/", "." and ".." must go.
  const DWORD size = GetFullPathNameW(text.c_str(), 0, nullptr, nullptr);
  std::wstring full(size, L'\0');
  const DWORD length =
      GetFullPathNameW(text.c_str(), size, full.data(), nullptr);
  if (length == 0 || length >= size) return text;
  full.resize(length);
  if (full.starts_with(kLong) || full.starts_with(kDevice)) return full;
  if (full.starts_with(kShare)) {
    return std::wstring(kLong) + L"UNC\\" + full.substr(kShare.size());
  }
  return std::wstring(kLong) + full;
}

absl::Status SystemError(uint32_t code, absl::string_view what,
                         absl::string_view subject) {
  const std::string message =
      absl::StrCat("cannot ", what, " ", subject, ": ", TextOf(code));
  switch (code) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case kDiskQuotaExceeded:
      return Error(hr::kErrorDiskFull, message, subject);
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
      return Error(hr::kEAccessdenied, message, subject);
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return Error(hr::kErrorFileNotFound, message, subject);
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
      return Error(absl::StatusCode::kUnavailable,
                   static_cast<HResult>(0x80070000U | ERROR_SHARING_VIOLATION),
                   message, subject);
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return Error(absl::StatusCode::kAlreadyExists, hr::kWuEUnexpected,
                   message, subject);
    default:
      return Error(absl::StatusCode::kUnknown, hr::kWuEUnexpected, message,
                   subject);
  }
}

absl::Status LastError(absl::string_view what, absl::string_view subject) {
  return SystemError(GetLastError(), what, subject);
}

std::filesystem::path SystemFolder() {
  std::array<wchar_t, MAX_PATH + 1> buffer;
  const UINT size = GetSystemDirectoryW(buffer.data(), buffer.size());
  return std::wstring(buffer.data(), size);
}

std::string OwnSid() {
  HANDLE raw = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw) == 0) return "";
  const Handle token(raw);
  alignas(TOKEN_USER)
      std::array<char, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE>
          buffer;
  DWORD size = 0;
  LPWSTR text = nullptr;
  if (GetTokenInformation(token.get(), TokenUser, buffer.data(), buffer.size(),
                          &size) == 0 ||
      ConvertSidToStringSidW(
          reinterpret_cast<const TOKEN_USER*>(buffer.data())->User.Sid,
          &text) == 0) {
    return "";
  }
  std::string sid = ToUtf8(text);
  LocalFree(text);
  return sid;
}

void* NewFileSecurity(Readers readers) {
  const auto make = [](absl::string_view others) {
    const std::string sid = OwnSid();
    const std::string own =
        sid.empty() ? "" : absl::StrCat("(A;OICI;FA;;;", sid, ")");
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ToWide(absl::StrCat("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", own, others))
            .c_str(),
        SDDL_REVISION_1, &descriptor, nullptr);
    return descriptor;
  };
  static void* const closed = make("");
  static void* const for_users = make("(A;OICI;FRFX;;;AU)");
  static void* const for_everyone = make("(A;OICI;FRFX;;;WD)");
  switch (readers) {
    case Readers::kUsers:
      return for_users;
    case Readers::kEveryone:
      return for_everyone;
    case Readers::kNobody:
      break;
  }
  return closed;
}

Handle::Handle(void* handle)
    : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}

void Handle::Close() {
  if (handle_ != nullptr) CloseHandle(std::exchange(handle_, nullptr));
}

}  // namespace usher::win32
