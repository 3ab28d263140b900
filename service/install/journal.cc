#include "service/install/journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "service/store/history_store.h"
#include "usher/v1/history.pb.h"

namespace usher::install {
namespace {

using store::Connection;
using store::Statement;

constexpr absl::string_view kJobColumns =
    "job_id, operation, is_forced, force_quiet, client_application_id, "
    "server_selection, request_id, caller";

InstallRequest ReadRequest(const Statement& row) {
  InstallRequest request;
  request.job_id = std::string{row.Text(0)};
  request.operation =
      row.Int(1) == 2 ? Operation::kUninstall : Operation::kInstall;
  request.is_forced = row.Int(2) != 0;
  request.force_quiet = row.Int(3) != 0;
  request.client_application_id = std::string{row.Text(4)};
  request.server_selection = static_cast<int>(row.Int(5));
  request.request_id = std::string{row.Text(6)};
  request.caller = std::string{row.Text(7)};
  return request;
}

catalog::UpdateKey ReadKey(const Statement& row, int column) {
  return {std::string{row.Text(column)}, std::string{row.Text(column + 1)},
          static_cast<int32_t>(row.Int(column + 2))};
}

absl::Status ReadUpdates(Connection& connection, UnfinishedJob& job) {
  USHER_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare(
          "SELECT service_id, update_id, revision, result_code, hresult, "
          "reboot_required, unmapped_result_code, message FROM install_update "
          "WHERE job_id = ? ORDER BY position"));
  rows.Bind(1, job.request.job_id);
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return absl::OkStatus();
    job.request.updates.push_back(ReadKey(rows, 0));
    InstallResult result;
    result.result_code = static_cast<int>(rows.Int(3));
    result.hresult = static_cast<HResult>(rows.Int(4));
    result.reboot_required = rows.Int(5) != 0;
    result.unmapped_result_code = static_cast<int32_t>(rows.Int(6));
    result.message = std::string{rows.Text(7)};
    job.results.push_back(std::move(result));
  }
}

absl::Status ReadJobs(Connection& connection,
                      std::vector<UnfinishedJob>& jobs) {
  {
    USHER_ASSIGN_OR_RETURN(
        Statement rows,
        connection.Prepare(absl::StrCat("SELECT ", kJobColumns,
                                        " FROM install_job "
                                        "ORDER BY create_time, job_id")));
    while (true) {
      USHER_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      UnfinishedJob job;
      job.request = ReadRequest(rows);
      jobs.push_back(std::move(job));
    }
  }
  for (UnfinishedJob& job : jobs) {
    USHER_RETURN_IF_ERROR(ReadUpdates(connection, job));
  }
  return absl::OkStatus();
}

absl::Status ReadSteps(Connection& connection, BegunUpdate& update) {
  USHER_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare(
          "SELECT step_id, service_id, update_id, revision, description, "
          "state, hresult, reboot_required, restart_mandatory, "
          "unmapped_result_code, message FROM install_step "
          "WHERE job_id = ? AND position = ? ORDER BY step_id"));
  rows.Bind(1, update.request.job_id);
  rows.Bind(2, int64_t{update.position});
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return absl::OkStatus();
    Step step;
    step.step_id = rows.Int(0);
    step.key = ReadKey(rows, 1);
    step.description = std::string{rows.Blob(4)};
    step.state = static_cast<StepState>(rows.Int(5));
    step.outcome.hresult = static_cast<HResult>(rows.Int(6));
    step.outcome.reboot_required = rows.Int(7) != 0;
    step.outcome.restart_mandatory = rows.Int(8) != 0;
    step.outcome.unmapped_result_code = static_cast<int32_t>(rows.Int(9));
    step.outcome.message = std::string{rows.Text(10)};
    update.steps.push_back(std::move(step));
  }
}

constexpr absl::string_view kSelectBegun =
    "SELECT job_id, operation, is_forced, force_quiet, client_application_id, "
    "server_selection, request_id, caller, position, service_id, update_id, "
    "revision, attempts, entry "
    "FROM install_update JOIN install_job USING(job_id) "
    "WHERE result_code = 0 AND entry IS NOT NULL ";

