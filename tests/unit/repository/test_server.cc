#include "tests/unit/repository/test_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace usher::repository {
namespace {

constexpr char kConfiguration[] = R"(
user root;
daemon off;
worker_processes 1;
pid @DIR@/pid;
error_log @DIR@/error.log;
events { worker_connections 64; }
http {
  log_format short '$request_method $uri $status';
  access_log @DIR@/access.log short;
  client_body_temp_path @DIR@/t1;
  proxy_temp_path @DIR@/t2;
  fastcgi_temp_path @DIR@/t3;
  uwsgi_temp_path @DIR@/t4;
  scgi_temp_path @DIR@/t5;
  server {
    listen 127.0.0.1:@PORT@;
    root @ROOT@;
    location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }
    location /loop { return 302 /loop; }
    location /to-file { return 302 file:///etc/passwd; }
    location /forbidden { return 403; }
    location /gone { return 410; }
    location /broken { return 500; }
    location /slow/ { alias @ROOT@/; limit_rate 900; }
  }
}
)";

void Require(bool condition) {
  if (!condition) std::abort();
}

// A listening socket on a free port. nginx takes it over, so that there is
// neither a race for the port nor a wait for the server: early connections
// queue.
int Listen(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  Require(fd >= 0 &&
          bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
          listen(fd, SOMAXCONN) == 0 &&
          getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

TestServer::TestServer(const std::filesystem::path& root) {
  int port = 0;
  const int fd = Listen(port);
  url_ = absl::StrCat("http://127.0.0.1:", port);
  const std::string configuration = folder_ / "nginx.conf";
  std::ofstream(configuration) << absl::StrReplaceAll(
      kConfiguration, {{"@DIR@", folder_.path().string()},
                       {"@ROOT@", root.string()},
                       {"@PORT@", absl::StrCat(port)}});
  const std::string inherited = absl::StrCat("NGINX=", fd, ";");
  const std::string error_log = folder_ / "error.log";
  const char* const arguments[] = {
      "nginx", "-e", error_log.c_str(), "-c", configuration.c_str(), nullptr};
  const char* const environment[] = {inherited.c_str(), nullptr};
  pid_ = fork();
  Require(pid_ >= 0);
  if (pid_ == 0) {
    execve("/usr/sbin/nginx", const_cast<char* const*>(arguments),
           const_cast<char* const*>(environment));
    _exit(127);
  }
  close(fd);
}

TestServer::~TestServer() {
  kill(pid_, SIGTERM);  // the master ends its worker
  waitpid(pid_, nullptr, 0);
}

std::string TestServer::Log() const {
  std::ifstream file(folder_ / "access.log");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace usher::repository
