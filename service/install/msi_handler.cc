#include "service/install/msi_handler.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/windows_names.h"
#include "service/install/msi_log.h"
#include "service/install/msi_result.h"
#include "service/install/payloads.h"
#include "service/platform/process.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

constexpr absl::Duration kTimeout = absl::Hours(2);
// A package may itself be the reason why it is busy.
constexpr int kMaxBusyRuns = 10;

std::filesystem::path PackageOf(const Attempt& attempt) {
  return attempt.work_dir / "package.msi";
}

std::filesystem::path BeforeFile(const Attempt& attempt) {
  return attempt.work_dir / "before";
}

const repository::v1::MsiHandler& MsiOf(const Attempt& attempt) {
  return attempt.description->handler().msi();
}

absl::StatusOr<std::string> ProductCodeOf(const Attempt& attempt) {
  std::string code = CanonicalMsiCode(MsiOf(attempt).product_code());
  if (!code.empty()) return code;
  return Error(hr::kWuEUhInvalidmetadata,
               "the update names no product code of Windows Installer",
               attempt.key.update_id);
}

platform::ProcessOptions CommandOf(const Attempt& attempt,
                                   const std::filesystem::path& program,
                                   const std::string& product_code,
                                   const std::filesystem::path& log) {
  platform::ProcessOptions options;
  options.argv = {PathToUtf8(program)};
  if (attempt.operation == Operation::kInstall) {
    options.argv.insert(options.argv.end(),
                        {"/i", PathToUtf8(PackageOf(attempt))});
  } else {
    options.argv.insert(options.argv.end(), {"/x", product_code});
  }
  options.argv.insert(options.argv.end(),
                      {"/qn", "/norestart", "/l*v", PathToUtf8(log)});
  if (attempt.operation == Operation::kInstall) {
    for (const auto& [name, value] : MsiOf(attempt).properties()) {
      options.argv.push_back(absl::StrCat(name, "=", value));
    }
  }
  const std::string tmp = PathToUtf8(attempt.work_dir / "tmp");
  options.working_directory = attempt.work_dir;
  options.environment = {{"TEMP", tmp}, {"TMP", tmp}};
  options.timeout = kTimeout;
  return options;
}

}  // namespace

absl::Status MsiHandler::Prepare(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const std::string code, ProductCodeOf(attempt));
  for (const auto& [name, value] : MsiOf(attempt).properties()) {
    if (!IsMsiProperty(name) || !IsMsiPropertyValue(value)) {
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("the update's property ", name,
                                " is none that msiexec takes"),
                   attempt.key.update_id);
    }
  }
  USHER_RETURN_IF_ERROR(MakeDirectories(attempt.work_dir / "tmp"));
  if (attempt.operation == Operation::kInstall) {
    if (attempt.description->payloads().empty()) {
      return Error(hr::kWuEUhInvalidmetadata, "the update has no package",
                   attempt.key.update_id);
    }
    USHER_RETURN_IF_ERROR(CopyPayload(attempt, 0, PackageOf(attempt)));
  }
  return WriteFileAtomically(BeforeFile(attempt),
                             system_->InstalledVersion(code));
}

ApplyResult MsiHandler::Apply(const Attempt& attempt) {
  const absl::StatusOr<std::string> code = ProductCodeOf(attempt);
  if (!code.ok()) return {code.status(), {}};
  const std::filesystem::path log = attempt.log_dir / "msi.log";
  const platform::ProcessOptions options =
      CommandOf(attempt, system_->Program(), *code, log);
  const absl::Time deadline = absl::Now() + kBusyTimeout;
  for (int run = 1;; ++run) {
    if (const absl::Status idle = system_->WaitUntilIdle(
            std::max(deadline - absl::Now(), absl::ZeroDuration()), attempt);
        !idle.ok()) {
      return {idle, {}};
    }
    if (attempt.stopping()) return {CancelledError(), {}};
    // Only the last run is kept.
    if (const absl::Status removed = RemoveTree(log); !removed.ok()) {
      return {removed, {}};
    }
    USHER_FAULT_POINT("msi.before_run");
    // Only a stopping service interrupts it.
    const absl::StatusOr<platform::ProcessResult> result =
        platform::RunProcess(options, attempt.interrupt);
    USHER_FAULT_POINT("msi.after_run");
    if (!result.ok()) return {result.status(), {}};
    switch (result->end) {
      case platform::ProcessResult::End::kTimedOut:
        return {Error(hr::kWuEUhInstallerhung,
                      absl::StrCat("msiexec did not end within ",
                                   absl::FormatDuration(options.timeout),
                                   " and was stopped"),
                      attempt.key.update_id),
                {}};
      case platform::ProcessResult::End::kCancelled:
        return {CancelledError(), {}};
      default:
        break;
    }
    if (result->exit_code == kMsiBusy && run < kMaxBusyRuns &&
        absl::Now() < deadline) {
      continue;
    }
    return MsiResult(attempt.operation, result->exit_code,
                     MsiLogFileExcerpt(log), attempt.key.update_id);
  }
}

absl::Status MsiHandler::Commit(const Attempt& /*attempt*/) {
  return absl::OkStatus();
}

absl::Status MsiHandler::Undo(const Attempt& /*attempt*/, bool /*applying*/) {
  // Windows Installer has rolled back; Prepare wrote only below work_dir.
  return absl::OkStatus();
}

absl::StatusOr<Recovery> MsiHandler::Recover(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const std::string code, ProductCodeOf(attempt));
  USHER_ASSIGN_OR_RETURN(const std::string before,
                         ReadFile(BeforeFile(attempt), 1024));
  // Its service may still be at it, or rolling back.
  USHER_RETURN_IF_ERROR(system_->WaitUntilIdle(kBusyTimeout, attempt));
  const std::string now = system_->InstalledVersion(code);
  Recovery recovery;
  if (attempt.operation == Operation::kUninstall) {
    recovery.state =
        now.empty() ? Recovery::State::kApplied : Recovery::State::kUndone;
  } else if (now.empty()) {
    recovery.state = Recovery::State::kUndone;
  } else if (now != before) {
    recovery.state = Recovery::State::kApplied;
  } else {
    recovery.message =
        "the service ended while msiexec ran, and the product was installed "
        "before, so its outcome is not known";
  }
  return recovery;
}

}  // namespace usher::install
