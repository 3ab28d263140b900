#include "service/install/member_path.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/error.h"

namespace usher::install {
namespace {

absl::Status Refuse(absl::string_view name, absl::string_view why) {
  return Error(hr::kWuEUhInvalidmetadata,
               absl::StrCat("the archive member ", name, " ", why), name);
}

absl::Status CheckText(absl::string_view name) {
  if (name.size() > kMaxMemberPath) {
    return Refuse(name.substr(0, 80), "has too long a name");
  }
  // A backslash is a separator on Windows, and hardly ever meant elsewhere.
  if (absl::StrContains(name, '\\') ||
      name.find('\0') != absl::string_view::npos) {
    return Refuse(name, "has a forbidden character in its name");
  }
  return absl::OkStatus();
}

// Components without "" and ".".
std::vector<absl::string_view> Components(absl::string_view name) {
  std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  parts.erase(
      std::remove_if(parts.begin(), parts.end(),
                     [](absl::string_view p) { return p.empty() || p == "."; }),
      parts.end());
  return parts;
}

}  // namespace

absl::StatusOr<std::string> MemberPath(absl::string_view name,
                                       int strip_components) {
  USHER_RETURN_IF_ERROR(CheckText(name));
  if (absl::StartsWith(name, "/")) {
    return Refuse(name, "has an absolute name");
  }
  std::vector<absl::string_view> parts = Components(name);
  for (const absl::string_view part : parts) {
    if (part == "..") return Refuse(name, "leads out of the archive");
    if (part.size() > kMaxMemberComponent) {
      return Refuse(name.substr(0, 80), "has too long a name");
    }
  }
  const size_t strip = static_cast<size_t>(std::max(0, strip_components));
  if (parts.size() <= strip) return std::string();
  parts.erase(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(strip));
  return absl::StrJoin(parts, "/");
}

absl::StatusOr<std::string> LinkTarget(absl::string_view link,
                                       absl::string_view target,
                                       bool root_is_tree,
                                       int strip_components) {
  USHER_RETURN_IF_ERROR(CheckText(target));
  if (target.empty()) return Refuse(link, "is a link to nothing");
  const size_t depth = Components(link).size() - 1;
  if (absl::StartsWith(target, "/")) {
    if (!root_is_tree) {
      return Refuse(
          link, absl::StrCat("is a link to ", target, ", out of the archive"));
    }
    USHER_ASSIGN_OR_RETURN(
        const std::string inside,
        MemberPath(target.substr(target.find_first_not_of('/') ==
                                         absl::string_view::npos
                                     ? target.size()
                                     : target.find_first_not_of('/')),
                   strip_components));
    std::string relative;
    for (size_t i = 0; i < depth; ++i) relative += "../";
    if (relative.empty() && inside.empty()) return std::string{"."};
    return relative + inside;
  }
  size_t up = 0;
  bool down = false;
  for (const absl::string_view part : Components(target)) {
    if (part != "..") {
      down = true;
      continue;
    }
    // After a name, ".." may leave from wherever another link led to.
    if (down || ++up > depth) {
      return Refuse(link,
                    absl::StrCat("is a link to ", target,
                                 ", which could lead out of the archive"));
    }
  }
  return std::string{target};
}

}  // namespace usher::install
