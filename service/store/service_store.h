#ifndef USHER_SERVICE_STORE_SERVICE_STORE_H_
#define USHER_SERVICE_STORE_SERVICE_STORE_H_

// The registered update services (API reference, section 4.12). Thread-safe.
// Besides the errors named here: those of database.h.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/store/database.h"

namespace usher::v1 {
class UpdateService;
}  // namespace usher::v1

namespace usher::store {

// All services, in order of registration.
absl::StatusOr<std::vector<v1::UpdateService>> ListServices(Database& database);

// WU_E_DS_UNKNOWNSERVICE when there is none of that id (UAMG-218).
absl::StatusOr<v1::UpdateService> GetService(Database& database,
                                             absl::string_view service_id);

// Registers a service, or replaces the registration of the same id and keeps
// its place in the order.
absl::Status PutService(Database& database, const v1::UpdateService& service);

// WU_E_DS_UNKNOWNSERVICE when there is none of that id.
absl::Status RemoveService(Database& database, absl::string_view service_id);

// What a refresh found out.
struct RefreshRecord {
  // After a failure nothing but the error is recorded.
  bool succeeded = false;
  // Why it failed, or what is missing from it; "" for nothing.
  std::string error;
  absl::Time time;  // when the chain was verified up to date
  int64_t root_version = 0;
  std::string root_sha256;  // hexadecimal
  absl::Time root_expires;
  int64_t update_count = 0;
};

// Records the result of a refresh and returns the service as it is then.
// WU_E_DS_UNKNOWNSERVICE when it was removed meanwhile.
absl::StatusOr<v1::UpdateService> RecordRefresh(Database& database,
                                                absl::string_view service_id,
                                                const RefreshRecord& record);

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_SERVICE_STORE_H_
