#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "common/win32.h"
#include "service/platform/process.h"

namespace usher::platform {
namespace {

using End = ProcessResult::End;
using ::testing::EndsWith;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest()
      : dir_(fs::temp_directory_path() /
             PathFromUtf8("usher prözess " + RandomResourceId())) {
    fs::create_directory(dir_);
  }
  ~ProcessTest() override {
    std::error_code error;
    fs::remove_all(dir_, error);
  }

  // The program beside this one.
  static std::string Child() {
    std::wstring self(MAX_PATH, L'\0');
    self.resize(GetModuleFileNameW(nullptr, self.data(), MAX_PATH));
    return PathToUtf8(fs::path(self).replace_filename("usher_test_child.exe"));
  }
  ProcessOptions Options(std::vector<std::string> arguments) {
    ProcessOptions options;
    options.argv = {Child()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.working_directory = dir_;
    return options;
  }
  static ProcessResult Run(
      const ProcessOptions& options,
      const CancellationToken& cancel = CancellationToken()) {
    const auto result = RunProcess(options, cancel);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(ProcessResult());
  }

  const fs::path dir_;
};

TEST_F(ProcessTest, KeepsStreamsAndExitCode) {
  const ProcessResult result = Run(Options({"exit", "7"}));
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\r\n");
  EXPECT_EQ(Run(Options({"exit", "4294967295"})).exit_code, -1);
}

TEST_F(ProcessTest, PassesArgumentsAsTheyAre) {
  EXPECT_EQ(Run(Options({"arguments", "a b", "%PATH%", "", "\"q\" \\\" \\",
                         "c:\\dir\\", "P=a b", "größe 漢字"}))
                .output,
            "[a b][%PATH%][][\"q\" \\\" \\][c:\\dir\\][P=a b][größe 漢字]");
}

TEST_F(ProcessTest, GivesACleanEnvironmentAndFolder) {
  ASSERT_NE(SetEnvironmentVariableW(L"USHER_LEAK", L"secret"), 0);
  EXPECT_EQ(Run(Options({"variable", "USHER_LEAK"})).output, "(none)");
  ProcessOptions options = Options({"variable", "COLOUR"});
  options.environment = {{"COLOUR", "blue = grün"}};
  EXPECT_EQ(Run(options).output, "blue = grün");
  const std::string system = PathToUtf8(win32::SystemFolder());
  EXPECT_THAT(Run(Options({"variable", "PATH"})).output,
              testing::StartsWith(system + ";"));
  EXPECT_EQ(Run(Options({"variable", "SystemRoot"})).output,
            PathToUtf8(win32::SystemFolder().parent_path()));
  EXPECT_THAT(Run(Options({"folder"})).output,
              EndsWith(PathToUtf8(dir_.filename())));
  EXPECT_EQ(Run(Options({"input"})).exit_code, 0);
}

TEST_F(ProcessTest, InheritsNoHandle) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, nullptr, TRUE};
  const win32::Handle event(CreateEventW(&inherit, TRUE, FALSE, nullptr));
  Run(Options({"signal-event",
               absl::StrCat(reinterpret_cast<uintptr_t>(event.get()))}));
  EXPECT_EQ(WaitForSingleObject(event.get(), 0), DWORD{WAIT_TIMEOUT});
}

TEST_F(ProcessTest, KeepsOnlyTheTailAndABoundedLog) {
  ProcessOptions options = Options({"lines", "100000"});
  options.tail_bytes = 100;
  options.log_file = dir_ / "log";
  options.max_log_bytes = 1000;
  const ProcessResult result = Run(options);
  EXPECT_EQ(result.output.size(), 100u);
  EXPECT_THAT(result.output, HasSubstr("99999\n100000\n"));
  std::error_code error;
  EXPECT_EQ(fs::file_size(options.log_file, error), 1000u);
}

TEST_F(ProcessTest, EndsWhatTakesTooLong) {
  ProcessOptions options = Options({"hang"});
  options.timeout = absl::Milliseconds(300);
  const ProcessResult result = Run(options);
  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_EQ(result.exit_code, -1);
}

TEST_F(ProcessTest, CancelEndsIt) {
  CancellationToken cancel;
  absl::Notification done;
  std::thread canceller([&] {
    done.WaitForNotificationWithTimeout(absl::Milliseconds(200));
    cancel.Cancel();
  });
  EXPECT_EQ(Run(Options({"hang"}), cancel).end, End::kCancelled);
  done.Notify();
  canceller.join();
}

