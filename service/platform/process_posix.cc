#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX functions
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/platform/process.h"

namespace usher::platform {
namespace {

constexpr absl::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kMaxStatusLine = 4096;

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return SystemError(errno, "make", "a pipe");
  }
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

absl::Status MakeNonBlocking(const Descriptor& fd) {
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return SystemError(errno, "set up", "a pipe");
  }
  return absl::OkStatus();
}

// Everything that the child needs, made before fork(): after it, only
// async-signal-safe calls are allowed.
struct ChildPlan {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory = nullptr;
  int input = -1;
  int output = -1;
  int error_output = -1;
  int status = -1;  // or -1
  int report = -1;  // takes errno when exec fails
  pid_t parent = 0;
};

[[noreturn]] void FailChild(const ChildPlan& plan) {
  const int error = errno;
  // There is nobody to tell if this fails.
  [[maybe_unused]] const ssize_t written =
      write(plan.report, &error, sizeof error);
  _exit(127);
}

// Runs in the child between fork() and exec().
[[noreturn]] void BecomeProgram(ChildPlan& plan) {
  setpgid(0, 0);
  // The program dies with the thread that waits for it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);
  // Lift the descriptors out of the range that dup2 is about to fill.
  constexpr int kFree = 10;
  const int input = fcntl(plan.input, F_DUPFD, kFree);
  const int output = fcntl(plan.output, F_DUPFD, kFree);
  const int error_output = fcntl(plan.error_output, F_DUPFD, kFree);
  const int status = plan.status < 0 ? input : fcntl(plan.status, F_DUPFD, 10);
  const int report = fcntl(plan.report, F_DUPFD, kFree);
  if (input < 0 || output < 0 || error_output < 0 || status < 0 || report < 0) {
    FailChild(plan);
  }
  plan.report = 4;
  if (dup2(report, plan.report) < 0 ||
      fcntl(plan.report, F_SETFD, FD_CLOEXEC) != 0 || dup2(input, 0) < 0 ||
      dup2(output, 1) < 0 || dup2(error_output, 2) < 0) {
    FailChild(plan);
  }
  if (plan.status < 0) {
    close(kStatusDescriptor);
  } else if (dup2(status, kStatusDescriptor) < 0) {
    FailChild(plan);
  }
  if (close_range(5, ~0U, 0) != 0) FailChild(plan);
  if (chdir(plan.directory) != 0) FailChild(plan);
  umask(022);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  FailChild(plan);
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

// Cuts the status stream into lines.
class LineCutter {
 public:
  explicit LineCutter(const std::function<void(absl::string_view)>& sink)
      : sink_(sink) {}
  void Add(absl::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        sink_(line_);
        line_.clear();
      } else if (line_.size() < kMaxStatusLine) {
        line_.push_back(c);
      }
    }
  }

 private:
  const std::function<void(absl::string_view)>& sink_;
  std::string line_;
};

class Run {
 public:
  explicit Run(const ProcessOptions& options)
      : options_(options),
        output_(options.tail_bytes),
        error_output_(options.tail_bytes),
        status_lines_(options.on_status_line) {}

  absl::StatusOr<ProcessResult> ToEnd(const CancellationToken& cancel);

 private:
  absl::Status OpenLog();
  absl::Status Launch();
  absl::Status CheckStarted(const Descriptor& report);
  absl::Status WaitForEnd(const Descriptor& wake);
  void EndGroup(ProcessResult::End why);
  absl::Duration UntilNextDeadline() const;
  // Reads what is there; closes `fd` at its end.
  template <typename Sink>
  void Drain(Descriptor& fd, Sink sink);
  void DrainAll();
  void Log(absl::string_view bytes);

  const ProcessOptions& options_;
  Tail output_;
  Tail error_output_;
  LineCutter status_lines_;
  Descriptor log_;
  int64_t logged_ = 0;
  Descriptor output_pipe_;
  Descriptor error_pipe_;
  Descriptor status_pipe_;
  Descriptor process_;
  pid_t pid_ = -1;
  absl::Time deadline_ = absl::InfiniteFuture();
  ProcessResult::End end_ = ProcessResult::End::kExited;
  bool asked_ = false;   // SIGTERM sent
  bool killed_ = false;  // SIGKILL sent
};

