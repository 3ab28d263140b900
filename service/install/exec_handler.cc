#include "service/install/exec_handler.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "service/install/exec_result.h"
#include "service/install/payloads.h"
#include "service/platform/process.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

constexpr int kDefaultTimeout = 3600;
constexpr int kMaxTimeout = 86400;

std::filesystem::path PayloadDir(const Attempt& attempt) {
  return attempt.work_dir / "payloads";
}

// The payload to run for this operation; WU_E_UNINSTALL_NOT_ALLOWED if there is
// none for uninstalling.
absl::StatusOr<std::string> ProgramOf(const Attempt& attempt) {
  const auto& description = *attempt.description;
  const auto& exec = description.handler().exec();
  std::string program = exec.program();
  if (attempt.operation == Operation::kUninstall) {
    program = exec.uninstall_program();
    if (program.empty()) {
      return Error(hr::kWuEUninstallNotAllowed,
                   "the update names no program to uninstall it with",
                   attempt.key.update_id);
    }
  } else if (program.empty() && !description.payloads().empty()) {
    program = description.payloads(0).name();
  }
  const bool known = std::any_of(
      description.payloads().begin(), description.payloads().end(),
      [&program](const auto& payload) { return payload.name() == program; });
  if (known) return program;
  return Error(hr::kWuEUhInvalidmetadata,
               absl::StrCat("the update has no payload called ", program),
               attempt.key.update_id);
}

absl::Duration TimeoutOf(const repository::v1::ExecHandler& exec) {
  return absl::Seconds(exec.timeout_seconds() <= 0
                           ? kDefaultTimeout
                           : std::min(exec.timeout_seconds(), kMaxTimeout));
}

}  // namespace

absl::Status ExecHandler::Prepare(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const std::string program, ProgramOf(attempt));
  USHER_RETURN_IF_ERROR(CopyPayloads(attempt, PayloadDir(attempt)));
  USHER_RETURN_IF_ERROR(MakeDirectories(attempt.work_dir / "tmp"));
  std::error_code error;
  std::filesystem::permissions(
      AnyLength(PayloadDir(attempt) / PathFromUtf8(program)),
      std::filesystem::perms::owner_all, error);
  if (error) {
    return SystemError(error.default_error_condition().value(),
                       "make executable", program);
  }
  return absl::OkStatus();
}

ApplyResult ExecHandler::Apply(const Attempt& attempt) {
  // Once it runs nothing but a stopping service ends it.
  if (attempt.stopping()) return {CancelledError(), {}};
  const absl::StatusOr<std::string> program = ProgramOf(attempt);
  if (!program.ok()) return {program.status(), {}};
  const auto& exec = attempt.description->handler().exec();
  const bool install = attempt.operation == Operation::kInstall;
  const std::filesystem::path tmp = attempt.work_dir / "tmp";
  const std::filesystem::path log = attempt.log_dir / "exec.log";

  platform::ProcessOptions options;
  // cmd.exe, for a batch file, takes "/" for the beginning of an option.
  options.argv = {PathToUtf8(
      (PayloadDir(attempt) / PathFromUtf8(*program)).make_preferred())};
  const auto& arguments =
      install ? exec.arguments() : exec.uninstall_arguments();
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.working_directory = PayloadDir(attempt);
  options.environment = {{"USHER_OPERATION", install ? "install" : "uninstall"},
                         {"USHER_UPDATE_ID", attempt.key.update_id},
                         {"USHER_REVISION", absl::StrCat(attempt.key.revision)},
                         {"HOME", PathToUtf8(tmp)},
                         {"TMPDIR", PathToUtf8(tmp)},
                         {"TEMP", PathToUtf8(tmp)},
                         {"TMP", PathToUtf8(tmp)},
                         {"LC_ALL", "C.UTF-8"}};
  options.timeout = TimeoutOf(exec);
  options.wait_for_all = true;
  options.log_file = log;
  // Only the last run is kept.
  if (const absl::Status removed = RemoveTree(log); !removed.ok()) {
    return {removed, {}};
  }
  USHER_FAULT_POINT("exec.before_run");
  // Its work cannot be undone, so only a stopping service interrupts it.
  const absl::StatusOr<platform::ProcessResult> result =
      platform::RunProcess(options, attempt.interrupt);
  USHER_FAULT_POINT("exec.after_run");
  if (!result.ok()) return {result.status(), {}};
  switch (result->end) {
    case platform::ProcessResult::End::kTimedOut:
      return {Error(hr::kWuEUhInstallerhung,
                    absl::StrCat("the installer did not end within ",
                                 absl::FormatDuration(options.timeout),
                                 " and was stopped", QuoteInstaller(*result)),
                    attempt.key.update_id),
              {}};
    case platform::ProcessResult::End::kCancelled:
      return {CancelledError(), {}};
    default:
      return ExecResult(attempt.operation, exec, *result,
                        attempt.key.update_id);
  }
}

absl::Status ExecHandler::Commit(const Attempt& attempt) {
  if (attempt.operation == Operation::kUninstall) {
    return RemoveTree(attempt.kept_dir);
  }
  const std::filesystem::path payloads = PayloadDir(attempt);
  std::error_code error;
  const bool there = std::filesystem::is_directory(payloads, error);
  const auto& exec = attempt.description->handler().exec();
  // Not there: moved before a crash.
  if (exec.uninstall_program().empty() || !there) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(RemoveTree(attempt.kept_dir));
  USHER_RETURN_IF_ERROR(MakeDirectories(attempt.kept_dir.parent_path()));
  return RenameDurably(payloads, attempt.kept_dir);
}

absl::Status ExecHandler::Undo(const Attempt& /*attempt*/, bool /*applying*/) {
  // Prepare wrote only below work_dir; what the installer did, only it knows.
  return absl::OkStatus();
}

absl::StatusOr<Recovery> ExecHandler::Recover(const Attempt& /*attempt*/) {
  Recovery recovery;
  recovery.state = Recovery::State::kUnknown;
  recovery.message =
      "the service ended while the installer ran, so its outcome is not known";
  return recovery;
}

}  // namespace usher::install
