// What process_test_win.cc runs: a program that does what its first argument
// says.

#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void Print(const std::string& text) {
  DWORD written = 0;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text.data(),
            static_cast<DWORD>(text.size()), &written, nullptr);
}

std::string Utf8(const wchar_t* text) {
  const int size =
      WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  std::string narrow(static_cast<size_t>(size), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow.data(), size, nullptr,
                      nullptr);
  narrow.pop_back();
  return narrow;
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

}  // namespace

int wmain(int argc, wchar_t** argv) {
  const std::wstring what = argc > 1 ? argv[1] : L"";
  if (what == L"arguments") {
    for (int i = 2; i < argc; ++i) {
      std::string text = "[";
      text.append(Utf8(argv[i])).append("]");
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
    Print(size == 0 ? "(none)" : Utf8(value));
    return 0;
  }
  if (what == L"folder") {
    wchar_t value[1024] = L"";
    GetCurrentDirectoryW(1024, value);
    Print(Utf8(value));
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
  return 98;
}
