#ifndef USHER_SERVICE_INSTALL_MSI_LOG_H_
#define USHER_SERVICE_INSTALL_MSI_LOG_H_

#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"

namespace usher::install {

// What a log of Windows Installer says about a failure, as one line of at most
// 400 bytes for an error message: its lines about errors if there are any,
// otherwise its end. `log` is UTF-8 or, with a byte order mark, UTF-16.
std::string MsiLogExcerpt(absl::string_view log);

// The same for the end of a log file; "" if it cannot be read.
std::string MsiLogFileExcerpt(const std::filesystem::path& path);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_MSI_LOG_H_
