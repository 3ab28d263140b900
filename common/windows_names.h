#ifndef USHER_COMMON_WINDOWS_NAMES_H_
#define USHER_COMMON_WINDOWS_NAMES_H_

// What publisher and service agree to take for names of Windows' own things.

#include <string>

#include "absl/strings/string_view.h"

namespace usher {

// "HKLM\…" or "HKCU\…", at most 1024 bytes, no control characters, no empty
// component and none longer than 255 bytes.
bool IsRegistryKey(absl::string_view text);

// The name of a registry value: at most 1024 bytes, no control characters. May
// be empty.
bool IsRegistryValueName(absl::string_view text);

// A product, package or upgrade code of Windows Installer in its canonical
// form, "{UUID}" in capitals; "" if it is none.
std::string CanonicalMsiCode(absl::string_view text);

// A public property of Windows Installer: capitals, digits, '_' and '.',
// beginning with a capital or '_', at most 72 bytes.
bool IsMsiProperty(absl::string_view text);

// A value that msiexec takes on its command line: at most 1024 bytes, no
// control characters and no quotes.
bool IsMsiPropertyValue(absl::string_view text);

// "1.2.3": one to four numbers of at most five digits with dots between.
bool IsWindowsVersion(absl::string_view text);

}  // namespace usher

#endif  // USHER_COMMON_WINDOWS_NAMES_H_
