#include <windows.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "service/install/tree_writer.h"
#include "service/install/windows_name.h"

namespace usher::install {
namespace {

constexpr size_t kMaxTransfer = size_t{1} << 30;

absl::Status Refuse(absl::string_view path, absl::string_view why) {
  return Error(hr::kWuEUhInvalidmetadata,
               absl::StrCat("the archive's ", path, " ", why), path);
}

absl::Status Failure(DWORD error, absl::string_view what,
                     absl::string_view path) {
  switch (error) {
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("the archive has ", path,
                                " twice, or in two cases of letters"),
                   path);
    case ERROR_DIRECTORY:
    case ERROR_INVALID_NAME:
    case ERROR_FILENAME_EXCED_RANGE:
      return Refuse(path,
                    "cannot be made: what lies above it is no folder, or its "
                    "name is too long");
    default:
      return win32::SystemError(error, what, path);
  }
}

// Below the root there is only what this object made, and it makes no links
// to folders: so a path whose folders it knows cannot lead out. The root is
// new, and only the service and administrators may write below it.
class WindowsTreeWriter : public TreeWriter {
 public:
  explicit WindowsTreeWriter(std::wstring root) : root_(std::move(root)) {}

  absl::Status MakeFolder(absl::string_view path) override {
    USHER_RETURN_IF_ERROR(CloseFile());
    return MakeFolders(path);
  }

