#include "service/install/msi_result.h"

#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::install {
namespace {

struct Failure {
  HResult hresult;
  absl::string_view text;
};

Failure FailureOf(int code) {
  switch (code) {
    case 5:
      return {hr::kEAccessdenied, "access was denied"};
    case 112:
      return {hr::kErrorDiskFull, "the disk is full"};
    case 1601:
      return {hr::kWuEUhInstallerfailure,
              "the Windows Installer service could not be reached"};
    case 1602:
      return {hr::kWuEUhOperationcancelled, "the installation was cancelled"};
    case 1603:
      return {hr::kWuEUhInstallerfailure,
              "the package failed and was rolled back"};
    case 1605:
    case 1614:
      return {hr::kWuEUhInstallerfailure, "the product is not installed"};
    case 1612:
      return {hr::kWuEUhInstallerfailure,
              "the product's installation source is gone"};
    case kMsiBusy:
      return {hr::kWuEInstallNotAllowed,
              "another installation is running; try again when it has "
              "finished"};
    case 1619:
    case 1620:
      return {hr::kWuEUhInvalidmetadata, "the package cannot be opened"};
    case 1625:
    case 1643:
    case 1644:
      return {hr::kEAccessdenied, "a policy of this machine forbids it"};
    case 1633:
      return {hr::kWuEUhInvalidmetadata,
              "the package is for another kind of machine"};
    case 1638:
      return {hr::kWuEUhInstallerfailure,
              "another version of the product is installed"};
    case 1639:
      return {hr::kWuEUhInvalidmetadata,
              "msiexec does not take the update's properties"};
    default:
      return {hr::kWuEUhInstallerfailure, "the installation failed"};
  }
}

}  // namespace

ApplyResult MsiResult(Operation operation, int exit_code,
                      absl::string_view excerpt, absl::string_view subject) {
  ApplyResult applied;
  switch (exit_code) {
    case 0:
      return applied;
    case 1641:
      applied.outcome.restart_mandatory = true;
      [[fallthrough]];
    case 3010:
      applied.outcome.reboot_required = true;
      return applied;
    case 1605:
    case 1614:
      if (operation == Operation::kUninstall) {
        applied.outcome.hresult = hr::kWuSAlreadyUninstalled;
        return applied;
      }
      break;
    default:
      break;
  }
  const Failure failure = FailureOf(exit_code);
  applied.outcome.unmapped_result_code = exit_code;
  applied.status = Error(
      failure.hresult,
      absl::StrCat("Windows Installer: ", failure.text, " (code ", exit_code,
                   ")", excerpt.empty() ? "" : "; its log says: ", excerpt),
      subject);
  return applied;
}

}  // namespace usher::install
