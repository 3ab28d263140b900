// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <msi.h>
// clang-format on

#include <array>

#include "absl/cleanup/cleanup.h"
#include "common/error.h"
#include "common/win32.h"
#include "service/install/msi_system.h"
#include "service/install/payloads.h"

namespace usher::install {
namespace {

// Owned by whoever installs (Windows Installer's documented way to ask).
constexpr wchar_t kMutex[] = L"Global\\_MSIExecute";
// INSTALLPROPERTY_VERSIONSTRING, which is wide only in some builds.
constexpr wchar_t kVersionProperty[] = L"VersionString";

class WindowsMsi : public MsiSystem {
 public:
  std::filesystem::path Program() const override {
    return win32::SystemFolder() / "msiexec.exe";
  }

  std::string InstalledVersion(absl::string_view product_code) const override {
    const std::wstring code = win32::ToWide(product_code);
    if (MsiQueryProductStateW(code.c_str()) != INSTALLSTATE_DEFAULT) return "";
    std::array<wchar_t, 256> version;
    DWORD size = version.size();
    if (MsiGetProductInfoW(code.c_str(), kVersionProperty, version.data(),
                           &size) != ERROR_SUCCESS) {
      return "?";
    }
    return win32::ToUtf8(std::wstring_view(version.data(), size));
  }

  absl::Status WaitUntilIdle(absl::Duration timeout,
                             const Attempt& attempt) const override {
    const win32::Handle mutex(OpenMutexW(SYNCHRONIZE, FALSE, kMutex));
    // Nobody has installed anything since the machine was started.
    if (!mutex.open()) return absl::OkStatus();
    // The callbacks may still run after Forget(), so they share the event.
    const auto stop = std::make_shared<win32::Handle>(
        CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!stop->open()) return win32::LastError("make", "an event");
    const auto set = [stop] { SetEvent(stop->get()); };
    const uint64_t cancelled = attempt.cancel.OnCancel(set);
    const uint64_t interrupted = attempt.interrupt.OnCancel(set);
    const auto forget = absl::MakeCleanup([&] {
      attempt.cancel.Forget(cancelled);
      attempt.interrupt.Forget(interrupted);
    });
    const std::array<HANDLE, 2> watched = {stop->get(), mutex.get()};
    switch (WaitForMultipleObjects(
        watched.size(), watched.data(), FALSE,
        static_cast<DWORD>(absl::ToInt64Milliseconds(timeout)))) {
      case WAIT_OBJECT_0:
        return CancelledError();
      case WAIT_OBJECT_0 + 1:
      case WAIT_ABANDONED_0 + 1:
        ReleaseMutex(mutex.get());
        return absl::OkStatus();
      case WAIT_TIMEOUT:
        return Error(hr::kWuEInstallNotAllowed,
                     "another installation is running; try again when it has "
                     "finished");
      default:
        return win32::LastError("wait for", "Windows Installer");
    }
  }
};

}  // namespace

std::unique_ptr<MsiSystem> NewMsiSystem() {
  return std::make_unique<WindowsMsi>();
}

}  // namespace usher::install
