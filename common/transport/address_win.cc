#include <windows.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/transport/transport.h"
#include "common/win32.h"

namespace usher::transport {

std::string MachineAddress() { return R"(\\.\pipe\Usher)"; }

std::string DefaultAddress() {
  const wchar_t* address = _wgetenv(L"USHER_ADDRESS");
  return address != nullptr && *address != L'\0' ? win32::ToUtf8(address)
                                                 : MachineAddress();
}

std::string PrivateAddress(const std::filesystem::path& state_dir) {
  std::filesystem::path folder = state_dir.lexically_normal();
  // "C:\a\" is the folder "C:\a".
  if (!folder.has_filename() && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  std::wstring name = folder.make_preferred().native();
  // By the rules of no language, as the file system does it.
  std::wstring upper(name.size(), L'\0');
  if (LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_UPPERCASE, name.c_str(),
                    static_cast<int>(name.size()), upper.data(),
                    static_cast<int>(upper.size()), nullptr, nullptr, 0) > 0) {
    name = upper;
  }
  return absl::StrCat(MachineAddress(), "-",
                      ToHex(Sha256Of(win32::ToUtf8(name))).substr(0, 16));
}

std::string ResolveAddress(const std::string& text,
                           const std::filesystem::path&) {
  return text;
}

}  // namespace usher::transport
