#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/platform.h"

namespace usher::publisher {
namespace {

constexpr size_t kMaxSecret = 1024;

class PosixFile : public InputFile {
 public:
  PosixFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  ~PosixFile() override { close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    while (true) {
      const ssize_t count = read(fd_, buffer, size);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return SystemError(errno, "read", name_);
    }
  }

 private:
  const int fd_;
  const std::string name_;
};

}  // namespace

bool IsLink(const std::filesystem::path& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

absl::StatusOr<std::unique_ptr<InputFile>> OpenInputFile(
    const std::filesystem::path& path, Links links) {
  const std::string name = PathToUtf8(path);
  // Opening a FIFO must not wait for a writer.
  const int fd =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK |
                             (links == Links::kRefuse ? O_NOFOLLOW : 0));
  if (fd < 0) return SystemError(errno, "open", name);
  auto file = std::make_unique<PosixFile>(fd, name);
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError(errno, "examine", name);
  if (!S_ISREG(info.st_mode)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not a regular file"), name);
  }
  return file;
}

absl::Status SyncFile(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(errno, "open", PathToUtf8(path));
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  if (fsync(fd) != 0) {
    return SystemError(errno, "write to disk", PathToUtf8(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSecretFromTerminal(absl::string_view prompt) {
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  struct termios before;
  if (fd < 0 || tcgetattr(fd, &before) != 0) {
    if (fd >= 0) close(fd);
    return Error(hr::kWuENoInteractiveUser,
                 "a passphrase is needed and there is no terminal to ask; "
                 "give --passphrase-file or set USHER_PASSPHRASE");
  }
  struct termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(fd, TCSAFLUSH, &silent);
  const auto restore = absl::MakeCleanup([fd, &before] {
    tcsetattr(fd, TCSAFLUSH, &before);
    close(fd);
  });
  const auto show = [fd](absl::string_view text) {
    return write(fd, text.data(), text.size()) ==
           static_cast<ssize_t>(text.size());
  };
  if (!show(absl::StrCat(prompt, ": "))) {
    return SystemError(errno, "write to", "the terminal");
  }
  std::string secret;
  char c = 0;
  while (secret.size() < kMaxSecret && read(fd, &c, 1) == 1 && c != '\n') {
    secret.push_back(c);
  }
  show("\n");
  return secret;
}

}  // namespace usher::publisher
