// What may name a target, a role, a moment.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/tuf/metadata_codec.h"

namespace usher::tuf {
namespace {

constexpr char kExpiryFormat[] = "%Y-%m-%dT%H:%M:%SZ";

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '~' || c == '-';
}

}  // namespace

absl::StatusOr<absl::Time> ParseExpiry(absl::string_view text) {
  absl::Time time;
  // ParseTime() is generous; what it read must be written in the same way.
  constexpr size_t kLength = 20;
  if (text.size() == kLength &&
      absl::ParseTime(kExpiryFormat, text, &time, nullptr) &&
      FormatExpiry(time) == text) {
    return time;
  }
  return Error(hr::kWuEMetadataSignatureVerifyFailed,
               "is not a time like 2030-01-31T00:00:00Z");
}

std::string FormatExpiry(absl::Time time) {
  return absl::FormatTime(kExpiryFormat, time, absl::UTCTimeZone());
}

bool IsConfinedTargetName(absl::string_view name) {
  constexpr size_t kMaxBytes = 1024;
  if (name.empty() || name.size() > kMaxBytes || HasControl(name) ||
      name.find('\\') != absl::string_view::npos ||
      (name.size() > 1 && name[1] == ':')) {
    return false;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return std::none_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

bool IsRoleName(absl::string_view name) {
  constexpr size_t kMaxBytes = 255;
  return !name.empty() && name.size() <= kMaxBytes && !HasControl(name);
}

bool IsTopLevelRole(absl::string_view name) {
  return name == "root" || name == "timestamp" || name == "snapshot" ||
         name == "targets";
}

std::string RoleFileName(absl::string_view role) {
  std::string file;
  for (const char c : role) {
    if (IsUnreserved(c)) {
      file.push_back(c);
    } else {
      absl::StrAppendFormat(&file, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return file + ".json";
}

std::string ConsistentTargetPath(absl::string_view target,
                                 absl::string_view hash) {
  const size_t slash = target.rfind('/');
  const size_t base = slash == absl::string_view::npos ? 0 : slash + 1;
  return absl::StrCat(target.substr(0, base), hash, ".", target.substr(base));
}

}  // namespace usher::tuf
