#include "service/session/names.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"

namespace usher::session {
namespace {

constexpr size_t kIdLength = 32;
constexpr size_t kShownLength = 128;

bool IsId(absl::string_view text) {
  return text.size() == kIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

absl::Status Malformed(absl::string_view name, absl::string_view form) {
  return Error(hr::kEInvalidarg,
               absl::StrCat("\"", name.substr(0, kShownLength),
                            "\" is not a name of the form ", form),
               "name");
}

}  // namespace

std::string SessionName(absl::string_view session_id) {
  return absl::StrCat("sessions/", session_id);
}

std::string ChildName(absl::string_view session_id,
                      absl::string_view collection, absl::string_view id) {
  return absl::StrCat("sessions/", session_id, "/", collection, "/", id);
}

absl::StatusOr<std::string> ParseSessionName(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (parts.size() != 2 || parts[0] != "sessions" || !IsId(parts[1])) {
    return Malformed(name, "sessions/{id}");
  }
  return std::string(parts[1]);
}

absl::StatusOr<ChildId> ParseChildName(absl::string_view name,
                                       absl::string_view collection) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (parts.size() != 4 || parts[0] != "sessions" || !IsId(parts[1]) ||
      parts[2] != collection || !IsId(parts[3])) {
    return Malformed(name, absl::StrCat("sessions/{id}/", collection, "/{id}"));
  }
  return ChildId{std::string(parts[1]), std::string(parts[3])};
}

absl::Status UnknownName(absl::string_view name) {
  return Error(hr::kWuEUnknownId, absl::StrCat("there is no ", name), name);
}

}  // namespace usher::session
