#ifndef USHER_SERVICE_DOWNLOAD_FILE_URL_H_
#define USHER_SERVICE_DOWNLOAD_FILE_URL_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::download {

// Whether `url` has the scheme "file" (in any case).
bool IsFileUrl(absl::string_view url);

// The path that a file: URL names. WU_E_BAD_FILE_URL for one that is not
// absolute, names another host, or has a query, a fragment or a wrong escape.
absl::StatusOr<std::filesystem::path> PathFromFileUrl(absl::string_view url);

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_FILE_URL_H_
