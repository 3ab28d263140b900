#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/platform.h"

namespace usher::publisher {
namespace {

constexpr size_t kMaxSecret = 1024;

}  // namespace

bool IsLink(const std::filesystem::path& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
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