// What the program left behind goes with it, before the call returns: whoever
// called removes its files next. A pipe that it holds open does not make the
// call wait.
TEST_F(ProcessTest, LeavesNoGrandchild) {
  const ProcessResult result = Run(Options({"leave"}));
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 0);
  int pid = 0;
  ASSERT_TRUE(
      absl::SimpleAtoi(result.output.substr(0, result.output.find('\n')), &pid))
      << result.output;
  const win32::Handle process(
      OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid)));
  if (!process.open()) return;  // gone
  EXPECT_EQ(WaitForSingleObject(process.get(), 0), DWORD{WAIT_OBJECT_0});
}

TEST_F(ProcessTest, RunsBatchFiles) {
  const fs::path batch = dir_ / "set up.cmd";
  win32::Handle file(CreateFileW(batch.c_str(), GENERIC_WRITE, 0, nullptr,
                                 CREATE_NEW, 0, nullptr));
  const std::string text = "@echo [%~1] [%~2]\r\n@exit 5\r\n";
  DWORD written = 0;
  ASSERT_NE(WriteFile(file.get(), text.data(), static_cast<DWORD>(text.size()),
                      &written, nullptr),
            0);
  file.Close();
  ProcessOptions options = Options({});
  options.argv = {PathToUtf8(batch), "one two", "/three"};
  const ProcessResult result = Run(options);
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.output, HasSubstr("[one two] [/three]"));
  options.argv = {PathToUtf8(batch), "&calc"};
  EXPECT_EQ(HResultOf(RunProcess(options, CancellationToken()).status()),
            hr::kEInvalidarg);
}

// The system ends them: nobody of ours is left to do it.
TEST_F(ProcessTest, NothingOutlivesAServiceThatWasKilled) {
  const std::wstring name = win32::ToWide(
      absl::StrCat(R"(\\.\pipe\usher-test-)", RandomResourceId()));
  const win32::Handle pipe(CreateNamedPipeW(name.c_str(), PIPE_ACCESS_DUPLEX,
                                            PIPE_TYPE_BYTE | PIPE_WAIT, 1, 0, 0,
                                            0, nullptr));
  ASSERT_TRUE(pipe.open());
  std::wstring line = win32::ToWide(Child());
  line = L"\"" + line + L"\" run \"" + line + L"\" hold " + name;
  STARTUPINFOW startup = {};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION started = {};
  ASSERT_NE(
      CreateProcessW(win32::ToWide(Child()).c_str(), line.data(), nullptr,
                     nullptr, FALSE, 0, nullptr, nullptr, &startup, &started),
      0)
      << GetLastError();
  const win32::Handle service(started.hProcess);
  CloseHandle(started.hThread);
  EXPECT_TRUE(ConnectNamedPipe(pipe.get(), nullptr) != 0 ||
              GetLastError() == ERROR_PIPE_CONNECTED);
  char byte = 0;
  DWORD count = 0;
  ASSERT_NE(::ReadFile(pipe.get(), &byte, 1, &count, nullptr), 0);
  ULONG program = 0;
  ASSERT_NE(GetNamedPipeClientProcessId(pipe.get(), &program), 0);
  EXPECT_NE(program, started.dwProcessId);

  ASSERT_NE(TerminateProcess(service.get(), 1), 0);
  // Waits until the program has let go of its end.
  EXPECT_EQ(::ReadFile(pipe.get(), &byte, 1, &count, nullptr), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_BROKEN_PIPE});
}

TEST_F(ProcessTest, SaysWhyItCannotStart) {
  ProcessOptions options = Options({});
  options.argv = {"C:\\nonexistent\\program.exe"};
  const auto missing = RunProcess(options, CancellationToken());
  EXPECT_EQ(HResultOf(missing.status()), hr::kErrorFileNotFound);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("nonexistent"));
  options.argv = {"cmd.exe"};
  EXPECT_EQ(HResultOf(RunProcess(options, CancellationToken()).status()),
            hr::kEInvalidarg);
  options = Options({"exit", "0"});
  options.on_status_line = [](absl::string_view) {};
  EXPECT_EQ(HResultOf(RunProcess(options, CancellationToken()).status()),
            hr::kENotimpl);
}

TEST_F(ProcessTest, ManyAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      EXPECT_EQ(Run(Options({"exit", absl::StrCat(i)})).exit_code, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace usher::platform
