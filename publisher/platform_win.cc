#include <windows.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "publisher/platform.h"

namespace usher::publisher {
namespace {

constexpr size_t kMaxSecret = 1024;

class WindowsFile : public InputFile {
 public:
  WindowsFile(win32::Handle handle, std::string name)
      : handle_(std::move(handle)), name_(std::move(name)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    constexpr size_t kMost = size_t{1} << 20;
    DWORD count = 0;
    // The system's, not the one of file_io.h.
    if (::ReadFile(handle_.get(), buffer,
                   static_cast<DWORD>(std::min(size, kMost)), &count,
                   nullptr) == 0) {
      return win32::LastError("read", name_);
    }
    return static_cast<size_t>(count);
  }

 private:
  win32::Handle handle_;
  const std::string name_;
};

}  // namespace

bool IsLink(const std::filesystem::path& path) {
  WIN32_FIND_DATAW found;
  const HANDLE search =
      FindFirstFileExW(win32::ApiPath(path).c_str(), FindExInfoBasic, &found,
                       FindExSearchNameMatch, nullptr, 0);
  if (search == INVALID_HANDLE_VALUE) return false;
  FindClose(search);
  // What is compressed or in a cloud has reparse points, too.
  return (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
         IsReparseTagNameSurrogate(found.dwReserved0);
}

absl::StatusOr<std::unique_ptr<InputFile>> OpenInputFile(
    const std::filesystem::path& path, Links links) {
  const std::string name = PathToUtf8(path);
  const bool refuse = links == Links::kRefuse;
  win32::Handle handle(CreateFileW(
      win32::ApiPath(path).c_str(), GENERIC_READ,
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING,
      FILE_ATTRIBUTE_NORMAL | (refuse ? FILE_FLAG_OPEN_REPARSE_POINT : 0),
      nullptr));
  if (!handle.open()) return win32::LastError("open", name);
  if (GetFileType(handle.get()) != FILE_TYPE_DISK || (refuse && IsLink(path))) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not a regular file"), name);
  }
  return std::make_unique<WindowsFile>(std::move(handle), name);
}

absl::Status SyncFile(const std::filesystem::path& path) {
  // Only a handle that may write can be flushed.
  const win32::Handle file(
      CreateFileW(win32::ApiPath(path).c_str(), GENERIC_WRITE,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.open()) return win32::LastError("open", PathToUtf8(path));
  if (FlushFileBuffers(file.get()) == 0) {
    return win32::LastError("write to disk", PathToUtf8(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSecretFromTerminal(absl::string_view prompt) {
  // The console itself, wherever the standard streams lead.
  const auto open = [](const wchar_t* name) {
    return win32::Handle(CreateFileW(name, GENERIC_READ | GENERIC_WRITE,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE,
                                     nullptr, OPEN_EXISTING, 0, nullptr));
  };
  const win32::Handle input = open(L"CONIN$");
  const win32::Handle output = open(L"CONOUT$");
  DWORD before = 0;
  if (!input.open() || !output.open() ||
      GetConsoleMode(input.get(), &before) == 0) {
    return Error(hr::kWuENoInteractiveUser,
                 "a passphrase is needed and there is no terminal to ask; "
                 "give --passphrase-file or set USHER_PASSPHRASE");
  }
  const auto show = [&output](absl::string_view text) {
    const std::wstring wide = win32::ToWide(text);
    return WriteConsoleW(output.get(), wide.data(),
                         static_cast<DWORD>(wide.size()), nullptr,
                         nullptr) != 0;
  };
  SetConsoleMode(input.get(),
                 (before | ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT) &
                     ~static_cast<DWORD>(ENABLE_ECHO_INPUT));
  const auto restore = absl::MakeCleanup(
      [&input, before] { SetConsoleMode(input.get(), before); });
  if (!show(absl::StrCat(prompt, ": "))) {
    return win32::LastError("write to", "the terminal");
  }
  std::array<wchar_t, kMaxSecret> line;
  DWORD count = 0;
  if (ReadConsoleW(input.get(), line.data(), line.size(), &count, nullptr) ==
      0) {
    return win32::LastError("read from", "the terminal");
  }
  show("\n");
  std::wstring secret(line.data(), count);
  while (!secret.empty() &&
         (secret.back() == L'\n' || secret.back() == L'\r')) {
    secret.pop_back();
  }
  return win32::ToUtf8(secret);
}

}  // namespace usher::publisher