  // Windows has no mode that makes a file executable.
  absl::Status OpenFile(absl::string_view path, bool /*executable*/) override {
    USHER_RETURN_IF_ERROR(CloseFile());
    USHER_RETURN_IF_ERROR(MakeParent(path));
    file_ = win32::Handle(CreateFileW(PathOf(path).c_str(), GENERIC_WRITE,
                                      FILE_SHARE_READ, nullptr, CREATE_NEW,
                                      FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file_.open()) return Failure(GetLastError(), "create", path);
    file_name_ = std::string{path};
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view bytes) override {
    while (!bytes.empty()) {
      DWORD count = 0;
      if (WriteFile(file_.get(), bytes.data(),
                    static_cast<DWORD>(std::min(bytes.size(), kMaxTransfer)),
                    &count, nullptr) == 0) {
        return Failure(GetLastError(), "write", file_name_);
      }
      bytes.remove_prefix(count);
    }
    return absl::OkStatus();
  }

  // Real symbolic links need a privilege, and their targets have not come yet
  // perhaps: Sync makes them second names of their files.
  absl::Status MakeSymlink(absl::string_view path,
                           absl::string_view target) override {
    USHER_RETURN_IF_ERROR(CloseFile());
    USHER_RETURN_IF_ERROR(MakeParent(path));
    std::vector<std::string> parts = absl::StrSplit(path, '/');
    parts.pop_back();
    for (const absl::string_view part : absl::StrSplit(target, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.emplace_back(part);
      } else if (parts.empty()) {
        return Refuse(path, "is a link that leads out of it");
      } else {
        parts.pop_back();
      }
    }
    links_.emplace_back(path, absl::StrJoin(parts, "/"));
    return absl::OkStatus();
  }

  absl::Status MakeHardLink(absl::string_view path,
                            absl::string_view existing) override {
    USHER_RETURN_IF_ERROR(CloseFile());
    USHER_RETURN_IF_ERROR(CheckNames(existing));
    USHER_RETURN_IF_ERROR(MakeParent(path));
    if (!IsFile(existing)) {
      return Refuse(path, "is a hard link that does not name an earlier file");
    }
    return Link(path, existing);
  }

  absl::Status Sync() override {
    USHER_RETURN_IF_ERROR(CloseFile());
    // A link may name another link, in any order.
    while (!links_.empty()) {
      std::vector<std::pair<std::string, std::string>> waiting;
      for (const auto& [path, target] : links_) {
        if (!CheckNames(target).ok() || !IsFile(target)) {
          waiting.emplace_back(path, target);
        } else {
          USHER_RETURN_IF_ERROR(Link(path, target));
        }
      }
      if (waiting.size() == links_.size()) {
        return Refuse(waiting[0].first,
                      absl::StrCat("is a link to ", waiting[0].second,
                                   ", which is no file of the archive; Windows "
                                   "has only links to files here"));
      }
      links_ = std::move(waiting);
    }
    return absl::OkStatus();
  }

 private:
  std::wstring PathOf(absl::string_view path) const {
    std::wstring full = root_ + L"\\" + win32::ToWide(path);
    std::replace(full.begin(), full.end(), L'/', L'\\');
    return full;
  }

  static absl::Status CheckNames(absl::string_view path) {
    for (const absl::string_view name : absl::StrSplit(path, '/')) {
      if (!IsWindowsFileName(name)) {
        return Refuse(path, "has a name that Windows does not take");
      }
    }
    return absl::OkStatus();
  }

  bool IsFile(absl::string_view path) const {
    const DWORD attributes = GetFileAttributesW(PathOf(path).c_str());
    return attributes != INVALID_FILE_ATTRIBUTES &&
           (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
  }

  absl::Status Link(absl::string_view path, absl::string_view existing) {
    if (CreateHardLinkW(PathOf(path).c_str(), PathOf(existing).c_str(),
                        nullptr) == 0) {
      return Failure(GetLastError(), "create the link", path);
    }
    return absl::OkStatus();
  }

  // Makes what is missing of the folder `path`.
  absl::Status MakeFolders(absl::string_view path) {
    USHER_RETURN_IF_ERROR(CheckNames(path));
    for (size_t end = 0; end != absl::string_view::npos;) {
      end = path.find('/', end + 1);
      const absl::string_view folder = path.substr(0, end);
      if (folders_.contains(folder)) continue;
      if (CreateDirectoryW(PathOf(folder).c_str(), nullptr) == 0) {
        const DWORD error = GetLastError();
        const DWORD attributes = GetFileAttributesW(PathOf(folder).c_str());
        // The same folder in another case of letters is fine.
        if (error != ERROR_ALREADY_EXISTS ||
            attributes == INVALID_FILE_ATTRIBUTES ||
            (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
          return Failure(
              error == ERROR_ALREADY_EXISTS ? ERROR_DIRECTORY : error,
              "make the folder", path);
        }
      }
      folders_.emplace(folder);
    }
    return absl::OkStatus();
  }

  absl::Status MakeParent(absl::string_view path) {
    USHER_RETURN_IF_ERROR(CheckNames(path));
    const size_t slash = path.rfind('/');
    return slash == absl::string_view::npos
               ? absl::OkStatus()
               : MakeFolders(path.substr(0, slash));
  }

  // Windows has no call that brings a whole tree to disk.
  absl::Status CloseFile() {
    if (!file_.open()) return absl::OkStatus();
    if (FlushFileBuffers(file_.get()) == 0) {
      return Failure(GetLastError(), "write to disk", file_name_);
    }
    file_.Close();
    return absl::OkStatus();
  }

  const std::wstring root_;  // with the prefix for long paths
  absl::flat_hash_set<std::string> folders_;
  // Names and what they stand for, both below the root.
  std::vector<std::pair<std::string, std::string>> links_;
  win32::Handle file_;
  std::string file_name_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TreeWriter>> TreeWriter::Create(
    const std::filesystem::path& root) {
  std::wstring name = win32::ApiPath(root);
  SECURITY_ATTRIBUTES security = {
      sizeof security, win32::NewFileSecurity(win32::Readers::kEveryone),
      FALSE};
  if (CreateDirectoryW(name.c_str(), &security) == 0) {
    return win32::LastError("make the folder", PathToUtf8(root));
  }
  return std::make_unique<WindowsTreeWriter>(std::move(name));
}

}  // namespace usher::install
