#include "service/install/deb_handler.h"

#include <algorithm>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "service/install/file_name.h"
#include "service/install/payloads.h"
#include "service/install/restart_notice.h"
#include "service/platform/privilege.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

constexpr uint64_t kMaxPlan = uint64_t{4} * 1024 * 1024;
// A start of the service must not wait long for somebody else's apt.
constexpr absl::Duration kRecoveryLockTimeout = absl::Seconds(5);
// What hung for long once need not do so again.
constexpr absl::Duration kRepairTimeout = absl::Minutes(10);
constexpr absl::string_view kAdvice =
    "install it again when the cause is mended, or run dpkg --configure -a";

std::filesystem::path PlanFile(const Attempt& attempt) {
  return attempt.work_dir / "plan";
}
// Names of the packages, for an uninstallation without their files.
std::filesystem::path KeptFile(const Attempt& attempt) {
  return attempt.kept_dir / "packages";
}
std::filesystem::path LogFile(const Attempt& attempt) {
  return attempt.log_dir / "deb.log";
}

std::string QualifiedName(const DpkgPackage& package) {
  return package.architecture == "all"
             ? package.name
             : absl::StrCat(package.name, ":", package.architecture);
}

std::filesystem::path DebFile(const Attempt& attempt, int index) {
  return attempt.work_dir / "payloads" /
         PathFromUtf8(attempt.description->payloads(index).name());
}

}  // namespace

absl::Status DebHandler::Prepare(const Attempt& attempt) {
  if (dpkg_.options().require_root && !platform::HasMachinePrivilege()) {
    return Error(hr::kWuEPerMachineUpdateAccessDenied,
                 "only root can install Debian packages; run the service as "
                 "root",
                 attempt.key.update_id);
  }
  return attempt.operation == Operation::kInstall ? PrepareInstall(attempt)
                                                  : PrepareUninstall(attempt);
}

absl::Status DebHandler::PrepareInstall(const Attempt& attempt) {
  const int count = attempt.description->payloads_size();
  if (count == 0) {
    return Error(hr::kWuEUhInvalidmetadata, "the update has no package",
                 attempt.key.update_id);
  }
  USHER_RETURN_IF_ERROR(CopyPayloads(attempt, attempt.work_dir / "payloads"));
  std::vector<Plan> plan;
  for (int i = 0; i < count; ++i) {
    USHER_ASSIGN_OR_RETURN(
        const DpkgPackage package,
        dpkg_.Inspect(DebFile(attempt, i), attempt.interrupt));
    plan.push_back({QualifiedName(package), package.version, "", ""});
  }
  return WritePlan(attempt, plan);
}

absl::Status DebHandler::PrepareUninstall(const Attempt& attempt) {
  const auto& named = attempt.description->handler().deb().packages();
  std::vector<std::string> names(named.begin(), named.end());
  if (names.empty()) {
    if (const absl::StatusOr<std::string> kept =
            ReadFile(KeptFile(attempt), kMaxPlan);
        kept.ok()) {
      names = absl::StrSplit(*kept, '\n', absl::SkipEmpty());
    }
  }
  if (names.empty()) {
    // Installed by somebody else: the packages tell their names.
    USHER_RETURN_IF_ERROR(CopyPayloads(attempt, attempt.work_dir / "payloads"));
    for (int i = 0; i < attempt.description->payloads_size(); ++i) {
      USHER_ASSIGN_OR_RETURN(
          const DpkgPackage package,
          dpkg_.Inspect(DebFile(attempt, i), attempt.interrupt));
      names.push_back(QualifiedName(package));
    }
  }
  std::vector<Plan> plan;
  plan.reserve(names.size());
  for (const std::string& name : names) plan.push_back({name, "", "", ""});
  return WritePlan(attempt, plan);
}

absl::Status DebHandler::WritePlan(const Attempt& attempt,
                                   const std::vector<Plan>& plan) {
  USHER_ASSIGN_OR_RETURN(const auto states, StatesOf(plan, attempt));
  std::string text;
  for (const Plan& package : plan) {
    const DpkgState& before = states.at(package.name);
    absl::StrAppend(&text, package.name, "\t", package.wanted, "\t",
                    before.version, "\t", before.status, "\n");
  }
  return WriteFileAtomically(PlanFile(attempt), text);
}

