#include "service/install/dpkg.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/utf8.h"
#include "service/install/dpkg_progress.h"
#include "service/install/payloads.h"
#include "service/platform/process.h"
#include "service/platform/record_lock.h"

namespace usher::install {
namespace {

constexpr absl::string_view kDpkg = "/usr/bin/dpkg";
constexpr absl::string_view kDpkgDeb = "/usr/bin/dpkg-deb";
constexpr absl::string_view kDpkgQuery = "/usr/bin/dpkg-query";
constexpr size_t kMaxQuotedOutput = 1000;
constexpr size_t kMaxQueryOutput = size_t{4} * 1024 * 1024;

platform::ProcessOptions BaseOptions() {
  platform::ProcessOptions options;
  options.working_directory = "/";
  options.environment = {{"DEBIAN_FRONTEND", "noninteractive"},
                         {"DEBCONF_NONINTERACTIVE_SEEN", "true"},
                         {"HOME", "/root"},
                         {"LC_ALL", "C.UTF-8"}};
  return options;
}

std::string Tail(absl::string_view text) {
  return std::string{
      Utf8Tail(absl::StripAsciiWhitespace(text), kMaxQuotedOutput)};
}

absl::Status Interpret(const platform::ProcessResult& result,
                       absl::string_view action, absl::string_view errors) {
  switch (result.end) {
    case platform::ProcessResult::End::kTimedOut:
      return Error(hr::kWuEUhInstallerhung,
                   absl::StrCat("dpkg ", action, " did not end in time"),
                   "dpkg");
    case platform::ProcessResult::End::kCancelled:
      return CancelledError();
    default:
      break;
  }
  if (result.exit_code == 0) return absl::OkStatus();
  std::string said = Tail(result.error_output);
  if (said.empty()) said = Tail(errors);
  if (said.empty()) said = Tail(result.output);
  return Error(
      hr::kWuEUhInstallerfailure,
      absl::StrCat("dpkg ", action, " failed with ",
                   result.signal != 0 ? "signal " : "code ",
                   result.signal != 0 ? result.signal : result.exit_code, ": ",
                   said),
      "dpkg");
}

// Waits for other package managers, no longer than anybody wants to.
absl::StatusOr<platform::RecordLock> LockFrontend(
    const std::filesystem::path& admin_dir, const DpkgRun& run) {
  CancellationToken either;
  const auto cancel = [either]() mutable { either.Cancel(); };
  const uint64_t cancelled = run.cancel.OnCancel(cancel);
  const uint64_t interrupted = run.interrupt.OnCancel(cancel);
  absl::StatusOr<platform::RecordLock> lock = platform::RecordLock::Acquire(
      admin_dir / "lock-frontend", run.lock_timeout, either);
  run.cancel.Forget(cancelled);
  run.interrupt.Forget(interrupted);
  // Also when it was free at once: nothing has been done yet.
  if (either.cancelled()) return CancelledError();
  return lock;
}

}  // namespace

bool IsDebianPackageName(absl::string_view name) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(name, absl::MaxSplits(':', 1));
  if (parts.first.size() < 2 || parts.first.size() > 255 ||
      !absl::ascii_isalnum(parts.first[0])) {
    return false;
  }
  const auto allowed = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '+' ||
           c == '-' || c == '.';
  };
  const auto in_architecture = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  };
  const bool colon = absl::StrContains(name, ':');
  return std::all_of(parts.first.begin(), parts.first.end(), allowed) &&
         colon == !parts.second.empty() && parts.second.size() <= 64 &&
         std::all_of(parts.second.begin(), parts.second.end(), in_architecture);
}

Dpkg::Dpkg(DpkgOptions options) : options_(std::move(options)) {}

