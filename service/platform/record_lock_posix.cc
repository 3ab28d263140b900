#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/platform/record_lock.h"

namespace usher::platform {
namespace {

// A lock can also be let go without closing the file, which nothing reports.
constexpr absl::Duration kLookAgain = absl::Seconds(1);

// 0, or errno. Open file description locks conflict with the classic ones
// that dpkg takes, but are not lost when any descriptor of the file closes.
int TryLock(int fd) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

// An eventfd that Cancel() sets; shared with a callback that may run late.
struct Event {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

absl::StatusOr<RecordLock> RecordLock::Acquire(
    const std::filesystem::path& path, absl::Duration timeout,
    const CancellationToken& cancel) {
  const std::string name = PathToUtf8(path);
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0) return SystemError(errno, "open the lock file", name);
  RecordLock lock(fd);
  const absl::Time deadline = absl::Now() + timeout;

  // The holder closes the file when it lets go, also when it dies.
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  const auto close_watch = absl::MakeCleanup([watch] {
    if (watch >= 0) close(watch);
  });
  if (watch < 0 || inotify_add_watch(watch, path.c_str(), IN_CLOSE_WRITE) < 0) {
    return SystemError(errno, "watch the lock file", name);
  }
  const auto event = std::make_shared<Event>();
  if (event->fd < 0) return SystemError(errno, "make", "an event");
  const uint64_t registration = cancel.OnCancel([event] {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(event->fd, &one, sizeof one);
  });
  const auto forget = absl::MakeCleanup(
      [&cancel, registration] { cancel.Forget(registration); });

  while (true) {
    const int error = TryLock(fd);
    if (error == 0) return lock;
    if (error != EAGAIN && error != EACCES && error != EINTR) {
      return SystemError(error, "lock", name);
    }
    if (cancel.cancelled()) {
      return Error(hr::kWuECallCancelled,
                   absl::StrCat("gave up waiting for the lock ", name), name);
    }
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return Error(hr::kWuEOperationinprogress,
                   absl::StrCat("another program holds ", name,
                                "; try again when it has finished"),
                   name);
    }
    std::array<pollfd, 2> watched = {
        {{watch, POLLIN, 0}, {event->fd, POLLIN, 0}}};
    poll(watched.data(), watched.size(),
         static_cast<int>(absl::ToInt64Milliseconds(std::min(left, kLookAgain) +
                                                    absl::Milliseconds(1))));
    std::array<char, 4096> drained;
    while (read(watch, drained.data(), drained.size()) > 0) {
    }
  }
}

RecordLock::RecordLock(RecordLock&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)) {}

RecordLock& RecordLock::operator=(RecordLock&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

RecordLock::~RecordLock() {
  if (handle_ >= 0) close(static_cast<int>(handle_));
}

}  // namespace usher::platform
