#include "service/install/windows_name.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace usher::install {
namespace {

constexpr size_t kMaxName = 255;
constexpr absl::string_view kSpecial = "<>:\"/\\|?*";
constexpr std::array<absl::string_view, 6> kDevices = {
    "con", "prn", "aux", "nul", "conin$", "conout$"};
// COM1 … LPT9; superscript digits count as well.
constexpr std::array<absl::string_view, 2> kNumbered = {"com", "lpt"};
constexpr std::array<absl::string_view, 3> kSuperscripts = {"¹", "²", "³"};

bool IsDevice(absl::string_view name) {
  absl::string_view stem = name.substr(0, name.find('.'));
  while (absl::EndsWith(stem, " ")) stem.remove_suffix(1);
  for (const absl::string_view device : kDevices) {
    if (absl::EqualsIgnoreCase(stem, device)) return true;
  }
  for (const absl::string_view device : kNumbered) {
    if (!absl::StartsWithIgnoreCase(stem, device)) continue;
    const absl::string_view number = stem.substr(device.size());
    if (number.size() == 1 && absl::ascii_isdigit(number[0])) return true;
    if (std::find(kSuperscripts.begin(), kSuperscripts.end(), number) !=
        kSuperscripts.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsWindowsFileName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxName || name.back() == '.' ||
      name.back() == ' ') {
    return false;
  }
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) ||
           absl::StrContains(kSpecial, c);
  });
  return plain && !IsDevice(name);
}

}  // namespace usher::install