// `request.updates` of what comes out has only the update itself.
absl::Status ReadBegun(Connection& connection, Statement rows,
                       std::vector<BegunUpdate>& updates) {
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) break;
    BegunUpdate update;
    update.request = ReadRequest(rows);
    update.position = static_cast<int>(rows.Int(8));
    update.request.updates = {ReadKey(rows, 9)};
    update.attempts = static_cast<int>(rows.Int(12));
    update.entry = std::string{rows.Blob(13)};
    updates.push_back(std::move(update));
  }
  for (BegunUpdate& update : updates) {
    USHER_RETURN_IF_ERROR(ReadSteps(connection, update));
  }
  return absl::OkStatus();
}

void BindKey(Statement& statement, int index, const catalog::UpdateKey& key) {
  statement.Bind(index, key.service_id);
  statement.Bind(index + 1, key.update_id);
  statement.Bind(index + 2, int64_t{key.revision});
}

void BindResult(Statement& statement, const InstallResult& result) {
  statement.Bind(1, int64_t{result.result_code});
  statement.Bind(2, int64_t{result.hresult});
  statement.Bind(3, int64_t{result.reboot_required});
  statement.Bind(4, int64_t{result.unmapped_result_code});
  statement.Bind(5, result.message);
}

absl::Status WriteResult(Connection& connection, absl::string_view job_id,
                         int position, const InstallResult& result) {
  USHER_ASSIGN_OR_RETURN(
      Statement update,
      connection.Prepare(
          "UPDATE install_update SET result_code = ?, hresult = ?, "
          "reboot_required = ?, unmapped_result_code = ?, message = ?, "
          "entry = NULL WHERE job_id = ? AND position = ?"));
  BindResult(update, result);
  update.Bind(6, job_id);
  update.Bind(7, int64_t{position});
  return update.Run();
}

absl::Status WriteRestart(Connection& connection, const catalog::UpdateKey& key,
                          absl::string_view boot_id, bool mandatory) {
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare(
          "INSERT INTO install_reboot(service_id, update_id, revision, "
          "boot_id, mandatory) VALUES(?, ?, ?, ?, ?) "
          "ON CONFLICT DO UPDATE SET boot_id = excluded.boot_id, "
          "mandatory = max(mandatory, excluded.mandatory)"));
  BindKey(insert, 1, key);
  insert.Bind(4, boot_id);
  insert.Bind(5, int64_t{mandatory});
  return insert.Run();
}

absl::StatusOr<catalog::UpdateKey> KeyOfStep(Connection& connection,
                                             int64_t step_id) {
  USHER_ASSIGN_OR_RETURN(
      Statement row,
      connection.Prepare("SELECT service_id, update_id, revision FROM "
                         "install_step WHERE step_id = ?"));
  row.Bind(1, step_id);
  USHER_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (found) return ReadKey(row, 0);
  return Error(hr::kWuEItemnotfound, "the journal has no such step",
               absl::StrCat(step_id));
}

}  // namespace

absl::Status Journal::AddJob(const InstallRequest& request) {
  return database_.Write([&request](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement job,
        connection.Prepare(
            absl::StrCat("INSERT INTO install_job(", kJobColumns,
                         ", create_time) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")));
    job.Bind(1, request.job_id);
    job.Bind(2, static_cast<int64_t>(request.operation));
    job.Bind(3, int64_t{request.is_forced});
    job.Bind(4, int64_t{request.force_quiet});
    job.Bind(5, request.client_application_id);
    job.Bind(6, int64_t{request.server_selection});
    job.Bind(7, request.request_id);
    job.Bind(8, request.caller);
    job.Bind(9, absl::ToUnixMicros(absl::Now()));
    USHER_RETURN_IF_ERROR(job.Run());
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare("INSERT INTO install_update(job_id, position, "
                           "service_id, update_id, revision) "
                           "VALUES(?, ?, ?, ?, ?)"));
    int64_t position = 0;
    for (const catalog::UpdateKey& key : request.updates) {
      update.Reset();
      update.Bind(1, request.job_id);
      update.Bind(2, position++);
      BindKey(update, 3, key);
      USHER_RETURN_IF_ERROR(update.Run());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> Journal::HasJob(absl::string_view job_id) {
  bool found = false;
  USHER_RETURN_IF_ERROR(
      database_.Read([&](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(
            Statement row,
            connection.Prepare("SELECT 1 FROM install_job WHERE job_id = ?"));
        row.Bind(1, job_id);
        USHER_ASSIGN_OR_RETURN(found, row.Step());
        return absl::OkStatus();
      }));
  return found;
}

absl::Status Journal::RemoveJob(absl::string_view job_id) {
  return database_.Write([job_id](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement remove,
        connection.Prepare(
            "DELETE FROM install_job WHERE job_id = ?1 AND NOT EXISTS("
            "SELECT 1 FROM install_update WHERE job_id = ?1 "
            "AND result_code = 0 AND entry IS NOT NULL)"));
    remove.Bind(1, job_id);
    return remove.Run();
  });
}

absl::Status Journal::RemoveOldJobs(absl::Duration age) {
  return database_.Write([age](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement remove,
        connection.Prepare(
            "DELETE FROM install_job WHERE create_time < ? AND NOT EXISTS("
            "SELECT 1 FROM install_update WHERE install_update.job_id = "
            "install_job.job_id AND result_code = 0)"));
    remove.Bind(1, absl::ToUnixMicros(absl::Now() - age));
    return remove.Run();
  });
}