absl::StatusOr<std::vector<DebHandler::Plan>> DebHandler::ReadPlan(
    const Attempt& attempt) const {
  USHER_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(PlanFile(attempt), kMaxPlan));
  std::vector<Plan> plan;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 4) {
      return Error(hr::kWuEUhUnexpected, "the installer's notes are damaged",
                   PathToUtf8(PlanFile(attempt)));
    }
    plan.push_back({fields[0], fields[1], fields[2], fields[3]});
  }
  return plan;
}

absl::StatusOr<DebHandler::States> DebHandler::StatesOf(
    const std::vector<Plan>& plan, const Attempt& attempt) const {
  std::vector<std::string> names;
  names.reserve(plan.size());
  for (const Plan& package : plan) names.push_back(package.name);
  return dpkg_.Query(names, attempt.interrupt);
}

bool DebHandler::AsBefore(const Plan& package, const DpkgState& now) {
  return now.version == package.before &&
         (now.complete || now.status == package.before_status);
}

std::string DebHandler::Standing(const Plan& package, const DpkgState& now) {
  return absl::StrCat(
      package.name, " is ", now.present ? now.version : "not installed",
      now.complete || !now.present ? "" : " ", now.complete ? "" : now.status,
      ", was ", package.before.empty() ? "not installed" : package.before);
}

std::string DebHandler::Differences(const std::vector<Plan>& plan,
                                    const States& states) {
  std::vector<std::string> standings;
  for (const Plan& package : plan) {
    const DpkgState& now = states.at(package.name);
    if (!AsBefore(package, now)) standings.push_back(Standing(package, now));
  }
  return absl::StrJoin(standings, "; ");
}

ApplyResult DebHandler::Apply(const Attempt& attempt) {
  if (attempt.stopping()) return {CancelledError(), {}};
  const absl::StatusOr<std::vector<Plan>> plan = ReadPlan(attempt);
  if (!plan.ok()) return {plan.status(), {}};
  const bool install = attempt.operation == Operation::kInstall;
  std::vector<std::string> action = {install ? "--install" : "--remove"};
  std::vector<std::string> names;
  for (size_t i = 0; i < plan->size(); ++i) {
    names.push_back((*plan)[i].name);
    if (install) {
      action.push_back(PathToUtf8(DebFile(attempt, static_cast<int>(i))));
    } else if (!(*plan)[i].before.empty()) {
      action.push_back(names.back());
    }
  }
  ApplyResult applied;
  // A forced uninstallation of what is not there.
  if (action.size() == 1) return applied;
  if (absl::Status removed = RemoveTree(LogFile(attempt)); !removed.ok()) {
    return {removed, {}};
  }
  const RestartNotice notice(dpkg_.options().reboot_required_file);
  USHER_FAULT_POINT("deb.before_run");
  int exit_code = 0;
  applied.status = dpkg_.Run(
      {.action = std::move(action),
       .progress = [&attempt](int percent) { attempt.Report(percent); },
       .packages = static_cast<int>(names.size()),
       .log = LogFile(attempt),
       .lock_timeout = dpkg_.options().lock_timeout,
       .run_timeout = dpkg_.options().run_timeout,
       .cancel = attempt.cancel,
       .interrupt = attempt.interrupt},
      &exit_code);
  USHER_FAULT_POINT("deb.after_run");
  if (!applied.status.ok()) applied.outcome.unmapped_result_code = exit_code;
  applied.outcome.reboot_required = notice.Asked(names);
  return applied;
}

absl::Status DebHandler::Commit(const Attempt& attempt) {
  if (attempt.operation == Operation::kUninstall) {
    return RemoveTree(attempt.kept_dir);
  }
  const absl::StatusOr<std::vector<Plan>> plan = ReadPlan(attempt);
  if (!plan.ok()) {
    // The work folder went after a Commit before a crash.
    const bool kept = HResultOf(plan.status()) == hr::kErrorFileNotFound &&
                      Exists(KeptFile(attempt));
    return kept ? absl::OkStatus() : plan.status();
  }
  std::string names;
  for (const Plan& package : *plan) absl::StrAppend(&names, package.name, "\n");
  USHER_RETURN_IF_ERROR(MakeDirectories(attempt.kept_dir));
  return WriteFileAtomically(KeptFile(attempt), names);
}

