// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <userenv.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "common/win32.h"
#include "service/platform/process.h"
#include "service/platform/process_command_line.h"

namespace usher::platform {
namespace {

using win32::Handle;

constexpr DWORD kBuffer = 64 * 1024;
// The limit of CreateProcessW, and of what a folder to start in may be called.
constexpr size_t kMaxCommandLine = 32767;
// How often a program is started that dies before its first instruction.
constexpr int kStarts = 5;
// What ended processes report; the caller is told by ProcessResult::end.
constexpr UINT kEndedByUs = 1;

// The names of environment variables are the same in every case of letters.
struct IgnoreCase {
  bool operator()(const std::wstring& a, const std::wstring& b) const {
    return CompareStringOrdinal(a.c_str(), static_cast<int>(a.size()),
                                b.c_str(), static_cast<int>(b.size()),
                                TRUE) == CSTR_LESS_THAN;
  }
};
using Environment = std::map<std::wstring, std::wstring, IgnoreCase>;

// What the machine defines for everybody: hardly a program works without
// SystemRoot and its like. Nothing of this process's own.
absl::StatusOr<Environment> MachineEnvironment() {
  void* block = nullptr;
  if (CreateEnvironmentBlock(&block, nullptr, FALSE) == 0) {
    return win32::LastError("read", "the machine's environment");
  }
  const auto destroy =
      absl::MakeCleanup([block] { DestroyEnvironmentBlock(block); });
  Environment variables;
  for (const wchar_t* text = static_cast<const wchar_t*>(block); *text != 0;) {
    const std::wstring_view line(text);
    text += line.size() + 1;
    // Names such as "=C:" begin with the sign.
    const size_t sign = line.find(L'=', 1);
    if (sign == std::wstring_view::npos) continue;
    variables[std::wstring(line.substr(0, sign))] = line.substr(sign + 1);
  }
  return variables;
}

// The environment as CreateProcessW takes it: sorted, each with a NUL behind,
// and one more at the end.
absl::StatusOr<std::wstring> EnvironmentBlock(const ProcessOptions& options) {
  USHER_ASSIGN_OR_RETURN(Environment variables, MachineEnvironment());
  const std::wstring system = win32::SystemFolder().native();
  const std::wstring windows = win32::SystemFolder().parent_path().native();
  variables[L"PATH"] = system + L";" + windows + L";" + system + L"\\Wbem";
  variables[L"SystemRoot"] = windows;
  for (const auto& [name, value] : options.environment) {
    if (name.empty() ||
        name.find_first_of(std::string("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos) {
      return Error(hr::kEInvalidarg, "an environment variable is not one",
                   name);
    }
    variables[win32::ToWide(name)] = win32::ToWide(value);
  }
  std::wstring block;
  for (const auto& [name, value] : variables) {
    block += name + L"=" + value + L'\0';
  }
  block += L'\0';
  return block;
}

// Keeps the end of a stream.
class Tail {
 public:
  explicit Tail(size_t limit) : limit_(limit) {}
  void Add(absl::string_view bytes) {
    text_.append(bytes.data(), bytes.size());
    if (text_.size() > 2 * limit_) text_.erase(0, text_.size() - limit_);
  }
  std::string Take() {
    if (text_.size() > limit_) text_.erase(0, text_.size() - limit_);
    return std::move(text_);
  }

 private:
  size_t limit_;
  std::string text_;
};

// Our end of a pipe from the program, read with overlapped I/O: anonymous
// pipes cannot be.
class OutputPipe {
 public:
  OutputPipe() = default;
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;
  ~OutputPipe() { Close(); }

  // Makes the pipe; `theirs` becomes the program's end, which can be
  // inherited.
  absl::Status Open(Handle& theirs) {
    // A name that cannot be guessed, though it can be listed: nobody else may
    // open the only instance.
    SECURITY_ATTRIBUTES closed = {
        sizeof closed, win32::NewFileSecurity(win32::Readers::kNobody), FALSE};
    const std::wstring name = win32::ToWide(
        absl::StrCat("\\\\.\\pipe\\usher-output-", RandomResourceId()));
    pipe_ = Handle(CreateNamedPipeW(name.c_str(),
                                    PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED |
                                        FILE_FLAG_FIRST_PIPE_INSTANCE,
                                    PIPE_TYPE_BYTE | PIPE_READMODE_BYTE |
                                        PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                                    1, kBuffer, kBuffer, 0, &closed));
    if (!pipe_.open()) return win32::LastError("make", "a pipe");
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, nullptr, TRUE};
    theirs = Handle(CreateFileW(name.c_str(), GENERIC_WRITE, 0, &inherit,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!theirs.open()) return win32::LastError("open", "a pipe");
    event_ = Handle(CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!event_.open()) return win32::LastError("make", "an event");
    overlapped_.hEvent = event_.get();
    return absl::OkStatus();
  }

  bool open() const { return pipe_.open(); }
  // Signalled when Take has something to do.
  HANDLE event() const { return event_.get(); }

  // Begins to read.
  void Start() {
    if (!open()) return;
    ResetEvent(event_.get());
    reading_ = true;
    if (ReadFile(pipe_.get(), buffer_.data(), kBuffer, nullptr, &overlapped_) ==
            0 &&
        GetLastError() != ERROR_IO_PENDING) {
      // Every writer has gone.
      reading_ = false;
      Close();
    }
  }

  // Hands what has come to `sink` and begins to read again. False when there
  // was nothing.
  template <typename Sink>
  bool Take(Sink sink) {
    if (!open()) return false;
    DWORD count = 0;
    if (GetOverlappedResult(pipe_.get(), &overlapped_, &count, FALSE) == 0) {
      if (GetLastError() == ERROR_IO_INCOMPLETE) return false;
      reading_ = false;
      Close();
      return false;
    }
    reading_ = false;
    sink(absl::string_view(buffer_.data(), count));
    Start();
    return true;
  }

 private:
  void Close() {
    if (reading_) {
      // The buffer must outlive the system's interest in it.
      DWORD count = 0;
      CancelIoEx(pipe_.get(), &overlapped_);
      GetOverlappedResult(pipe_.get(), &overlapped_, &count, TRUE);
      reading_ = false;
    }
    pipe_.Close();
  }

  Handle pipe_;
  Handle event_;
  OVERLAPPED overlapped_ = {};
  bool reading_ = false;
  std::vector<char> buffer_ = std::vector<char>(kBuffer);
};

// What a new process gets beside its command line; PROC_THREAD_ATTRIBUTE_LIST
// keeps pointers to its values, so they live here.
class StartAttributes {
 public:
  StartAttributes() = default;
  StartAttributes(const StartAttributes&) = delete;
  StartAttributes& operator=(const StartAttributes&) = delete;
  ~StartAttributes() {
    if (list() != nullptr) DeleteProcThreadAttributeList(list());
  }

  // The process inherits exactly `handles` and is born into `job`.
  absl::Status Set(std::vector<HANDLE> handles, HANDLE job) {
    handles_ = std::move(handles);
    job_ = job;
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 2, 0, &size);
    buffer_.resize(size);
    if (InitializeProcThreadAttributeList(list(), 2, 0, &size) == 0) {
      buffer_.clear();
      return win32::LastError("prepare", "a process");
    }
    if (UpdateProcThreadAttribute(
            list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(),
            handles_.size() * sizeof(HANDLE), nullptr, nullptr) == 0 ||
        UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_JOB_LIST,
                                  &job_, sizeof job_, nullptr, nullptr) == 0) {
      return win32::LastError("prepare", "a process");
    }
    return absl::OkStatus();
  }

  LPPROC_THREAD_ATTRIBUTE_LIST list() {
    return buffer_.empty()
               ? nullptr
               : reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(buffer_.data());
  }

 private:
  std::vector<HANDLE> handles_;
  HANDLE job_ = nullptr;
  std::vector<char> buffer_;
};

class Run {
 public:
  explicit Run(const ProcessOptions& options)
      : options_(options),
        output_(options.tail_bytes),
        error_output_(options.tail_bytes) {}

