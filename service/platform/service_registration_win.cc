// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <winsvc.h>
// clang-format on

#include <array>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/win32.h"
#include "service/platform/privilege.h"
#include "service/platform/process_command_line.h"
#include "service/platform/service_registration.h"

namespace usher::platform {
namespace {

constexpr wchar_t kName[] = L"usherd";
constexpr char kSubject[] = "the service usherd";
constexpr wchar_t kDisplayName[] = L"Usher Update Service";
constexpr wchar_t kDescription[] =
    L"Finds, downloads and installs updates from signed repositories for the "
    L"programs of this machine.";
constexpr wchar_t kAccount[] = L"LocalSystem";
constexpr wchar_t kEventSource[] =
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Usher";
// The service may have to wait for an installer: ten minutes at most, and what
// it adds itself.
constexpr absl::Duration kStopPatience = absl::Minutes(11);
constexpr absl::Duration kLookEvery = absl::Milliseconds(100);
// What is between the end of a stop and the end of the process.
constexpr absl::Duration kStopMargin = absl::Seconds(5);

// What programs that install things need, and no more: not, for instance, to
// act as part of the operating system, to make tokens or to debug others.
constexpr wchar_t kPrivileges[] =
    L"SeAssignPrimaryTokenPrivilege\0"
    L"SeBackupPrivilege\0"
    L"SeChangeNotifyPrivilege\0"
    L"SeCreateGlobalPrivilege\0"
    L"SeCreateSymbolicLinkPrivilege\0"
    L"SeImpersonatePrivilege\0"
    L"SeIncreaseQuotaPrivilege\0"
    L"SeLoadDriverPrivilege\0"
    L"SeRestorePrivilege\0"
    L"SeSecurityPrivilege\0"
    L"SeShutdownPrivilege\0"
    L"SeTakeOwnershipPrivilege\0";

class ServiceHandle {
 public:
  explicit ServiceHandle(SC_HANDLE handle) : handle_(handle) {}
  ServiceHandle(ServiceHandle&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  ServiceHandle& operator=(ServiceHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~ServiceHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  SC_HANDLE get() const { return handle_; }
  bool open() const { return handle_ != nullptr; }

 private:
  SC_HANDLE handle_;
};

absl::Status ServiceError(absl::string_view what) {
  if (GetLastError() == ERROR_SERVICE_MARKED_FOR_DELETE) {
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat(kSubject,
                              " is being removed; close the programs that show "
                              "services, or restart Windows, and try again"),
                 kSubject);
  }
  return win32::LastError(what, kSubject);
}

absl::StatusOr<ServiceHandle> OpenManager(absl::string_view what) {
  if (!HasMachinePrivilege()) {
    return Error(hr::kEAccessdenied,
                 absl::StrCat("cannot ", what, " ", kSubject,
                              " without elevation; run this from a prompt that "
                              "was opened as administrator"),
                 kSubject);
  }
  ServiceHandle manager(OpenSCManagerW(
      nullptr, nullptr, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE));
  if (!manager.open()) return ServiceError(what);
  return manager;
}

absl::StatusOr<std::wstring> OwnPath() {
  std::wstring path(32'768, L'\0');
  const DWORD length =
      GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
  if (length == 0 || length == path.size()) {
    return win32::LastError("find", "this program");
  }
  path.resize(length);
  return path;
}

// Creates the service, or brings the one that is there up to date.
absl::StatusOr<ServiceHandle> CreateOrChange(SC_HANDLE manager,
                                             const std::wstring& command) {
  ServiceHandle service(CreateServiceW(
      manager, kName, kDisplayName, SERVICE_ALL_ACCESS,
      SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
      command.c_str(), nullptr, nullptr, nullptr, kAccount, nullptr));
  if (service.open()) return service;
  if (GetLastError() != ERROR_SERVICE_EXISTS) return ServiceError("create");
  service = ServiceHandle(OpenServiceW(manager, kName, SERVICE_ALL_ACCESS));
  if (!service.open() ||
      ChangeServiceConfigW(service.get(), SERVICE_WIN32_OWN_PROCESS,
                           SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                           command.c_str(), nullptr, nullptr, nullptr, kAccount,
                           nullptr, kDisplayName) == 0) {
    return ServiceError("change");
  }
  return service;
}

// Wine has the interface of all settings, and does not know some of them.
bool IsWine() {
  return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") !=
         nullptr;
}

// Sets what CreateService has no place for.
class Settings {
 public:
  explicit Settings(SC_HANDLE service) : service_(service) {}

  void Set(DWORD level, void* value, const char* name) {
    if (!status_.ok() || ChangeServiceConfig2W(service_, level, value) != 0) {
      return;
    }
    const DWORD error = GetLastError();
    // Windows has all of them: there the same codes are failures.
    if (is_wine_ &&
        (error == ERROR_INVALID_LEVEL || error == ERROR_CALL_NOT_IMPLEMENTED ||
         error == ERROR_INVALID_PARAMETER || error == ERROR_NOT_SUPPORTED)) {
      unknown_.push_back(absl::StrCat("this system does not know ", name));
    } else {
      SetLastError(error);
      status_ = ServiceError(absl::StrCat("set ", name, " of"));
    }
  }

  absl::StatusOr<std::vector<std::string>> Finish() {
    if (!status_.ok()) return status_;
    return std::move(unknown_);
  }

 private:
  const SC_HANDLE service_;
  const bool is_wine_ = IsWine();
  absl::Status status_;
  std::vector<std::string> unknown_;
};

absl::StatusOr<std::vector<std::string>> SetDetails(
    SC_HANDLE service, const ServiceRegistration& registration) {
  Settings settings(service);
  std::wstring text = kDescription;
  SERVICE_DESCRIPTIONW description{text.data()};
  settings.Set(SERVICE_CONFIG_DESCRIPTION, &description, "the description");

  SERVICE_DELAYED_AUTO_START_INFO delayed{TRUE};
  settings.Set(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed,
               "the delayed start");

  std::array<SC_ACTION, 3> actions = {{{SC_ACTION_RESTART, 5'000},
                                       {SC_ACTION_RESTART, 30'000},
                                       {SC_ACTION_RESTART, 60'000}}};
  SERVICE_FAILURE_ACTIONSW failure = {};
  failure.dwResetPeriod = 24 * 60 * 60;
  failure.cActions = actions.size();
  failure.lpsaActions = actions.data();
  settings.Set(SERVICE_CONFIG_FAILURE_ACTIONS, &failure,
               "the recovery actions");
  SERVICE_FAILURE_ACTIONS_FLAG also_errors{TRUE};
  settings.Set(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_errors,
               "recovery from a stop with an error");

  SERVICE_SID_INFO sid{SERVICE_SID_TYPE_UNRESTRICTED};
  settings.Set(SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "the service SID");

  std::wstring privileges(kPrivileges, std::size(kPrivileges));
  SERVICE_REQUIRED_PRIVILEGES_INFOW required{privileges.data()};
  settings.Set(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &required,
               "the required privileges");

  SERVICE_PRESHUTDOWN_INFO preshutdown{static_cast<DWORD>(
      absl::ToInt64Milliseconds(registration.stop_time + kStopMargin))};
  settings.Set(SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown,
               "the time for a stop before a shutdown");
  return settings.Finish();
}

absl::Status RegisterEventSource(const std::wstring& program) {
  HKEY key = nullptr;
  LSTATUS result = RegCreateKeyExW(HKEY_LOCAL_MACHINE, kEventSource, 0, nullptr,
                                   REG_OPTION_NON_VOLATILE, KEY_SET_VALUE,
                                   nullptr, &key, nullptr);
  if (result == ERROR_SUCCESS) {
    const absl::Cleanup close = [key] { RegCloseKey(key); };
    const DWORD types =
        EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    result = RegSetValueExW(
        key, L"EventMessageFile", 0, REG_EXPAND_SZ,
        reinterpret_cast<const BYTE*>(program.c_str()),
        static_cast<DWORD>((program.size() + 1) * sizeof(wchar_t)));
    if (result == ERROR_SUCCESS) {
      result =
          RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD,
                         reinterpret_cast<const BYTE*>(&types), sizeof(types));
    }
  }
  if (result == ERROR_SUCCESS) return absl::OkStatus();
  return win32::SystemError(static_cast<uint32_t>(result), "register",
                            "the event source Usher");
}

absl::StatusOr<SERVICE_STATUS_PROCESS> StatusOf(SC_HANDLE service) {
  SERVICE_STATUS_PROCESS status = {};
  DWORD size = 0;
  if (QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
                           reinterpret_cast<BYTE*>(&status), sizeof(status),
                           &size) == 0) {
    return ServiceError("query");
  }
  return status;
}

// Waits until the service has ended: its process, or where that may not be
// watched, what the manager knows of it.
absl::Status WaitForEnd(SC_HANDLE service, const win32::Handle& process) {
  const absl::Time deadline = absl::Now() + kStopPatience;
  if (process.open()) {
    if (WaitForSingleObject(process.get(),
                            static_cast<DWORD>(absl::ToInt64Milliseconds(
                                kStopPatience))) == WAIT_OBJECT_0) {
      return absl::OkStatus();
    }
  } else {
    do {
      USHER_ASSIGN_OR_RETURN(const SERVICE_STATUS_PROCESS status,
                             StatusOf(service));
      if (status.dwCurrentState == SERVICE_STOPPED) return absl::OkStatus();
      // The manager tells of changes, too, but not to everybody: not in Wine.
      absl::SleepFor(kLookEvery);
    } while (absl::Now() < deadline);
  }
  return Error(hr::kWuETimeOut,
               absl::StrCat(kSubject,
                            " does not stop; its log says what it "
                            "waits for"),
               kSubject);
}

// Asks the service to stop and waits for that.
absl::Status StopService(SC_HANDLE service) {
  USHER_ASSIGN_OR_RETURN(const SERVICE_STATUS_PROCESS status,
                         StatusOf(service));
  if (status.dwCurrentState == SERVICE_STOPPED) return absl::OkStatus();
  // Its own process, so the number is its as long as the service is not
  // stopped.
  const win32::Handle process(
      OpenProcess(SYNCHRONIZE, FALSE, status.dwProcessId));
  SERVICE_STATUS last;
  if (ControlService(service, SERVICE_CONTROL_STOP, &last) == 0) {
    const DWORD error = GetLastError();
    // It ends already, or has ended.
    if (error != ERROR_SERVICE_NOT_ACTIVE &&
        error != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
      return ServiceError("stop");
    }
    if (error == ERROR_SERVICE_CANNOT_ACCEPT_CTRL &&
        status.dwCurrentState == SERVICE_START_PENDING) {
      return Error(hr::kWuEOperationinprogress,
                   absl::StrCat(kSubject,
                                " is starting; try again when it "
                                "runs"),
                   kSubject);
    }
  }
  return WaitForEnd(service, process);
}

}  // namespace

bool CanRegisterService() { return true; }

absl::StatusOr<std::vector<std::string>> RegisterService(
    const ServiceRegistration& registration) {
  USHER_ASSIGN_OR_RETURN(const ServiceHandle manager, OpenManager("install"));
  USHER_ASSIGN_OR_RETURN(const std::wstring program, OwnPath());
  std::vector<std::string> argv = {win32::ToUtf8(program)};
  argv.insert(argv.end(), registration.arguments.begin(),
              registration.arguments.end());
  USHER_ASSIGN_OR_RETURN(const std::string command, CommandLine(argv));
  USHER_ASSIGN_OR_RETURN(const ServiceHandle service,
                         CreateOrChange(manager.get(), win32::ToWide(command)));
  USHER_RETURN_IF_ERROR(RegisterEventSource(program));
  return SetDetails(service.get(), registration);
}

absl::Status StopRegisteredService() {
  USHER_ASSIGN_OR_RETURN(const ServiceHandle manager, OpenManager("stop"));
  const ServiceHandle service(
      OpenServiceW(manager.get(), kName, SERVICE_STOP | SERVICE_QUERY_STATUS));
  if (service.open()) return StopService(service.get());
  if (GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) return absl::OkStatus();
  return ServiceError("open");
}

absl::Status UnregisterService() {
  USHER_ASSIGN_OR_RETURN(const ServiceHandle manager, OpenManager("uninstall"));
  const ServiceHandle service(OpenServiceW(
      manager.get(), kName, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE));
  if (service.open()) {
    USHER_RETURN_IF_ERROR(StopService(service.get()));
    if (DeleteService(service.get()) == 0 &&
        GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE) {
      return ServiceError("remove");
    }
  } else if (GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST) {
    return ServiceError("open");
  }
  const LSTATUS result = RegDeleteTreeW(HKEY_LOCAL_MACHINE, kEventSource);
  if (result == ERROR_SUCCESS || result == ERROR_FILE_NOT_FOUND) {
    return absl::OkStatus();
  }
  return win32::SystemError(static_cast<uint32_t>(result), "remove",
                            "the event source Usher");
}

}  // namespace usher::platform