DpkgRun DebHandler::RepairRun(const Attempt& attempt,
                              std::vector<std::string> action) const {
  return {.action = std::move(action),
          .log = LogFile(attempt),
          .lock_timeout = kRecoveryLockTimeout,
          .run_timeout = std::min(kRepairTimeout, dpkg_.options().run_timeout),
          .interrupt = attempt.interrupt};
}

absl::Status DebHandler::TakeBack(const Attempt& attempt,
                                  const std::vector<Plan>& plan,
                                  States& states) const {
  const auto stuck = [&states](const Plan& package) {
    const DpkgState& now = states.at(package.name);
    return !package.before.empty() && now.present && !now.complete;
  };
  int exit_code = 0;
  if (std::any_of(plan.begin(), plan.end(), stuck)) {
    std::vector<std::string> configure = {"--configure"};
    for (const Plan& package : plan) {
      const DpkgState& now = states.at(package.name);
      if (now.present && !now.complete) configure.push_back(package.name);
    }
    // Whether it helped is seen in the states.
    dpkg_.Run(RepairRun(attempt, std::move(configure)), &exit_code)
        .IgnoreError();
    USHER_ASSIGN_OR_RETURN(states, StatesOf(plan, attempt));
    // The new version may need what came with it.
    if (std::any_of(plan.begin(), plan.end(), stuck)) return absl::OkStatus();
  }
  if (attempt.operation == Operation::kUninstall) return absl::OkStatus();
  std::vector<std::string> remove = {"--remove", "--force-remove-reinstreq"};
  const size_t options = remove.size();
  for (const Plan& package : plan) {
    if (package.before.empty() && states.at(package.name).present) {
      remove.push_back(package.name);
    }
  }
  if (remove.size() == options) return absl::OkStatus();
  absl::Status removed =
      dpkg_.Run(RepairRun(attempt, std::move(remove)), &exit_code);
  USHER_ASSIGN_OR_RETURN(states, StatesOf(plan, attempt));
  return removed;
}

absl::Status DebHandler::Undo(const Attempt& attempt, bool applying) {
  if (!applying) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(const std::vector<Plan> plan, ReadPlan(attempt));
  USHER_ASSIGN_OR_RETURN(States states, StatesOf(plan, attempt));
  // dpkg did nothing, or put everything back itself.
  if (Differences(plan, states).empty()) return absl::OkStatus();
  const absl::Status tried = TakeBack(attempt, plan, states);
  const std::string differences = Differences(plan, states);
  if (differences.empty()) return absl::OkStatus();
  return Error(hr::kWuEUhUnexpected,
               absl::StrCat(differences, tried.ok() ? "" : "; ",
                            tried.ok() ? "" : tried.message(), "; ", kAdvice),
               attempt.key.update_id);
}

absl::StatusOr<Recovery> DebHandler::Recover(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const std::vector<Plan> plan, ReadPlan(attempt));
  // Finishes what dpkg had unpacked. Whether it could is seen in the states.
  int exit_code = 0;
  const absl::Status configured =
      dpkg_.Run(RepairRun(attempt, {"--configure", "--pending"}), &exit_code);
  USHER_ASSIGN_OR_RETURN(const auto states, StatesOf(plan, attempt));
  const bool install = attempt.operation == Operation::kInstall;
  bool all_done = true;
  bool none_done = true;
  // Then the states do not tell whether dpkg ran.
  bool was_there = install;
  std::vector<std::string> names;
  std::vector<std::string> standings;
  for (const Plan& package : plan) {
    const DpkgState& state = states.at(package.name);
    names.push_back(package.name);
    standings.push_back(Standing(package, state));
    all_done &= install ? state.complete && state.version == package.wanted
                        : !state.present;
    none_done &= AsBefore(package, state);
    was_there &= package.before == package.wanted &&
                 package.before_status == state.status;
  }
  Recovery recovery;
  if (all_done && !was_there) {
    recovery.state = Recovery::State::kApplied;
    // When the file was touched cannot be known any more; names can.
    recovery.outcome.reboot_required =
        RestartNotice(dpkg_.options().reboot_required_file).Asked(names);
  } else if (none_done) {
    recovery.state = Recovery::State::kUndone;
  } else {
    recovery.message = absl::StrCat(
        "the service ended while dpkg ran, and not all packages are in place: ",
        absl::StrJoin(standings, "; "),
        configured.ok() ? "" : absl::StrCat("; ", configured.message()), "; ",
        kAdvice);
  }
  return recovery;
}

}  // namespace usher::install
