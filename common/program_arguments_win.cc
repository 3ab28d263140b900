// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <shellapi.h>
// clang-format on

#include "common/program_arguments.h"
#include "common/win32.h"

namespace usher {

ProgramArguments::ProgramArguments(int argc, char** argv) {
  int count = 0;
  LPWSTR* wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr) {
    texts_.assign(argv, argv + argc);
  } else {
    for (int i = 0; i < count; ++i) texts_.push_back(win32::ToUtf8(wide[i]));
    LocalFree(wide);
  }
  Point();
}

}  // namespace usher
