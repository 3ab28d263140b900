#ifndef USHER_TESTS_UNIT_DOWNLOAD_TEST_SERVERS_H_
#define USHER_TESTS_UNIT_DOWNLOAD_TEST_SERVERS_H_

// Servers on loopback: real ones as child processes, and one that lies.

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace usher::download {

// A folder that goes with the object.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string ReadText(const std::filesystem::path& path);
void WriteText(const std::filesystem::path& path, absl::string_view text);

// `size` bytes that `seed` determines and nothing compresses.
std::string Noise(size_t size, unsigned seed);

// A child process, ended (SIGTERM, by its id) with the object.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& command,
                        const std::vector<std::string>& environment = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Waits for its end: the exit status, or minus the signal's number.
  int Wait();

 private:
  pid_t pid_;
};

// A port that nobody listens on now.
int FreePort();
// Waits (by connecting) until somebody listens; false after ten seconds.
bool WaitForPort(int port);

// nginx that serves `folder`; below /slow/ at 1 MiB a second.
class Nginx {
 public:
  explicit Nginx(const std::filesystem::path& folder);
  std::string Url(absl::string_view path) const;
  // Lines "method path status".
  std::string AccessLog() const { return ReadText(work_.path() / "access"); }

 private:
  TempFolder work_;
  int port_;
  std::unique_ptr<ChildProcess> process_;
};

// One connection of a RawServer.
class RawConnection {
 public:
  explicit RawConnection(int fd) : fd_(fd) {}
  // The next request's head; "" when the client has gone.
  std::string ReadHead();
  // False when the client has gone.
  bool Send(absl::string_view bytes);
  // Waits until the client closes.
  void WaitForClose();

 private:
  int fd_;
};

// Accepts connections and hands each, with its first request's head and its
// number from 0, to `handler` on a thread of its own; closes it afterwards.
class RawServer {
 public:
  using Handler =
      std::function<void(RawConnection&, const std::string& head, int number)>;
  explicit RawServer(Handler handler);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  std::string Url(absl::string_view path) const;
  int connections() const { return count_; }
  // The heads of all first requests so far.
  std::vector<std::string> Heads() const;

 private:
  void Accept();

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> count_ = 0;
  mutable absl::Mutex mutex_;
  std::vector<std::string> heads_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> open_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace usher::download

#endif  // USHER_TESTS_UNIT_DOWNLOAD_TEST_SERVERS_H_
