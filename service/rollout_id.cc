#include "service/rollout_id.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

constexpr size_t kDigits = 32;
constexpr uint64_t kMaxBytes = 4096;

bool IsRolloutId(absl::string_view text) {
  return text.size() == kDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

absl::StatusOr<std::string> RolloutId(const std::filesystem::path& state_dir) {
  const std::filesystem::path file = state_dir / "rollout-id";
  const absl::StatusOr<std::string> found = ReadFile(file, kMaxBytes);
  if (found.ok()) {
    const absl::string_view text = absl::StripAsciiWhitespace(*found);
    if (IsRolloutId(text)) return std::string{text};
  } else if (HResultOf(found.status()) != hr::kErrorFileNotFound) {
    return found.status();
  }
  if (found.ok()) {
    // Draws are lost, which is no reason not to serve.
    spdlog::warn("{} is damaged; drawing anew for staged rollouts",
                 PathToUtf8(file));
  }
  std::string id = RandomResourceId();
  USHER_RETURN_IF_ERROR(
      WriteFileAtomically(file, absl::StrCat(id, "\n"), Access::kPrivate));
  return id;
}

}  // namespace usher::daemon