absl::Status Run::OpenLog() {
  if (options_.log_file.empty()) return absl::OkStatus();
  log_ = Descriptor(open(options_.log_file.c_str(),
                         O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                         0600));
  if (log_.open()) return absl::OkStatus();
  return SystemError(errno, "open the log", PathToUtf8(options_.log_file));
}

void Run::Log(absl::string_view bytes) {
  if (!log_.open()) return;
  const int64_t room = std::max<int64_t>(0, options_.max_log_bytes - logged_);
  bytes = bytes.substr(0, static_cast<size_t>(room));
  logged_ += static_cast<int64_t>(bytes.size());
  // A log that cannot be written must not stop an installation.
  if (!bytes.empty() && write(log_.get(), bytes.data(), bytes.size()) < 0) {
    log_.Close();
  }
}

absl::Status Run::Launch() {
  std::vector<std::string> variables = {std::string(kPath)};
  for (const auto& [name, value] : options_.environment) {
    variables.push_back(absl::StrCat(name, "=", value));
  }
  ChildPlan plan;
  for (const std::string& argument : options_.argv) {
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  plan.argv.push_back(nullptr);
  for (std::string& variable : variables) {
    plan.environment.push_back(variable.data());
  }
  plan.environment.push_back(nullptr);
  plan.directory = options_.working_directory.c_str();
  plan.parent = getpid();

  const Descriptor input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input.open()) return SystemError(errno, "open", "/dev/null");
  USHER_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  USHER_ASSIGN_OR_RETURN(Pipe error_output, MakePipe());
  USHER_ASSIGN_OR_RETURN(Pipe report, MakePipe());
  Pipe status;
  if (options_.on_status_line) {
    USHER_ASSIGN_OR_RETURN(status, MakePipe());
    USHER_RETURN_IF_ERROR(MakeNonBlocking(status.read));
  }
  USHER_RETURN_IF_ERROR(MakeNonBlocking(output.read));
  USHER_RETURN_IF_ERROR(MakeNonBlocking(error_output.read));
  plan.input = input.get();
  plan.output = output.write.get();
  plan.error_output = error_output.write.get();
  plan.status = status.write.get();
  plan.report = report.write.get();

  pid_ = fork();
  if (pid_ < 0) return SystemError(errno, "start", options_.argv[0]);
  if (pid_ == 0) BecomeProgram(plan);
  // Also done by the child; whoever is first.
  setpgid(pid_, pid_);
  report.write.Close();
  output_pipe_ = std::move(output.read);
  error_pipe_ = std::move(error_output.read);
  status_pipe_ = std::move(status.read);
  USHER_RETURN_IF_ERROR(CheckStarted(report.read));
  // Not through <sys/pidfd.h>, whose declarations in glibc 2.36 are not C++'s.
  process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (process_.open()) return absl::OkStatus();
  const int error = errno;
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  return SystemError(error, "watch", options_.argv[0]);
}

// The report pipe closes at exec; before that it brings the reason why not.
absl::Status Run::CheckStarted(const Descriptor& report) {
  int error = 0;
  ssize_t count = 0;
  do {
    count = read(report.get(), &error, sizeof error);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return absl::OkStatus();
  waitpid(pid_, nullptr, 0);
  return SystemError(error, "run", options_.argv[0]);
}

template <typename Sink>
void Run::Drain(Descriptor& fd, Sink sink) {
  std::array<char, size_t{16} * 1024> buffer;
  // Bounded, so that a program that never stops writing cannot keep the
  // deadlines from being looked at.
  for (int round = 0; fd.open() && round < 64; ++round) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count > 0) {
      sink(absl::string_view(buffer.data(), static_cast<size_t>(count)));
    } else if (count == 0) {
      fd.Close();
    } else if (errno != EINTR) {
      if (errno != EAGAIN) fd.Close();
      return;
    }
  }
}

