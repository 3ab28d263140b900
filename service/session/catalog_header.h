#ifndef USHER_SERVICE_SESSION_CATALOG_HEADER_H_
#define USHER_SERVICE_SESSION_CATALOG_HEADER_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace usher::session {

struct CatalogHeader {
  std::string service_id;  // canonical
  std::string service_name;
};

// Reads the first record of a verified catalog file, without the rest.
// WU_E_INVALID_UPDATE when it is no catalog header.
absl::StatusOr<CatalogHeader> ReadCatalogHeader(
    const std::filesystem::path& path);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_CATALOG_HEADER_H_
