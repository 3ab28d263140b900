// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <fcntl.h>
#include <io.h>
// clang-format on

#include <cstdio>
#include <cstdlib>

#include "client/cli/interrupts.h"
#include "client/cli/terminal.h"

namespace usher::cli {
namespace {

// What the console was set to before; it is the user's, and stays after us.
struct ConsoleBefore {
  UINT input_code_page = 0;
  UINT output_code_page = 0;
  DWORD output_mode = 0;
  bool has_output_mode = false;
};

ConsoleBefore& Before() {
  static ConsoleBefore before;
  return before;
}

bool IsConsole(DWORD which) {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(which), &mode) != 0;
}

// stdout or stderr, whichever shows on a console; null if neither does.
HANDLE ConsoleOutput() {
  if (IsConsole(STD_ERROR_HANDLE)) return GetStdHandle(STD_ERROR_HANDLE);
  if (IsConsole(STD_OUTPUT_HANDLE)) return GetStdHandle(STD_OUTPUT_HANDLE);
  return nullptr;
}

void RestoreTerminal() {
  ConsoleBefore& before = Before();
  if (before.output_code_page != 0) SetConsoleOutputCP(before.output_code_page);
  if (before.input_code_page != 0) SetConsoleCP(before.input_code_page);
  if (before.has_output_mode) {
    SetConsoleMode(ConsoleOutput(), before.output_mode);
  }
  before = {};
}

BOOL WINAPI OnConsoleEvent(DWORD /*event*/) {
  Interrupted();
  return TRUE;
}

}  // namespace

void PrepareTerminal() {
  // The same bytes as on every other system, also into a file.
  _setmode(_fileno(stdout), _O_BINARY);
  _setmode(_fileno(stderr), _O_BINARY);
  HANDLE output = ConsoleOutput();
  if (output == nullptr) return;
  ConsoleBefore& before = Before();
  before.output_code_page = GetConsoleOutputCP();
  before.input_code_page = GetConsoleCP();
  before.has_output_mode = GetConsoleMode(output, &before.output_mode) != 0;
  SetConsoleOutputCP(CP_UTF8);
  SetConsoleCP(CP_UTF8);
  SetConsoleMode(output, before.output_mode | ENABLE_PROCESSED_OUTPUT |
                             ENABLE_VIRTUAL_TERMINAL_PROCESSING);
  std::atexit(RestoreTerminal);
}

bool StdinIsTerminal() { return IsConsole(STD_INPUT_HANDLE); }
bool StdoutIsTerminal() { return IsConsole(STD_OUTPUT_HANDLE); }
bool StderrIsTerminal() { return IsConsole(STD_ERROR_HANDLE); }

int TerminalWidth() {
  CONSOLE_SCREEN_BUFFER_INFO info;
  HANDLE output = ConsoleOutput();
  if (output == nullptr || GetConsoleScreenBufferInfo(output, &info) == 0) {
    return 80;
  }
  const int columns = info.srWindow.Right - info.srWindow.Left + 1;
  return columns > 0 ? columns : 80;
}

void CatchInterrupts() { SetConsoleCtrlHandler(OnConsoleEvent, TRUE); }

const char kServiceQuery[] = "sc query usherd";
const char kElevationPrefix[] = "";
const char kHowToElevate[] = "from a prompt that was opened as one";

void EndProcess(int exit_code) {
  RestoreTerminal();
  _exit(exit_code);
}

}  // namespace usher::cli
