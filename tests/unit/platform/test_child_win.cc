// What tests run: a program that does what its first argument says; called
// msiexec.exe, what the file "behaviour" beside it says
// (tests/unit/install/fake_msiexec.h).

#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/win32.h"
#include "service/platform/process.h"

namespace {

void Print(const std::string& text) {
  DWORD written = 0;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text.data(),
            static_cast<DWORD>(text.size()), &written, nullptr);
}

// Ended only from outside.
int Hang() {
  Print("hanging\n");
  WaitForSingleObject(GetCurrentProcess(), INFINITE);
  return 0;
}

// Starts a copy of itself that hangs, and tells its number.
int Leave(const wchar_t* program) {
  std::wstring line = std::wstring(L"\"") + program + L"\" hang";
  STARTUPINFOW startup = {};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION child = {};
  if (CreateProcessW(program, line.data(), nullptr, nullptr, TRUE, 0, nullptr,
                     nullptr, &startup, &child) == 0) {
    return 99;
  }
  Print(std::to_string(child.dwProcessId) + "\n");
  return 0;
}

// Opens a pipe that somebody waits at, says a byte and waits for one: whoever
// waits sees the end of this process as the end of the pipe.
int Hold(const wchar_t* name) {
  const usher::win32::Handle pipe(
      CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                  0, nullptr));
  char byte = 'x';
  DWORD count = 0;
  if (WriteFile(pipe.get(), &byte, 1, &count, nullptr) == 0 ||
      ReadFile(pipe.get(), &byte, 1, &count, nullptr) == 0) {
    return 97;
  }
  return 0;
}

int PlayMsiexec(const std::filesystem::path& folder, int argc, wchar_t** argv) {
  std::ofstream arguments(folder / "arguments",
                          std::ios::binary | std::ios::app);
  std::filesystem::path log;
  for (int i = 1; i < argc; ++i) {
    arguments << usher::win32::ToUtf8(argv[i]) << "\n";
    if (std::wstring(argv[i - 1]) == L"/l*v") log = argv[i];
  }
  std::ofstream(folder / "runs", std::ios::app) << "\n";
  std::ifstream behaviour(folder / "behaviour");
  std::string exit_code;
  std::string keep;
  std::string text;
  std::getline(behaviour, exit_code);
  std::getline(behaviour, keep);
  std::getline(behaviour, text);
  if (keep == "keep") {
    std::filesystem::copy_file(folder / "work" / "package.msi",
                               folder / "seen");
  }
  if (!text.empty()) std::ofstream(log) << text << "\n";
  return std::atoi(exit_code.c_str());
}

// Runs a program as the service does.
int RunAsTheService(int argc, wchar_t** argv) {
  usher::platform::ProcessOptions options;
  for (int i = 0; i < argc; ++i) {
    options.argv.push_back(usher::win32::ToUtf8(argv[i]));
  }
  options.working_directory = usher::win32::SystemFolder();
  const auto result =
      usher::platform::RunProcess(options, usher::CancellationToken());
  return result.ok() ? result->exit_code : 96;
}

}  // namespace

int wmain(int argc, wchar_t** argv) {
  const std::filesystem::path self = argv[0];
  if (self.filename() == L"msiexec.exe") {
    return PlayMsiexec(self.parent_path(), argc, argv);
  }
  const std::wstring what = argc > 1 ? argv[1] : L"";
  if (what == L"arguments") {
    for (int i = 2; i < argc; ++i) {
      std::string text = "[";
      text.append(usher::win32::ToUtf8(argv[i])).append("]");
      Print(text);
    }
    return 0;
  }
  if (what == L"exit") {
    Print("out\n");
    std::fputs("err\n", stderr);
    return static_cast<int>(std::wcstoul(argv[2], nullptr, 10));
  }
  if (what == L"variable") {
    wchar_t value[1024] = L"";
    const DWORD size = GetEnvironmentVariableW(argv[2], value, 1024);
    Print(size == 0 ? "(none)" : usher::win32::ToUtf8(value));
    return 0;
  }
  if (what == L"folder") {
    wchar_t value[1024] = L"";
    GetCurrentDirectoryW(1024, value);
    Print(usher::win32::ToUtf8(value));
    return 0;
  }
  if (what == L"lines") {
    std::string text;
    const int count = static_cast<int>(std::wcstol(argv[2], nullptr, 10));
    for (int i = 1; i <= count; ++i) text += std::to_string(i) + "\n";
    Print(text);
    return 0;
  }
  if (what == L"signal-event") {
    // 0 if the handle of this number is an event here, too.
    auto* handle =
        reinterpret_cast<HANDLE>(std::wcstoull(argv[2], nullptr, 10));
    return SetEvent(handle) != 0 ? 0 : 1;
  }
  if (what == L"input") {
    char byte = 0;
    DWORD count = 1;
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &count, nullptr);
    return static_cast<int>(count);
  }
  if (what == L"hang") return Hang();
  if (what == L"leave") return Leave(argv[0]);
  if (what == L"hold") return Hold(argv[2]);
  if (what == L"run") return RunAsTheService(argc - 2, argv + 2);
  return 98;
}
