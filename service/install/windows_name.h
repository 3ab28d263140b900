#ifndef USHER_SERVICE_INSTALL_WINDOWS_NAME_H_
#define USHER_SERVICE_INSTALL_WINDOWS_NAME_H_

#include "absl/strings/string_view.h"

namespace usher::install {

// Whether Windows takes `name` (UTF-8) as one component of a path and means
// the file of exactly this name: not empty, at most 255 bytes, none of
// <>:"/\|?* or control characters, no dot or blank at the end, and not a
// device (CON, NUL, COM1 …), with or without an extension.
bool IsWindowsFileName(absl::string_view name);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_WINDOWS_NAME_H_
