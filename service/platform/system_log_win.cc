#include <windows.h>

#include <cstddef>
#include <string>

#include "common/win32.h"
#include "events.h"
#include "service/platform/managed_service_win.h"
#include "service/platform/system_log.h"

namespace usher::platform {
namespace {

// ReportEvent refuses a string of 31,839 characters or more.
constexpr size_t kMaxCharacters = 16'000;

class EventLog : public SystemLog {
 public:
  explicit EventLog(HANDLE source) : source_(source) {}
  ~EventLog() override { DeregisterEventSource(source_); }

  void Write(Severity severity, absl::string_view text) override {
    std::wstring wide = win32::ToWide(text);
    if (wide.size() > kMaxCharacters) wide.resize(kMaxCharacters);
    const wchar_t* strings = wide.c_str();
    WORD type = EVENTLOG_INFORMATION_TYPE;
    DWORD event = USHER_EVENT_INFORMATION;
    if (severity == Severity::kWarning) {
      type = EVENTLOG_WARNING_TYPE;
      event = USHER_EVENT_WARNING;
    } else if (severity == Severity::kError) {
      type = EVENTLOG_ERROR_TYPE;
      event = USHER_EVENT_ERROR;
    }
    ReportEventW(source_, type, 0, event, nullptr, 1, 0, &strings, nullptr);
  }

 private:
  const HANDLE source_;
};

}  // namespace

std::unique_ptr<SystemLog> SystemLog::Open() {
  if (ManagedService::Current() == nullptr) return nullptr;
  const HANDLE source = RegisterEventSourceW(nullptr, L"Usher");
  if (source == nullptr) return nullptr;
  return std::make_unique<EventLog>(source);
}

}  // namespace usher::platform
