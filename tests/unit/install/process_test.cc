#include "service/platform/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file_io.h"
#include "tests/unit/install/temp_dir.h"

namespace usher::platform {
namespace {

using End = ProcessResult::End;
using ::testing::HasSubstr;
using ::testing::Not;

class ProcessTest : public ::testing::Test {
 protected:
  ProcessOptions Shell(const std::string& script) {
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c", script};
    options.working_directory = dir_.path();
    return options;
  }
  ProcessResult Run(const ProcessOptions& options,
                    const CancellationToken& cancel = CancellationToken()) {
    const auto result = RunProcess(options, cancel);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(ProcessResult());
  }

  install::test::TempDir dir_;
};

TEST_F(ProcessTest, KeepsStreamsAndExitCode) {
  const ProcessResult result = Run(Shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\n");
}

TEST_F(ProcessTest, NamesTheSignal) {
  const ProcessResult result = Run(Shell("kill -USR1 $$"));
  EXPECT_EQ(result.exit_code, -1);
  EXPECT_EQ(result.signal, 10);
}

TEST_F(ProcessTest, GivesACleanEnvironmentAndFolder) {
  ASSERT_EQ(setenv("USHER_LEAK", "secret", 1), 0);
  ProcessOptions options = Shell("/usr/bin/env; pwd; cat; umask");
  options.environment = {{"COLOUR", "blue = green"}};
  const ProcessResult result = Run(options);
  EXPECT_THAT(result.output, HasSubstr("COLOUR=blue = green\n"));
  EXPECT_THAT(result.output, HasSubstr("PATH=/usr/local/sbin"));
  EXPECT_THAT(result.output, Not(HasSubstr("USHER_LEAK")));
  EXPECT_THAT(result.output, HasSubstr(dir_.path().string()));
  EXPECT_THAT(result.output, HasSubstr("0022"));
}

TEST_F(ProcessTest, PassesArgumentsAsTheyAre) {
  ProcessOptions options;
  options.argv = {"/usr/bin/printf", "%s|", "a b", "$HOME", "'\"*", "ü"};
  options.working_directory = "/";
  EXPECT_EQ(Run(options).output, "a b|$HOME|'\"*|ü|");
}

TEST_F(ProcessTest, InheritsNoDescriptor) {
  const int fd = open("/etc/passwd", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(fd, 0);
  const ProcessResult result = Run(Shell("exec ls -l /proc/self/fd"));
  close(fd);
  EXPECT_THAT(result.output, Not(HasSubstr("passwd")));
  EXPECT_THAT(result.output, HasSubstr("0 -> /dev/null"));
}

TEST_F(ProcessTest, KeepsOnlyTheTailAndABoundedLog) {
  ProcessOptions options = Shell("seq 1 100000");
  options.tail_bytes = 100;
  options.log_file = dir_.path() / "log";
  options.max_log_bytes = 1000;
  const ProcessResult result = Run(options);
  EXPECT_EQ(result.output.size(), 100u);
  EXPECT_THAT(result.output, HasSubstr("99999\n100000\n"));
  const auto log = ReadFile(options.log_file, 1 << 20);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->size(), 1000u);
  EXPECT_EQ(log->substr(0, 4), "1\n2\n");
}

TEST_F(ProcessTest, LogDoesNotFollowALink) {
  std::filesystem::create_symlink(dir_.path() / "victim", dir_.path() / "log");
  ProcessOptions options = Shell("echo hello");
  options.log_file = dir_.path() / "log";
  EXPECT_FALSE(RunProcess(options, CancellationToken()).ok());
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "victim"));
}

TEST_F(ProcessTest, StatusLines) {
  ProcessOptions options =
      Shell("echo one >&3; echo two >&3; printf unfinished >&3");
  std::vector<std::string> lines;
  options.on_status_line = [&lines](absl::string_view line) {
    lines.emplace_back(line);
  };
  Run(options);
  EXPECT_THAT(lines, ::testing::ElementsAre("one", "two"));
}

TEST_F(ProcessTest, EndsWhatTakesTooLong) {
  ProcessOptions options = Shell("sleep 60");
  options.timeout = absl::Milliseconds(100);
  const absl::Time start = absl::Now();
  EXPECT_EQ(Run(options).end, End::kTimedOut);
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(ProcessTest, KillsWhatIgnoresSigterm) {
  ProcessOptions options = Shell("trap '' TERM; while :; do sleep 60; done");
  options.timeout = absl::Milliseconds(100);
  options.kill_delay = absl::Milliseconds(100);
  const ProcessResult result = Run(options);
  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_EQ(result.signal, 9);
}

TEST_F(ProcessTest, CancelEndsIt) {
  CancellationToken cancel;
  ProcessOptions options = Shell("echo >&3; exec sleep 60");
  options.on_status_line = [&cancel](absl::string_view) { cancel.Cancel(); };
  const ProcessResult result = Run(options, cancel);
  EXPECT_EQ(result.end, End::kCancelled);
  EXPECT_EQ(result.signal, 15);
}

// What the program left behind goes with it, and a pipe that it holds open
// does not make the call wait.
TEST_F(ProcessTest, LeavesNoGrandchild) {
  const ProcessResult result = Run(Shell("sleep 60 & echo $!"));
  EXPECT_EQ(result.end, End::kExited);
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(result.output, &pid));
  // It was killed; wait for the kernel to carry that out.
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return;  // gone, and collected by init
  pollfd dead = {process, POLLIN, 0};
  EXPECT_EQ(poll(&dead, 1, 30'000), 1);
  close(process);
}

TEST_F(ProcessTest, SaysWhyItCannotStart) {
  ProcessOptions options;
  options.argv = {"/nonexistent/program"};
  options.working_directory = "/";
  const auto missing = RunProcess(options, CancellationToken());
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("/nonexistent/program"));
  options.argv = {"sh"};
  EXPECT_FALSE(RunProcess(options, CancellationToken()).ok());
  options.argv = {"/bin/true"};
  options.working_directory = dir_.path() / "missing";
  EXPECT_FALSE(RunProcess(options, CancellationToken()).ok());
}

TEST_F(ProcessTest, ManyAtOnce) {
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      EXPECT_EQ(Run(Shell(absl::StrCat("exit ", i))).exit_code, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace usher::platform
