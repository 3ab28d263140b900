#include <windows.h>

#include <array>
#include <exception>
#include <utility>

#include "service/platform/managed_service_win.h"
#include "service/platform/service_entry.h"

namespace usher::platform {
namespace {

// What the manager's thread runs. The functions that it calls take no context.
const std::function<int()>* service_body = nullptr;
int service_exit_code = 0;

DWORD StateOf(ServiceReport::State state) {
  switch (state) {
    case ServiceReport::State::kStarting:
      return SERVICE_START_PENDING;
    case ServiceReport::State::kRunning:
      return SERVICE_RUNNING;
    case ServiceReport::State::kStopping:
      return SERVICE_STOP_PENDING;
    case ServiceReport::State::kStopped:
      break;
  }
  return SERVICE_STOPPED;
}

void Send(SERVICE_STATUS_HANDLE handle, const ServiceReport& report) {
  SERVICE_STATUS status = {};
  status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  status.dwCurrentState = StateOf(report.state);
  if (report.state == ServiceReport::State::kRunning) {
    status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                                SERVICE_ACCEPT_PRESHUTDOWN;
  }
  if (report.exit_code != 0) {
    status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
    status.dwServiceSpecificExitCode = static_cast<DWORD>(report.exit_code);
  }
  status.dwCheckPoint = report.checkpoint;
  status.dwWaitHint = report.wait_hint;
  SetServiceStatus(handle, &status);
}

DWORD WINAPI OnControl(DWORD control, DWORD, void*, void*) {
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
      if (ManagedService::Current() != nullptr) {
        ManagedService::Current()->RequestStop();
      }
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
      return NO_ERROR;
    default:
      return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void WINAPI ServiceMain(DWORD, wchar_t**) {
  // A service that has a process to itself needs no name.
  const SERVICE_STATUS_HANDLE handle =
      RegisterServiceCtrlHandlerExW(L"", &OnControl, nullptr);
  if (handle == nullptr) {
    service_exit_code = 1;
    return;
  }
  // Never destroyed: the process may end at any time after the last report.
  auto* const managed = new ManagedService(
      [handle](const ServiceReport& report) { Send(handle, report); });
  ManagedService::SetCurrent(managed);
  try {
    service_exit_code = (*service_body)();
  } catch (const std::exception&) {
    service_exit_code = 1;
  }
  managed->ReportStopped(service_exit_code);
}

}  // namespace

int RunService(const std::function<int()>& service) {
  service_body = &service;
  std::array<wchar_t, 1> name = {L'\0'};
  const std::array<SERVICE_TABLE_ENTRYW, 2> table = {
      {{name.data(), &ServiceMain}, {nullptr, nullptr}}};
  if (StartServiceCtrlDispatcherW(table.data()) != 0) return service_exit_code;
  // Normally ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: started by hand.
  return service();
}

}  // namespace usher::platform
