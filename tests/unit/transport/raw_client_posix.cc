#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/uuid.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::transport {
namespace {

// Removed when the process ends.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("usher-" + RandomResourceId().substr(0, 12))) {}
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

class SocketClient : public RawClient {
 public:
  explicit SocketClient(int fd) : fd_(fd) {}
  ~SocketClient() override { close(fd_); }

  bool Send(absl::string_view bytes) override {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool IsClosed() override {
    char byte = 0;
    // Reset, if something that we said was never read.
    const ssize_t count = read(fd_, &byte, 1);
    return count == 0 || (count < 0 && errno == ECONNRESET);
  }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<RawClient> RawClient::Connect(const std::string& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, address.c_str(), sizeof(name.sun_path) - 1);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) !=
      0) {
    close(fd);
    return nullptr;
  }
  return std::make_unique<SocketClient>(fd);
}

std::string NewAddress() {
  static const Folder folder;
  return folder.path() / RandomResourceId().substr(0, 12) / "usher.sock";
}

std::string OwnUser() { return absl::StrCat("uid:", geteuid()); }
int64_t OwnProcess() { return getpid(); }

}  // namespace usher::transport
