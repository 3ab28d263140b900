#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/tree_writer.h"

namespace usher::install {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status Failure(int error, absl::string_view what,
                     absl::string_view path) {
  switch (error) {
    case EEXIST:
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("the archive has ", path, " twice"), path);
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("the archive's ", path,
                                " cannot be made: what lies above it is no "
                                "folder, or its name is too long"),
                   path);
    default:
      return SystemError(error, what, path);
  }
}

class PosixTreeWriter : public TreeWriter {
 public:
  explicit PosixTreeWriter(Descriptor root) : root_(std::move(root)) {}

  absl::Status MakeFolder(absl::string_view path) override {
    return OpenFolder(path).status();
  }

  absl::Status OpenFile(absl::string_view path, bool executable) override {
    USHER_ASSIGN_OR_RETURN(const Place place, ParentOf(path));
    const mode_t mode = executable ? 0755 : 0644;
    file_ = Descriptor(
        openat(parent(place), place.name.c_str(),
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (file_.get() < 0) return Failure(errno, "create", path);
    if (fchmod(file_.get(), mode) != 0) {
      return Failure(errno, "set the permissions of", path);
    }
    file_name_ = std::string{path};
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = write(file_.get(), bytes.data(), bytes.size());
      if (count < 0) {
        if (errno == EINTR) continue;
        return Failure(errno, "write", file_name_);
      }
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  absl::Status MakeSymlink(absl::string_view path,
                           absl::string_view target) override {
    USHER_ASSIGN_OR_RETURN(const Place place, ParentOf(path));
    if (symlinkat(std::string{target}.c_str(), parent(place),
                  place.name.c_str()) != 0) {
      return Failure(errno, "create the link", path);
    }
    return absl::OkStatus();
  }

  absl::Status MakeHardLink(absl::string_view path,
                            absl::string_view existing) override {
    USHER_ASSIGN_OR_RETURN(const Place from, ParentOf(existing));
    USHER_ASSIGN_OR_RETURN(const Place to, ParentOf(path));
    struct stat info;
    if (fstatat(parent(from), from.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) !=
            0 ||
        !S_ISREG(info.st_mode)) {
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("the archive's hard link ", path,
                                " does not name an earlier file of it"),
                   path);
    }
    if (linkat(parent(from), from.name.c_str(), parent(to), to.name.c_str(),
               0) != 0) {
      return Failure(errno, "create the hard link", path);
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    file_ = Descriptor();
    // One flush of the file system instead of one for each file.
    if (syncfs(root_.get()) != 0) return Failure(errno, "write", "to disk");
    return absl::OkStatus();
  }

 private:
  struct Place {
    Descriptor folder;  // none: the root
    std::string name;
  };

  int parent(const Place& place) const {
    return place.folder.get() < 0 ? root_.get() : place.folder.get();
  }

  // Opens the folder `path`, making what is missing.
  absl::StatusOr<Descriptor> OpenFolder(absl::string_view path) {
    file_ = Descriptor();
    Descriptor folder;
    absl::string_view rest = path;
    while (!rest.empty()) {
      const std::string name(rest.substr(0, rest.find('/')));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      const int at = folder.get() < 0 ? root_.get() : folder.get();
      int next = openat(at, name.c_str(), kOpenFolder);
      if (next < 0 && errno == ENOENT) {
        if (mkdirat(at, name.c_str(), kFolderMode) != 0) {
          return Failure(errno, "make the folder", path);
        }
        next = openat(at, name.c_str(), kOpenFolder);
        // The mode given to mkdirat() is subject to the umask.
        if (next >= 0 && fchmod(next, kFolderMode) != 0) {
          const int error = errno;
          close(next);
          return Failure(error, "set the permissions of", path);
        }
      }
      if (next < 0) return Failure(errno, "open the folder", path);
      folder = Descriptor(next);
    }
    return folder;
  }

  absl::StatusOr<Place> ParentOf(absl::string_view path) {
    const size_t slash = path.rfind('/');
    Place place;
    if (slash == absl::string_view::npos) {
      file_ = Descriptor();
      place.name = std::string{path};
      return place;
    }
    USHER_ASSIGN_OR_RETURN(place.folder, OpenFolder(path.substr(0, slash)));
    place.name = std::string{path.substr(slash + 1)};
    return place;
  }

  Descriptor root_;
  Descriptor file_;
  std::string file_name_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TreeWriter>> TreeWriter::Create(
    const std::filesystem::path& root) {
  const std::string name = PathToUtf8(root);
  if (mkdir(root.c_str(), kFolderMode) != 0) {
    return SystemError(errno, "make the folder", name);
  }
  Descriptor fd(open(root.c_str(), kOpenFolder));
  if (fd.get() < 0) return SystemError(errno, "open the folder", name);
  if (fchmod(fd.get(), kFolderMode) != 0) {
    return SystemError(errno, "set the permissions of", name);
  }
  return std::make_unique<PosixTreeWriter>(std::move(fd));
}

}  // namespace usher::install
