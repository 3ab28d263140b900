#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/switch.h"

namespace usher::install {

absl::StatusOr<std::string> CurrentVersion(const std::filesystem::path& link) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  if (size >= 0) return std::string(target.data(), static_cast<size_t>(size));
  if (errno == ENOENT) return std::string();
  return SystemError(errno, "read the link", PathToUtf8(link));
}

absl::Status SwitchTo(const std::filesystem::path& link,
                      absl::string_view version) {
  // A fixed name: what a crash leaves is replaced by the next switch. Only the
  // installer, one step at a time, writes here.
  const std::filesystem::path next = link.parent_path() / ".current.next";
  if (unlink(next.c_str()) != 0 && errno != ENOENT) {
    return SystemError(errno, "remove", PathToUtf8(next));
  }
  if (symlink(std::string{version}.c_str(), next.c_str()) != 0) {
    return SystemError(errno, "create the link", PathToUtf8(next));
  }
  return RenameDurably(next, link);
}

absl::Status RemoveSwitch(const std::filesystem::path& link) {
  for (const std::filesystem::path& name :
       {link, link.parent_path() / ".current.next"}) {
    if (unlink(name.c_str()) != 0 && errno != ENOENT) {
      return SystemError(errno, "remove", PathToUtf8(name));
    }
  }
  return SyncDirectory(link.parent_path());
}

}  // namespace usher::install
