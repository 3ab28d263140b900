#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/catalog/facts_source.h"

namespace usher::catalog {
namespace {

// Closes a descriptor at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string MachineFamily() { return "linux"; }

std::string MachineVersion() { return ""; }

std::filesystem::path DpkgStatusPath() { return "/var/lib/dpkg/status"; }

std::filesystem::path OsReleasePath() { return "/etc/os-release"; }

std::string MachineArchitecture() {
  struct utsname name = {};
  if (uname(&name) != 0) return "";
  std::string machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.size() == 4 && machine[0] == 'i' && machine.ends_with("86")) {
    return "i386";
  }
  if (machine == "armv7l" || machine == "armv8l") return "armhf";
  if (machine == "ppc64le") return "ppc64el";
  return machine;
}

std::string FileStamp(const std::filesystem::path& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return "";
  // The change time too: the modification time can be set at will.
  return absl::StrCat(info.st_dev, ":", info.st_ino, ":", info.st_mode, ":",
                      info.st_size, ":", info.st_mtim.tv_sec, ".",
                      info.st_mtim.tv_nsec, ":", info.st_ctim.tv_sec, ".",
                      info.st_ctim.tv_nsec);
}

absl::StatusOr<Sha256Digest> FileDigest(const std::filesystem::path& path) {
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return SystemError(errno, "open", path.native());
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) {
    return SystemError(errno, "examine", path.native());
  }
  if (!S_ISREG(info.st_mode)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(path.native(), " is not a regular file"),
                 path.native());
  }
  Sha256 hash;
  std::array<char, size_t{64} * 1024> buffer;
  while (true) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, "read", path.native());
    if (count == 0) return hash.Finish();
    hash.Update({buffer.data(), static_cast<size_t>(count)});
  }
}

std::filesystem::path CurrentFolder(const std::filesystem::path& product) {
  return product / "current";
}

std::filesystem::path SystemPath(absl::string_view rule_path) {
  // Windows' paths would be relative ones here.
  std::filesystem::path path = PathFromUtf8(rule_path);
  return path.is_absolute() ? path : std::filesystem::path();
}

}  // namespace usher::catalog