absl::StatusOr<std::vector<UnfinishedJob>> Journal::Jobs() {
  std::vector<UnfinishedJob> jobs;
  USHER_RETURN_IF_ERROR(database_.Read(
      [&jobs](Connection& connection) { return ReadJobs(connection, jobs); }));
  return jobs;
}

absl::Status Journal::BeginUpdate(absl::string_view job_id, int position,
                                  absl::string_view entry,
                                  const std::vector<Step>& steps) {
  return database_.Write([&](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare(
            "UPDATE install_update SET attempts = attempts + 1, entry = ? "
            "WHERE job_id = ? AND position = ?"));
    update.BindBlob(1, entry);
    update.Bind(2, job_id);
    update.Bind(3, int64_t{position});
    USHER_RETURN_IF_ERROR(update.Run());
    USHER_ASSIGN_OR_RETURN(
        Statement insert,
        connection.Prepare(
            "INSERT INTO install_step(job_id, position, service_id, update_id, "
            "revision, description, state) VALUES(?, ?, ?, ?, ?, ?, 0)"));
    for (const Step& step : steps) {
      insert.Reset();
      insert.Bind(1, job_id);
      insert.Bind(2, int64_t{position});
      BindKey(insert, 3, step.key);
      insert.BindBlob(6, step.description);
      USHER_RETURN_IF_ERROR(insert.Run());
    }
    return absl::OkStatus();
  });
}

absl::Status Journal::AddAttempts(absl::string_view job_id, int position,
                                  int number) {
  return database_.Write([&](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare("UPDATE install_update SET attempts = attempts + ? "
                           "WHERE job_id = ? AND position = ?"));
    update.Bind(1, int64_t{number});
    update.Bind(2, job_id);
    update.Bind(3, int64_t{position});
    return update.Run();
  });
}

absl::StatusOr<BegunUpdate> Journal::Begun(absl::string_view job_id,
                                           int position) {
  std::vector<BegunUpdate> updates;
  USHER_RETURN_IF_ERROR(
      database_.Read([&](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(
            Statement rows,
            connection.Prepare(
                absl::StrCat(kSelectBegun, "AND job_id = ? AND position = ?")));
        rows.Bind(1, job_id);
        rows.Bind(2, int64_t{position});
        return ReadBegun(connection, std::move(rows), updates);
      }));
  if (!updates.empty()) return std::move(updates[0]);
  return Error(hr::kWuEItemnotfound, "the journal has no such update begun",
               job_id);
}

absl::StatusOr<std::vector<BegunUpdate>> Journal::AllBegun() {
  std::vector<BegunUpdate> updates;
  USHER_RETURN_IF_ERROR(
      database_.Read([&](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(Statement rows,
                               connection.Prepare(absl::StrCat(
                                   kSelectBegun, "ORDER BY job_id, position")));
        return ReadBegun(connection, std::move(rows), updates);
      }));
  return updates;
}

