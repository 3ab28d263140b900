#include "service/install/exec_result.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/utf8.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using repository::v1::ExitCode;

// ERROR_SUCCESS_REBOOT_REQUIRED, and ERROR_SUCCESS_REBOOT_INITIATED: the
// installer has asked for the restart itself.
constexpr int kRebootRequired = 3010;
constexpr int kRebootInitiated = 1641;
constexpr size_t kMaxQuotedOutput = 400;

ExitCode MeaningOf(const repository::v1::ExecHandler& exec, int code) {
  for (const ExitCode& listed : exec.exit_codes()) {
    if (listed.code() == code &&
        listed.meaning() != ExitCode::MEANING_UNSPECIFIED) {
      return listed;
    }
  }
  ExitCode meaning;
  meaning.set_code(code);
  meaning.set_meaning(code == 0 ? ExitCode::MEANING_SUCCESS
                      : code == kRebootRequired || code == kRebootInitiated
                          ? ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED
                          : ExitCode::MEANING_FAILURE);
  return meaning;
}

}  // namespace

std::string QuoteInstaller(const platform::ProcessResult& result) {
  const absl::string_view text = Utf8Tail(
      absl::StripAsciiWhitespace(
          result.error_output.empty() ? result.output : result.error_output),
      kMaxQuotedOutput);
  return text.empty() ? std::string() : absl::StrCat("; it said: ", text);
}

ApplyResult ExecResult(Operation operation,
                       const repository::v1::ExecHandler& exec,
                       const platform::ProcessResult& result,
                       absl::string_view subject) {
  ApplyResult applied;
  if (result.signal != 0) {
    applied.outcome.unmapped_result_code = 128 + result.signal;
    applied.status = Error(hr::kWuEUhInstallerfailure,
                           absl::StrCat("the installer was ended by signal ",
                                        result.signal, QuoteInstaller(result)),
                           subject);
    return applied;
  }
  const ExitCode meaning = MeaningOf(exec, result.exit_code);
  switch (meaning.meaning()) {
    case ExitCode::MEANING_SUCCESS:
      break;
    case ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED:
      applied.outcome.reboot_required = true;
      applied.outcome.restart_mandatory = result.exit_code == kRebootInitiated;
      break;
    case ExitCode::MEANING_ALREADY_INSTALLED:
      applied.outcome.hresult = operation == Operation::kInstall
                                    ? hr::kWuSAlreadyInstalled
                                    : hr::kWuSAlreadyUninstalled;
      break;
    default: {
      const HResult hresult = Failed(meaning.hresult())
                                  ? meaning.hresult()
                                  : hr::kWuEUhInstallerfailure;
      applied.outcome.unmapped_result_code = result.exit_code;
      applied.status =
          Error(hresult,
                absl::StrCat("the installer failed with code ",
                             result.exit_code, QuoteInstaller(result)),
                subject);
    }
  }
  return applied;
}

}  // namespace usher::install
