#include "service/install/restart_notice.h"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/file_io.h"

namespace usher::install {
namespace {

constexpr uint64_t kMaxList = uint64_t{1024} * 1024;

std::filesystem::file_time_type TimeOf(const std::filesystem::path& file) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file, error);
  return error ? std::filesystem::file_time_type::min() : time;
}

}  // namespace

RestartNotice::RestartNotice(std::filesystem::path file)
    : file_(std::move(file)) {
  std::error_code error;
  existed_ = std::filesystem::exists(file_, error);
  time_ = TimeOf(file_);
}

bool RestartNotice::Asked(const std::vector<std::string>& packages) const {
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) return false;
  if (!existed_ || TimeOf(file_) != time_) return true;
  std::filesystem::path list = file_;
  list += ".pkgs";
  const absl::StatusOr<std::string> text = ReadFile(list, kMaxList);
  if (!text.ok()) return false;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const absl::string_view name = absl::StripAsciiWhitespace(line);
    if (std::any_of(packages.begin(), packages.end(),
                    [name](const std::string& package) {
                      return package.substr(0, package.find(':')) == name;
                    })) {
      return true;
    }
  }
  return false;
}

}  // namespace usher::install