absl::Status Journal::SetState(int64_t step_id, StepState state) {
  return database_.Write([=](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare(
            "UPDATE install_step SET state = ? WHERE step_id = ?"));
    update.Bind(1, static_cast<int64_t>(state));
    update.Bind(2, step_id);
    return update.Run();
  });
}

absl::Status Journal::SetApplied(int64_t step_id, const Outcome& outcome,
                                 absl::string_view boot_id) {
  return database_.Write([&](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare(
            "UPDATE install_step SET state = 3, hresult = ?, "
            "reboot_required = ?, restart_mandatory = ?, "
            "unmapped_result_code = ?, message = ? WHERE step_id = ?"));
    update.Bind(1, int64_t{outcome.hresult});
    update.Bind(2, int64_t{outcome.reboot_required});
    update.Bind(3, int64_t{outcome.restart_mandatory});
    update.Bind(4, int64_t{outcome.unmapped_result_code});
    update.Bind(5, outcome.message);
    update.Bind(6, step_id);
    USHER_RETURN_IF_ERROR(update.Run());
    if (!outcome.reboot_required) return absl::OkStatus();
    USHER_ASSIGN_OR_RETURN(const catalog::UpdateKey key,
                           KeyOfStep(connection, step_id));
    return WriteRestart(connection, key, boot_id, outcome.restart_mandatory);
  });
}

absl::Status Journal::Finish(absl::string_view job_id, int position,
                             const catalog::UpdateKey& key,
                             const InstallResult& result,
                             const v1::UpdateHistoryEntry& entry,
                             absl::string_view boot_id,
                             bool restart_mandatory) {
  return database_.Write([&](Connection& connection) -> absl::Status {
    USHER_RETURN_IF_ERROR(store::AppendHistory(connection, entry));
    USHER_RETURN_IF_ERROR(WriteResult(connection, job_id, position, result));
    USHER_ASSIGN_OR_RETURN(
        Statement steps,
        connection.Prepare(
            "DELETE FROM install_step WHERE job_id = ? AND position = ?"));
    steps.Bind(1, job_id);
    steps.Bind(2, int64_t{position});
    USHER_RETURN_IF_ERROR(steps.Run());
    if (!result.reboot_required) return absl::OkStatus();
    return WriteRestart(connection, key, boot_id, restart_mandatory);
  });
}

absl::Status Journal::AbortRest(absl::string_view job_id,
                                const InstallResult& aborted) {
  return database_.Write([&](Connection& connection) -> absl::Status {
    USHER_ASSIGN_OR_RETURN(
        Statement update,
        connection.Prepare(
            "UPDATE install_update SET result_code = ?, hresult = ?, "
            "reboot_required = ?, unmapped_result_code = ?, message = ? "
            "WHERE job_id = ? AND result_code = 0 AND entry IS NULL"));
    BindResult(update, aborted);
    update.Bind(6, job_id);
    return update.Run();
  });
}

absl::StatusOr<Journal::Restarts> Journal::LoadRestarts(
    absl::string_view boot_id) {
  Restarts restarts;
  USHER_RETURN_IF_ERROR(
      database_.Write([&](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(
            Statement remove,
            connection.Prepare(
                "DELETE FROM install_reboot WHERE boot_id != ?"));
        remove.Bind(1, boot_id);
        USHER_RETURN_IF_ERROR(remove.Run());
        USHER_RETURN_IF_ERROR(connection.Execute(
            "UPDATE install_step SET reboot_required = 0, restart_mandatory = "
            "0 WHERE reboot_required AND NOT EXISTS(SELECT 1 FROM "
            "install_reboot r WHERE r.service_id = install_step.service_id AND "
            "r.update_id = install_step.update_id AND r.revision = "
            "install_step.revision)"));
        USHER_ASSIGN_OR_RETURN(
            Statement row,
            connection.Prepare("SELECT count(*), coalesce(max(mandatory), 0) "
                               "FROM install_reboot"));
        USHER_ASSIGN_OR_RETURN(const bool found, row.Step());
        restarts.required = found && row.Int(0) > 0;
        restarts.mandatory = found && row.Int(1) > 0;
        return absl::OkStatus();
      }));
  return restarts;
}

}  // namespace usher::install
