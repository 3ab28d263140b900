#include "service/store/service_store.h"

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/v1/update_service.pb.h"

namespace usher::store {
namespace {

absl::Status Unknown(absl::string_view service_id) {
  return Error(hr::kWuEDsUnknownservice,
               absl::StrCat("no update service ", service_id,
                            " is registered; list the services to see which "
                            "ones are"),
               service_id);
}

absl::Status Parse(absl::string_view record, v1::UpdateService& service) {
  if (service.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
    return absl::OkStatus();
  }
  return Error(hr::kWuEDsInvalid, "a service record is damaged", "usher.db");
}

absl::Status Load(Connection& connection, absl::string_view service_id,
                  v1::UpdateService& service) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      connection.Prepare("SELECT record FROM service WHERE service_id = ?"));
  select.Bind(1, service_id);
  USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return Unknown(service_id);
  return Parse(select.Blob(0), service);
}

absl::Status Store(Connection& connection, const v1::UpdateService& service) {
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare("INSERT INTO service(service_id, record) VALUES(?, ?)"
                         " ON CONFLICT(service_id) DO UPDATE SET record = "
                         "excluded.record"));
  const std::string record = service.SerializeAsString();
  return insert.Bind(1, service.service_id()).BindBlob(2, record).Run();
}

// google.protobuf.Timestamp of `time`.
void SetTime(absl::Time time, google::protobuf::Timestamp& timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

}  // namespace

absl::StatusOr<std::vector<v1::UpdateService>> ListServices(
    Database& database) {
  std::vector<v1::UpdateService> services;
  USHER_RETURN_IF_ERROR(
      database.Read([&services](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(
            Statement select,
            connection.Prepare("SELECT record FROM service ORDER BY id"));
        while (true) {
          USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
          if (!row) return absl::OkStatus();
          USHER_RETURN_IF_ERROR(Parse(select.Blob(0), services.emplace_back()));
        }
      }));
  return services;
}

absl::StatusOr<v1::UpdateService> GetService(Database& database,
                                             absl::string_view service_id) {
  v1::UpdateService service;
  USHER_RETURN_IF_ERROR(
      database.Read([service_id, &service](Connection& connection) {
        return Load(connection, service_id, service);
      }));
  return service;
}

absl::Status PutService(Database& database, const v1::UpdateService& service) {
  if (service.service_id().empty()) {
    return Error(hr::kEInvalidarg, "a service needs an id", "service_id");
  }
  return database.Write([&service](Connection& connection) {
    return Store(connection, service);
  });
}

absl::Status RemoveService(Database& database, absl::string_view service_id) {
  return database.Write([service_id](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement remove,
        connection.Prepare("DELETE FROM service WHERE service_id = ?"));
    USHER_RETURN_IF_ERROR(remove.Bind(1, service_id).Run());
    return connection.Changes() > 0 ? absl::OkStatus() : Unknown(service_id);
  });
}

absl::StatusOr<v1::UpdateService> RecordRefresh(Database& database,
                                                absl::string_view service_id,
                                                const RefreshRecord& record) {
  v1::UpdateService service;
  USHER_RETURN_IF_ERROR(
      database.Write([&](Connection& connection) -> absl::Status {
        USHER_RETURN_IF_ERROR(Load(connection, service_id, service));
        service.set_last_refresh_error(record.error);
        if (record.succeeded) {
          SetTime(record.time, *service.mutable_last_refresh_time());
          SetTime(record.root_expires, *service.mutable_expiration_date());
          service.set_root_version(record.root_version);
          service.set_root_sha256(record.root_sha256);
          service.set_update_count(record.update_count);
        }
        return Store(connection, service);
      }));
  return service;
}

}  // namespace usher::store
