#include "tests/unit/download/test_servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace usher::download {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// A bound socket and its port.
std::pair<int, int> Bind() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {fd, ntohs(address.sin_port)};
}

}  // namespace

TempFolder::TempFolder() {
  std::string name =
      (std::filesystem::temp_directory_path() / "usher-download-XXXXXX")
          .string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteText(const std::filesystem::path& path, absl::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::string Noise(size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(),
                [&] { return static_cast<char>(generator()); });
  return bytes;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** at = environ; *at != nullptr; ++at) variables.push_back(*at);
  for (const std::string& setting : environment) {
    variables.push_back(const_cast<char*>(setting.c_str()));
  }
  variables.push_back(nullptr);
  const int error = posix_spawnp(&pid_, arguments[0], nullptr, nullptr,
                                 arguments.data(), variables.data());
  EXPECT_EQ(error, 0) << command[0];
  if (error != 0) pid_ = -1;
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  Wait();
}

int ChildProcess::Wait() {
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int FreePort() {
  const auto [fd, port] = Bind();
  close(fd);
  return port;
}

bool WaitForPort(int port) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (absl::Now() < deadline) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(port);
    const bool connected =
        connect(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0;
    close(fd);
    if (connected) return true;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

Nginx::Nginx(const std::filesystem::path& folder) : port_(FreePort()) {
  const std::string work = work_.path().string();
  const std::string user = geteuid() == 0 ? "user root;\n" : "";
  std::string temp_paths;
  for (const char* kind :
       {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    absl::StrAppend(&temp_paths, kind, "_temp_path ", work, "/", kind, ";\n");
  }
  WriteText(work_.path() / "conf",
            absl::StrCat(user, "daemon off; worker_processes 1; pid ", work,
                         "/pid; error_log ", work,
                         "/error;\nevents {}\nhttp {\n", temp_paths,
                         "log_format short '$request_method $uri $status';\n"
                         "access_log ",
                         work, "/access short;\nsendfile on;\n",
                         "server { listen 127.0.0.1:", port_, "; root ",
                         folder.string(),
                         "; location /slow/ { limit_rate 1m; } }\n}\n"));
  process_ = std::make_unique<ChildProcess>(std::vector<std::string>{
      "nginx", "-e", work + "/error", "-p", work, "-c", work + "/conf"});
  EXPECT_TRUE(WaitForPort(port_));
}

std::string Nginx::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::string RawConnection::ReadHead() {
  std::string head;
  char c = 0;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (recv(fd_, &c, 1, 0) != 1) return "";
    head.push_back(c);
  }
  return head;
}

bool RawConnection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawConnection::WaitForClose() {
  std::array<char, 4096> sink;
  while (recv(fd_, sink.data(), sink.size(), 0) > 0) {
  }
}

RawServer::RawServer(Handler handler) : handler_(std::move(handler)) {
  std::tie(listener_, port_) = Bind();
  EXPECT_EQ(listen(listener_, 64), 0);
  acceptor_ = std::thread([this] { Accept(); });
}

RawServer::~RawServer() {
  // Ends accept() and every recv().
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

std::string RawServer::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::vector<std::string> RawServer::Heads() const {
  absl::MutexLock lock(&mutex_);
  return heads_;
}

void RawServer::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    absl::MutexLock lock(&mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] {
      RawConnection connection(fd);
      const std::string head = connection.ReadHead();
      if (!head.empty()) {
        const int number = count_++;
        {
          absl::MutexLock guard(&mutex_);
          heads_.push_back(head);
        }
        handler_(connection, head, number);
      }
      absl::MutexLock guard(&mutex_);
      open_.erase(std::find(open_.begin(), open_.end(), fd));
      close(fd);
    });
  }
}

}  // namespace usher::download