void Run::DrainAll() {
  Drain(output_pipe_, [this](absl::string_view bytes) {
    output_.Add(bytes);
    Log(bytes);
  });
  Drain(error_pipe_, [this](absl::string_view bytes) {
    error_output_.Add(bytes);
    Log(bytes);
  });
  Drain(status_pipe_,
        [this](absl::string_view bytes) { status_lines_.Add(bytes); });
}

void Run::EndGroup(ProcessResult::End why) {
  if (asked_) return;
  asked_ = true;
  end_ = why;
  kill(-pid_, SIGTERM);
  // A stopped group cannot react to SIGTERM.
  kill(-pid_, SIGCONT);
  deadline_ = absl::Now() + options_.kill_delay;
}

absl::Duration Run::UntilNextDeadline() const {
  return killed_ ? absl::InfiniteDuration() : deadline_ - absl::Now();
}

absl::Status Run::WaitForEnd(const Descriptor& wake) {
  while (true) {
    std::array<pollfd, 5> watched = {{
        {process_.get(), POLLIN, 0},
        {output_pipe_.get(), POLLIN, 0},
        {error_pipe_.get(), POLLIN, 0},
        {status_pipe_.get(), POLLIN, 0},
        {asked_ ? -1 : wake.get(), POLLIN, 0},
    }};
    const absl::Duration left = UntilNextDeadline();
    if (left <= absl::ZeroDuration()) {
      if (!asked_) {
        EndGroup(ProcessResult::End::kTimedOut);
      } else {
        kill(-pid_, SIGKILL);
        killed_ = true;
      }
      continue;
    }
    // An hour at most, so that the milliseconds fit an int.
    const int milliseconds =
        left == absl::InfiniteDuration()
            ? -1
            : static_cast<int>(absl::ToInt64Milliseconds(
                  std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
    if (poll(watched.data(), watched.size(), milliseconds) < 0 &&
        errno != EINTR) {
      return SystemError(errno, "wait for", options_.argv[0]);
    }
    DrainAll();
    if (watched[0].revents != 0) return absl::OkStatus();
    if (watched[4].revents != 0) EndGroup(ProcessResult::End::kCancelled);
  }
}

absl::StatusOr<ProcessResult> Run::ToEnd(const CancellationToken& cancel) {
  if (options_.argv.empty() || options_.argv[0].empty() ||
      options_.argv[0][0] != '/') {
    return Error(hr::kEInvalidarg, "a program is named by its absolute path",
                 options_.argv.empty() ? "argv" : options_.argv[0]);
  }
  for (const std::string& argument : options_.argv) {
    if (argument.find('\0') != std::string::npos) {
      return Error(hr::kEInvalidarg, "an argument contains a NUL", "argv");
    }
  }
  USHER_RETURN_IF_ERROR(OpenLog());
  // The callback may still run after Forget(), so it shares the descriptor.
  const auto wake =
      std::make_shared<Descriptor>(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake->open()) return SystemError(errno, "make", "an event");
  USHER_RETURN_IF_ERROR(Launch());
  deadline_ = absl::Now() + options_.timeout;
  const uint64_t registration = cancel.OnCancel([wake] {
    const uint64_t one = 1;
    // Fails only when the event is set already.
    [[maybe_unused]] const ssize_t written =
        write(wake->get(), &one, sizeof one);
  });
  const absl::Status waited = WaitForEnd(*wake);
  cancel.Forget(registration);
  // The leader is not reaped yet, so its group number cannot be anybody
  // else's. What it left running in the group ends here.
  kill(-pid_, SIGKILL);
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) {
    if (errno != EINTR) return SystemError(errno, "wait for", options_.argv[0]);
  }
  USHER_RETURN_IF_ERROR(waited);
  DrainAll();
  ProcessResult result;
  result.end = end_;
  const bool exited = info.si_code == CLD_EXITED;
  result.exit_code = exited ? info.si_status : -1;
  result.signal = exited ? 0 : info.si_status;
  result.output = output_.Take();
  result.error_output = error_output_.Take();
  return result;
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const ProcessOptions& options,
                                         const CancellationToken& cancel) {
  return Run(options).ToEnd(cancel);
}

}  // namespace usher::platform
