// What needs no platform's own calls.

#include "common/file_io.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"
#include "common/utf8.h"
#include "common/uuid.h"

namespace usher {

namespace {

constexpr size_t kMaxNameBytes = 255;
constexpr absl::string_view kTemporarySuffix = ".tmp";

// What the names of temporary files for `file` begin with.
std::string TemporaryPrefix(absl::string_view file) {
  constexpr size_t kOther = 2 + kResourceIdSize + kTemporarySuffix.size();
  return absl::StrCat(".", Utf8Tail(file, kMaxNameBytes - kOther), ".");
}

}  // namespace

std::filesystem::path TemporaryFor(const std::filesystem::path& path) {
  return path.parent_path() /
         PathFromUtf8(absl::StrCat(TemporaryPrefix(PathToUtf8(path.filename())),
                                   RandomResourceId(), kTemporarySuffix));
}

absl::Status RemoveTemporaries(const std::filesystem::path& folder,
                               absl::string_view file) {
  const std::string prefix = file.empty() ? "." : TemporaryPrefix(file);
  std::error_code error;
  std::filesystem::directory_iterator it(folder, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (const std::filesystem::directory_iterator end; !error && it != end;
       it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    if (absl::StartsWith(name, prefix) &&
        absl::EndsWith(name, kTemporarySuffix)) {
      USHER_RETURN_IF_ERROR(RemoveTree(it->path()));
    }
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(folder));
}

}  // namespace usher
