#include "service/store/session_store.h"

#include "common/error.h"

namespace usher::store {
namespace {

constexpr absl::string_view kSessionColumns =
    "session_id, owner, client_application_id, user_locale, read_only, "
    "web_proxy, create_time";
constexpr absl::string_view kJobColumns =
    "job_id, session_id, kind, state, request_id, parent, "
    "client_application_id, parameters, results, result_code, "
    "hresult, message, abort_requested, ended, create_time, complete_time";

std::string Select(absl::string_view columns, absl::string_view rest) {
  std::string sql = "SELECT ";
  sql.append(columns.data(), columns.size());
  sql.append(rest.data(), rest.size());
  return sql;
}

SessionRow ReadSession(const Statement& row) {
  SessionRow session;
  session.session_id = std::string{row.Text(0)};
  session.owner = std::string{row.Text(1)};
  session.client_application_id = std::string{row.Text(2)};
  session.user_locale = std::string{row.Text(3)};
  session.read_only = row.Int(4) != 0;
  session.web_proxy = std::string{row.Blob(5)};
  session.create_time = absl::FromUnixMicros(row.Int(6));
  return session;
}

JobRow ReadJob(const Statement& row) {
  JobRow job;
  job.job_id = std::string{row.Text(0)};
  job.session_id = std::string{row.Text(1)};
  job.kind = static_cast<int>(row.Int(2));
  job.state = static_cast<int>(row.Int(3));
  job.request_id = std::string{row.Text(4)};
  job.parent = std::string{row.Text(5)};
  job.client_application_id = std::string{row.Text(6)};
  job.parameters = std::string{row.Blob(7)};
  job.results = std::string{row.Blob(8)};
  job.result_code = static_cast<int>(row.Int(9));
  job.hresult = static_cast<HResult>(row.Int(10));
  job.message = std::string{row.Text(11)};
  job.abort_requested = row.Int(12) != 0;
  job.ended = row.Int(13) != 0;
  job.create_time = absl::FromUnixMicros(row.Int(14));
  if (!row.IsNull(15)) job.complete_time = absl::FromUnixMicros(row.Int(15));
  return job;
}

// Runs `sql` with `key` as its parameter unless empty, and reads all rows.
template <typename Row>
absl::StatusOr<std::vector<Row>> ReadRows(Database& database,
                                          absl::string_view sql,
                                          absl::string_view key,
                                          Row (*read)(const Statement&)) {
  std::vector<Row> rows;
  USHER_RETURN_IF_ERROR(database.Read([&](Connection& c) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(Statement select, c.Prepare(sql));
    if (!key.empty()) select.Bind(1, key);
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return absl::OkStatus();
      rows.push_back(read(select));
    }
  }));
  return rows;
}

absl::Status RunWithKey(Database& database, absl::string_view sql,
                        absl::string_view key) {
  return database.Write([sql, key](Connection& c) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(Statement statement, c.Prepare(sql));
    return statement.Bind(1, key).Run();
  });
}

}  // namespace

absl::Status PutSession(Database& database, const SessionRow& session) {
  return database.Write([&session](Connection& c) -> absl::Status {
    // Not REPLACE: that would delete the row first, and its jobs with it.
    USHER_ASSIGN_OR_RETURN(
        Statement put,
        c.Prepare("INSERT INTO session VALUES(?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT(session_id) DO UPDATE SET owner = "
                  "excluded.owner, client_application_id = "
                  "excluded.client_application_id, user_locale = "
                  "excluded.user_locale, read_only = excluded.read_only, "
                  "web_proxy = excluded.web_proxy, create_time = "
                  "excluded.create_time"));
    return put.Bind(1, session.session_id)
        .Bind(2, session.owner)
        .Bind(3, session.client_application_id)
        .Bind(4, session.user_locale)
        .Bind(5, session.read_only ? 1 : 0)
        .BindBlob(6, session.web_proxy)
        .Bind(7, absl::ToUnixMicros(session.create_time))
        .Run();
  });
}

absl::StatusOr<std::vector<SessionRow>> ListSessions(Database& database) {
  return ReadRows(
      database,
      Select(kSessionColumns, " FROM session ORDER BY create_time, session_id"),
      "", &ReadSession);
}

absl::StatusOr<std::optional<SessionRow>> GetSession(
    Database& database, absl::string_view session_id) {
  USHER_ASSIGN_OR_RETURN(
      std::vector<SessionRow> rows,
      ReadRows(database,
               Select(kSessionColumns, " FROM session WHERE session_id = ?"),
               session_id, &ReadSession));
  if (rows.empty()) return std::optional<SessionRow>();
  return std::make_optional(std::move(rows.front()));
}

absl::Status DeleteSession(Database& database, absl::string_view session_id) {
  return RunWithKey(database, "DELETE FROM session WHERE session_id = ?",
                    session_id);
}

absl::Status PutJob(Database& database, const JobRow& job) {
  return database.Write([&job](Connection& c) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement put,
        c.Prepare("INSERT OR REPLACE INTO job VALUES"
                  "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    put.Bind(1, job.job_id)
        .Bind(2, job.session_id)
        .Bind(3, job.kind)
        .Bind(4, job.state)
        .Bind(5, job.request_id)
        .Bind(6, job.parent)
        .Bind(7, job.client_application_id)
        .BindBlob(8, job.parameters)
        .BindBlob(9, job.results)
        .Bind(10, job.result_code)
        .Bind(11, static_cast<int64_t>(job.hresult))
        .Bind(12, job.message)
        .Bind(13, job.abort_requested ? 1 : 0)
        .Bind(14, job.ended ? 1 : 0)
        .Bind(15, absl::ToUnixMicros(job.create_time));
    if (job.complete_time.has_value()) {
      put.Bind(16, absl::ToUnixMicros(*job.complete_time));
    } else {
      put.BindNull(16);
    }
    return put.Run();
  });
}

absl::StatusOr<std::vector<JobRow>> ListJobs(Database& database,
                                             absl::string_view session_id) {
  return ReadRows(
      database,
      Select(kJobColumns,
             session_id.empty()
                 ? " FROM job ORDER BY create_time, job_id"
                 : " FROM job WHERE session_id = ? ORDER BY create_time, "
                   "job_id"),
      session_id, &ReadJob);
}

absl::StatusOr<std::optional<JobRow>> GetJob(Database& database,
                                             absl::string_view job_id) {
  USHER_ASSIGN_OR_RETURN(
      std::vector<JobRow> rows,
      ReadRows(database, Select(kJobColumns, " FROM job WHERE job_id = ?"),
               job_id, &ReadJob));
  if (rows.empty()) return std::optional<JobRow>();
  return std::make_optional(std::move(rows.front()));
}

absl::Status DeleteJob(Database& database, absl::string_view job_id) {
  return RunWithKey(database, "DELETE FROM job WHERE job_id = ?", job_id);
}

}  // namespace usher::store
