#include "service/install/results.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/v1/types.pb.h"

namespace usher::install {

absl::Status RestartFirstError() {
  return Error(hr::kWuEInstallNotAllowed,
               "the machine must be restarted before anything else is "
               "installed or uninstalled; restart it and try again");
}

InstallResult FailedResult(const absl::Status& status,
                           int32_t unmapped_result_code) {
  InstallResult result;
  result.result_code = v1::OPERATION_RESULT_CODE_FAILED;
  result.hresult = HResultOf(status);
  result.message = std::string{status.message()};
  result.unmapped_result_code = unmapped_result_code;
  return result;
}

InstallResult AbortedResult(absl::string_view message) {
  InstallResult result;
  result.result_code = v1::OPERATION_RESULT_CODE_ABORTED;
  result.hresult = hr::kWuECallCancelled;
  result.message = std::string{message};
  return result;
}

InstallResult SucceededResult(HResult hresult, absl::string_view message) {
  InstallResult result;
  result.result_code = v1::OPERATION_RESULT_CODE_SUCCEEDED;
  result.hresult = hresult;
  result.message = std::string{message};
  return result;
}

InstallResult ResultOf(const std::vector<Outcome>& outcomes) {
  InstallResult result = SucceededResult(hr::kSOk, "");
  for (const Outcome& outcome : outcomes) {
    result.reboot_required |= outcome.reboot_required;
    if (!outcome.message.empty()) {
      absl::StrAppend(&result.message, result.message.empty() ? "" : "; ",
                      outcome.message);
    }
    if (outcome.hresult == hr::kWuSUpdateError) {
      result.result_code = v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS;
      result.hresult = outcome.hresult;
    }
  }
  if (result.hresult != hr::kSOk) return result;
  if (result.reboot_required) {
    result.hresult = hr::kWuSRebootRequired;
  } else if (outcomes.size() == 1) {
    result.hresult = outcomes[0].hresult;
  }
  return result;
}

}  // namespace usher::install