  absl::StatusOr<ProcessResult> ToEnd(const CancellationToken& cancel);

 private:
  absl::Status OpenLog();
  absl::Status MakeJob();
  absl::Status Launch();
  absl::Status WaitForEnd(HANDLE cancelled);
  bool IsJobEmpty() const;
  void AwaitEmptyJob() const;
  // After the program's own end: until everything that it started has ended.
  absl::Status WaitForJob(HANDLE cancelled);
  void DrainAll();
  void Log(absl::string_view bytes);

  const ProcessOptions& options_;
  Tail output_;
  Tail error_output_;
  Handle log_;
  int64_t logged_ = 0;
  OutputPipe output_pipe_;
  OutputPipe error_pipe_;
  // Closed last, should all else fail: that ends what is still in it.
  Handle job_;
  Handle process_;
  absl::Time deadline_ = absl::InfiniteFuture();
  ProcessResult::End end_ = ProcessResult::End::kExited;
};

absl::Status Run::OpenLog() {
  if (options_.log_file.empty()) return absl::OkStatus();
  const std::string name = PathToUtf8(options_.log_file);
  SECURITY_ATTRIBUTES security = {
      sizeof security, win32::NewFileSecurity(win32::Readers::kNobody), FALSE};
  log_ = Handle(CreateFileW(
      win32::ApiPath(options_.log_file).c_str(), FILE_APPEND_DATA,
      FILE_SHARE_READ | FILE_SHARE_DELETE, &security, OPEN_ALWAYS,
      FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  if (!log_.open()) return win32::LastError("open the log", name);
  FILE_ATTRIBUTE_TAG_INFO info;
  if (GetFileInformationByHandleEx(log_.get(), FileAttributeTagInfo, &info,
                                   sizeof info) != 0 &&
      (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat("the log ", name, " is a link"), name);
  }
  return absl::OkStatus();
}

void Run::Log(absl::string_view bytes) {
  if (!log_.open()) return;
  const int64_t room = std::max<int64_t>(0, options_.max_log_bytes - logged_);
  bytes = bytes.substr(0, static_cast<size_t>(room));
  logged_ += static_cast<int64_t>(bytes.size());
  DWORD written = 0;
  // A log that cannot be written must not stop an installation.
  if (!bytes.empty() &&
      WriteFile(log_.get(), bytes.data(), static_cast<DWORD>(bytes.size()),
                &written, nullptr) == 0) {
    log_.Close();
  }
}

absl::Status Run::MakeJob() {
  job_ = Handle(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {};
  // Also when this process dies: the system closes its handle then.
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  if (!job_.open() ||
      SetInformationJobObject(job_.get(), JobObjectExtendedLimitInformation,
                              &limits, sizeof limits) == 0) {
    return win32::LastError("make", "a job for a process");
  }
  return absl::OkStatus();
}

absl::Status Run::Launch() {
  USHER_ASSIGN_OR_RETURN(std::string text, CommandLine(options_.argv));
  std::wstring program = win32::ToWide(options_.argv[0]);
  // Only where there is no other way: some programs stumble over the prefix
  // when they ask for their own name.
  if (program.size() >= MAX_PATH) program = win32::ApiPath(program);
  if (IsBatchFile(options_.argv[0])) {
    // Not left to CreateProcessW, which would ask the environment for cmd.exe:
    // no AutoRun, no delayed expansion, outer quotes taken off.
    program = (win32::SystemFolder() / "cmd.exe").native();
    text = absl::StrCat("\"", win32::ToUtf8(program),
                        "\" /e:on /v:off /d /s /c \"", text, "\"");
  }
  const std::wstring command_line = win32::ToWide(text);
  if (command_line.size() >= kMaxCommandLine) {
    return Error(hr::kEInvalidarg, "the command line is too long",
                 options_.argv[0]);
  }
  USHER_ASSIGN_OR_RETURN(std::wstring environment, EnvironmentBlock(options_));
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, nullptr, TRUE};
  const Handle input(CreateFileW(L"NUL", GENERIC_READ,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                                 OPEN_EXISTING, 0, nullptr));
  if (!input.open()) return win32::LastError("open", "NUL");
  Handle output;
  Handle error_output;
  USHER_RETURN_IF_ERROR(output_pipe_.Open(output));
  USHER_RETURN_IF_ERROR(error_pipe_.Open(error_output));
  USHER_RETURN_IF_ERROR(MakeJob());
  StartAttributes attributes;
  USHER_RETURN_IF_ERROR(attributes.Set(
      {input.get(), output.get(), error_output.get()}, job_.get()));

  STARTUPINFOEXW startup = {};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = input.get();
  startup.StartupInfo.hStdOutput = output.get();
  startup.StartupInfo.hStdError = error_output.get();
  startup.lpAttributeList = attributes.list();
  PROCESS_INFORMATION process = {};
  // Wine loses one new process in tens of thousands between its fork and its
  // first instruction, and says so with this error: nothing has run yet.
  for (int starts = 1;; ++starts) {
    // May be changed by CreateProcessW.
    std::wstring arguments = command_line;
    // The folder not in the "\\?\" form, which installers stumble over when
    // they ask for their own name or folder.
    if (CreateProcessW(program.c_str(), arguments.data(), nullptr, nullptr,
                       TRUE,
                       EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW |
                           CREATE_UNICODE_ENVIRONMENT,
                       environment.data(), options_.working_directory.c_str(),
                       &startup.StartupInfo, &process) != 0) {
      break;
    }
    if (GetLastError() != ERROR_INTERNAL_ERROR || starts == kStarts) {
      return win32::LastError("start", options_.argv[0]);
    }
  }
  CloseHandle(process.hThread);
  process_ = Handle(process.hProcess);
  output_pipe_.Start();
  error_pipe_.Start();
  return absl::OkStatus();
}

void Run::DrainAll() {
  // Bounded, so that a program that writes without end cannot keep the
  // deadline from being looked at.
  for (int round = 0; round < 64; ++round) {
    const bool out = output_pipe_.Take([this](absl::string_view bytes) {
      output_.Add(bytes);
      Log(bytes);
    });
    const bool error = error_pipe_.Take([this](absl::string_view bytes) {
      error_output_.Add(bytes);
      Log(bytes);
    });
    if (!out && !error) return;
  }
}

absl::Status Run::WaitForEnd(HANDLE cancelled) {
  while (true) {
    std::array<HANDLE, 4> watched = {process_.get()};
    DWORD count = 1;
    if (end_ == ProcessResult::End::kExited) watched[count++] = cancelled;
    if (output_pipe_.open()) watched[count++] = output_pipe_.event();
    if (error_pipe_.open()) watched[count++] = error_pipe_.event();
    const absl::Duration left = deadline_ - absl::Now();
    if (left <= absl::ZeroDuration()) {
      end_ = ProcessResult::End::kTimedOut;
      deadline_ = absl::InfiniteFuture();
      TerminateJobObject(job_.get(), kEndedByUs);
      continue;
    }
    // An hour at most, so that the milliseconds fit.
    const DWORD milliseconds =
        left == absl::InfiniteDuration()
            ? INFINITE
            : static_cast<DWORD>(absl::ToInt64Milliseconds(
                  std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
    const DWORD result =
        WaitForMultipleObjects(count, watched.data(), FALSE, milliseconds);
    if (result == WAIT_FAILED) {
      return win32::LastError("wait for", options_.argv[0]);
    }
    DrainAll();
    if (result == WAIT_OBJECT_0) {
      if (end_ == ProcessResult::End::kExited && options_.wait_for_all) {
        return WaitForJob(cancelled);
      }
      return absl::OkStatus();
    }
    if (end_ == ProcessResult::End::kExited &&
        WaitForSingleObject(cancelled, 0) == WAIT_OBJECT_0) {
      end_ = ProcessResult::End::kCancelled;
      deadline_ = absl::InfiniteFuture();
      TerminateJobObject(job_.get(), kEndedByUs);
    }
  }
}

bool Run::IsJobEmpty() const {
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting = {};
  return QueryInformationJobObject(
             job_.get(), JobObjectBasicAccountingInformation, &accounting,
             sizeof accounting, nullptr) == 0 ||
         accounting.ActiveProcesses == 0;
}

// Ending a job only begins the end of its processes, which hold their files
// open until it is done. The system does it soon, or never (a driver that
// hangs).
void Run::AwaitEmptyJob() const {
  constexpr absl::Duration kLongest = absl::Seconds(5);
  constexpr DWORD kLookMilliseconds = 5;
  const absl::Time latest = absl::Now() + kLongest;
  while (!IsJobEmpty() && absl::Now() < latest) Sleep(kLookMilliseconds);
}

absl::Status Run::WaitForJob(HANDLE cancelled) {
  // A job object is not signalled when it becomes empty, and the message that
  // a completion port gets of it may be lost, says its documentation.
  constexpr DWORD kLookMilliseconds = 100;
  while (!IsJobEmpty()) {
    if (absl::Now() >= deadline_) {
      end_ = ProcessResult::End::kTimedOut;
      break;
    }
    if (WaitForSingleObject(cancelled, kLookMilliseconds) == WAIT_OBJECT_0) {
      end_ = ProcessResult::End::kCancelled;
      break;
    }
    DrainAll();
  }
  return absl::OkStatus();
}

absl::StatusOr<ProcessResult> Run::ToEnd(const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(OpenLog());
  // The callback may still run after Forget(), so it shares the event.
  const auto wake =
      std::make_shared<Handle>(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!wake->open()) return win32::LastError("make", "an event");
  USHER_RETURN_IF_ERROR(Launch());
  deadline_ = absl::Now() + options_.timeout;
  const uint64_t registration =
      cancel.OnCancel([wake] { SetEvent(wake->get()); });
  const absl::Status waited = WaitForEnd(wake->get());
  cancel.Forget(registration);
  // What the program left running ends here.
  TerminateJobObject(job_.get(), kEndedByUs);
  AwaitEmptyJob();
  USHER_RETURN_IF_ERROR(waited);
  DrainAll();
  DWORD code = 0;
  if (GetExitCodeProcess(process_.get(), &code) == 0) {
    return win32::LastError("ask for the exit code of", options_.argv[0]);
  }
  ProcessResult result;
  result.end = end_;
  result.exit_code =
      end_ == ProcessResult::End::kExited ? static_cast<int>(code) : -1;
  result.output = output_.Take();
  result.error_output = error_output_.Take();
  return result;
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const ProcessOptions& options,
                                         const CancellationToken& cancel) {
  if (options.argv.empty() || !PathFromUtf8(options.argv[0]).is_absolute()) {
    return Error(hr::kEInvalidarg, "a program is named by its absolute path",
                 options.argv.empty() ? "argv" : options.argv[0]);
  }
  if (options.on_status_line) {
    return Error(hr::kENotimpl, "Windows has no status pipe", options.argv[0]);
  }
  return Run(options).ToEnd(cancel);
}

}  // namespace usher::platform