absl::StatusOr<DpkgPackage> Dpkg::Inspect(
    const std::filesystem::path& deb, const CancellationToken& cancel) const {
  platform::ProcessOptions options = BaseOptions();
  options.argv = {std::string{kDpkgDeb}, "--show",
                  "--showformat=${Package}\t${Version}\t${Architecture}\n",
                  PathToUtf8(deb)};
  options.timeout = absl::Minutes(1);
  USHER_ASSIGN_OR_RETURN(const platform::ProcessResult result,
                         platform::RunProcess(options, cancel));
  if (result.end == platform::ProcessResult::End::kCancelled) {
    return CancelledError();
  }
  const std::vector<std::string> fields =
      absl::StrSplit(absl::StripAsciiWhitespace(result.output), '\t');
  if (result.exit_code != 0 || fields.size() != 3 ||
      !IsDebianPackageName(fields[0]) || fields[1].empty()) {
    return Error(hr::kWuEUhInvalidmetadata,
                 absl::StrCat("a payload is not a Debian package: ",
                              Tail(result.error_output)),
                 PathToUtf8(deb.filename()));
  }
  return DpkgPackage{fields[0], fields[1], fields[2]};
}

absl::StatusOr<std::map<std::string, DpkgState>> Dpkg::Query(
    const std::vector<std::string>& packages,
    const CancellationToken& cancel) const {
  std::map<std::string, DpkgState> states;
  platform::ProcessOptions options = BaseOptions();
  options.argv = {std::string{kDpkgQuery},
                  absl::StrCat("--admindir=", PathToUtf8(options_.admin_dir)),
                  "--show",
                  "--showformat=${Package}\t${Architecture}\t${Version}\t"
                  "${db:Status-Status}\t${db:Status-Want}\n"};
  for (const std::string& package : packages) {
    if (!IsDebianPackageName(package)) {
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat(package, " is no Debian package name"),
                   package);
    }
    options.argv.push_back(package);
    states[package] = DpkgState();
  }
  if (packages.empty()) return states;
  options.timeout = absl::Minutes(1);
  options.tail_bytes = kMaxQueryOutput;
  USHER_ASSIGN_OR_RETURN(const platform::ProcessResult result,
                         platform::RunProcess(options, cancel));
  // 1: one of the packages is not known, which is an answer.
  if (result.end != platform::ProcessResult::End::kExited ||
      (result.exit_code != 0 && result.exit_code != 1)) {
    return Error(hr::kWuEUhUnexpected,
                 absl::StrCat("dpkg-query failed: ", Tail(result.error_output)),
                 "dpkg-query");
  }
  for (const absl::string_view line :
       absl::StrSplit(result.output, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 5) continue;
    DpkgState state;
    state.complete = fields[3] == "installed";
    state.present = fields[3] != "not-installed" && fields[3] != "config-files";
    if (state.present) {
      state.version = fields[2];
      state.status = fields[3];
    }
    for (const std::string& name :
         {fields[0], absl::StrCat(fields[0], ":", fields[1])}) {
      const auto found = states.find(name);
      // Of several architectures, the one that is there.
      if (found != states.end() && !found->second.present) {
        found->second = state;
      }
    }
  }
  return states;
}

absl::Status Dpkg::Run(const DpkgRun& run, int* exit_code) const {
  *exit_code = 0;
  // As apt does: the frontend lock is ours, and dpkg is told so.
  USHER_ASSIGN_OR_RETURN(const platform::RecordLock lock,
                         LockFrontend(options_.admin_dir, run));
  DpkgProgress status(run.packages, run.progress);
  platform::ProcessOptions options = BaseOptions();
  options.environment.emplace_back("DPKG_FRONTEND_LOCKED", "true");
  options.argv = {std::string{kDpkg}, "--force-confdef", "--force-confold",
                  absl::StrCat("--status-fd=", platform::kStatusDescriptor)};
  options.argv.insert(options.argv.end(), options_.extra_arguments.begin(),
                      options_.extra_arguments.end());
  options.argv.insert(options.argv.end(), run.action.begin(), run.action.end());
  options.timeout = run.run_timeout;
  // dpkg ends cleanly between packages when it is asked; give it time to.
  options.kill_delay = absl::Seconds(10);
  options.log_file = run.log;
  options.on_status_line = [&status](absl::string_view line) {
    status.Line(line);
  };
  USHER_ASSIGN_OR_RETURN(const platform::ProcessResult result,
                         platform::RunProcess(options, run.interrupt));
  *exit_code = result.signal != 0 ? 128 + result.signal : result.exit_code;
  return Interpret(result, run.action[0], status.errors());
}

}  // namespace usher::install
