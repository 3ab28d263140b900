#ifndef USHER_COMMON_CATALOG_CHECK_RECORD_H_
#define USHER_COMMON_CATALOG_CHECK_RECORD_H_

// Checks of single catalog records. Whatever a publisher signed is checked as
// if an enemy had written it; what is left has ids in canonical form.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::v1 {
class Category;
}  // namespace usher::v1
namespace usher::repository::v1 {
class CatalogHeader;
class Handler;
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::catalog {

// WU_E_OL_NEWCLIENT_REQUIRED for a newer format, WU_E_OL_INVALID_SCANFILE for
// another service's catalog.
absl::Status CheckHeader(const repository::v1::CatalogHeader& header,
                         absl::string_view service_id);

// WU_E_INVALID_UPDATE.
absl::Status CheckCategory(v1::Category& category);

// Checks every field but the rules and what needs other records. Clears what
// the reader fills in: state, download contents, sizes, handler id, service
// ids. WU_E_INVALID_UPDATE; WU_E_DS_UNKNOWNHANDLER for an unknown handler.
absl::Status CheckUpdate(repository::v1::UpdateDescription& description);

// Checks a handler and that it fits the payloads of `description`.
absl::Status CheckHandler(const repository::v1::UpdateDescription& description);

}  // namespace usher::catalog

#endif  // USHER_COMMON_CATALOG_CHECK_RECORD_H_
