#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "service/platform/host.h"

namespace usher::platform {
namespace {

// What an installation left that a crash cut short is put right before the
// service is ready; dpkg may need longer for it than the unit's
// TimeoutStartSec. So often the manager is told that the start goes on, for so
// long each time, and for so long at most.
constexpr int kStartLookMilliseconds = 10'000;
constexpr absl::Duration kStartStep = absl::Minutes(1);
constexpr absl::Duration kLongestStart = absl::Hours(1);

// systemd's notification protocol (sd_notify(3)): datagrams of lines to the
// socket named by NOTIFY_SOCKET. Writing them takes fewer lines than linking
// libsystemd, and works on machines without it.
class Notifier {
 public:
  Notifier() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
    const size_t length = std::strlen(path);
    if (length < 2 || length >= sizeof(address_.sun_path)) return;
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path, length);
    if (path[0] == '@') address_.sun_path[0] = '\0';  // abstract name
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  ~Notifier() {
    if (fd_ >= 0) close(fd_);
  }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  bool active() const { return fd_ >= 0; }

  void Send(const std::string& text) const {
    if (fd_ < 0) return;
    // A manager that does not listen is not the service's problem.
    static_cast<void>(sendto(fd_, text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address_),
                             size_));
  }

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
  int fd_ = -1;
};

class PosixHost : public Host {
 public:
  PosixHost(Options options, int signals, int end)
      : options_(std::move(options)),
        signals_(signals),
        end_(end),
        thread_([this] { Loop(); }) {}

  ~PosixHost() override {
    const uint64_t one = 1;
    // An eventfd write of 1 fails only when the counter is full.
    static_cast<void>(!write(end_, &one, sizeof(one)));
    thread_.join();
    close(signals_);
    close(end_);
  }

  bool IsManaged() const override { return notifier_.active(); }
  void NotifyReady() override {
    starting_ = false;
    notifier_.Send("READY=1");
  }
  // Beyond the unit's TimeoutStopSec, if need be: it cannot know our
  // configuration.
  void NotifyStopping(absl::Duration longest) override {
    starting_ = false;
    notifier_.Send(absl::StrCat("STOPPING=1\nEXTEND_TIMEOUT_USEC=",
                                absl::ToInt64Microseconds(longest)));
  }
  void NotifyStatus(absl::string_view text) override {
    // A further line would be a message of its own.
    notifier_.Send(
        absl::StrCat("STATUS=", absl::StrReplaceAll(text, {{"\n", " "}})));
  }
  void NotifyAlive() override { notifier_.Send("WATCHDOG=1"); }

  absl::Duration WatchdogTimeout() const override {
    const char* text = std::getenv("WATCHDOG_USEC");
    int64_t microseconds = 0;
    if (!notifier_.active() || text == nullptr ||
        !absl::SimpleAtoi(text, &microseconds) || microseconds <= 0) {
      return absl::InfiniteDuration();
    }
    // Set for another process, if WATCHDOG_PID says so.
    const char* pid_text = std::getenv("WATCHDOG_PID");
    int64_t pid = 0;
    if (pid_text != nullptr && absl::SimpleAtoi(pid_text, &pid) &&
        pid != getpid()) {
      return absl::InfiniteDuration();
    }
    return absl::Microseconds(microseconds);
  }

 private:
  void Loop() {
    bool asked = false;
    const absl::Time longest_start = absl::Now() + kLongestStart;
    while (true) {
      std::array<pollfd, 2> fds{{{signals_, POLLIN, 0}, {end_, POLLIN, 0}}};
      const bool extends = starting_ && notifier_.active();
      const int count =
          poll(fds.data(), fds.size(), extends ? kStartLookMilliseconds : -1);
      if (count < 0 && errno != EINTR) return;
      if (count == 0 && starting_ && absl::Now() < longest_start) {
        notifier_.Send(absl::StrCat("EXTEND_TIMEOUT_USEC=",
                                    absl::ToInt64Microseconds(kStartStep)));
      }
      if (fds[1].revents != 0) return;
      if (fds[0].revents == 0) continue;
      signalfd_siginfo info{};
      if (read(signals_, &info, sizeof(info)) != sizeof(info)) continue;
      if (asked) ExitNow(options_.second_stop_exit_code);
      asked = true;
      options_.on_stop();
    }
  }

  const Options options_;
  const Notifier notifier_;
  const int signals_;
  const int end_;
  // Until the manager was told that it is ready, or stopping.
  std::atomic<bool> starting_ = true;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Create(Options options) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return SystemError(error, "block", "signals");
  }
  // Writing to a connection that has gone is an error, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);
  if (signals < 0) return SystemError(errno, "wait for", "signals");
  const int end = eventfd(0, EFD_CLOEXEC);
  if (end < 0) {
    const int error = errno;
    close(signals);
    return SystemError(error, "wait for", "signals");
  }
  return std::make_unique<PosixHost>(std::move(options), signals, end);
}

int64_t RaiseFileLimit(int64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kNoFileLimit;
  const rlim_t before = limit.rlim_cur;
  // Not more than that: a table of a million costs.
  const rlim_t raised = std::min(limit.rlim_max, static_cast<rlim_t>(wanted));
  if (before < raised) {
    limit.rlim_cur = raised;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return limit.rlim_cur == RLIM_INFINITY ? kNoFileLimit
                                         : static_cast<int64_t>(limit.rlim_cur);
}

void ExitNow(int code) { _exit(code); }

}  // namespace usher::platform
