#include "usher/types.h"

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace usher {
namespace {

template <typename Enum>
std::string NameOf(Enum value, std::initializer_list<absl::string_view> names) {
  const auto number = static_cast<int64_t>(value);
  if (number < 0 || number >= static_cast<int64_t>(names.size())) {
    return absl::StrCat("Unknown (", number, ")");
  }
  return std::string(names.begin()[number]);
}

}  // namespace

std::string ToString(OperationResultCode value) {
  return NameOf(value, {"NotStarted", "InProgress", "Succeeded",
                        "SucceededWithErrors", "Failed", "Aborted"});
}

std::string ToString(UpdateType value) {
  return NameOf(value, {"Unspecified", "Software", "Driver"});
}

std::string ToString(UpdateOperation value) {
  return NameOf(value, {"Unspecified", "Installation", "Uninstallation"});
}

std::string ToString(JobKind value) {
  return NameOf(value, {"Unspecified", "Search", "Download", "Installation",
                        "Uninstallation"});
}

std::string ToString(JobState value) {
  return NameOf(value,
                {"Unspecified", "Queued", "Running", "Parked", "Completed"});
}

}  // namespace usher
