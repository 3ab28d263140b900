#ifndef USHER_SERVICE_SESSION_NAMES_H_
#define USHER_SERVICE_SESSION_NAMES_H_

// Resource names: "sessions/{32 hex}" and "sessions/{32 hex}/{collection}/
// {32 hex}".

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::session {

inline constexpr absl::string_view kSearchers = "searchers";
inline constexpr absl::string_view kDownloaders = "downloaders";
inline constexpr absl::string_view kInstallers = "installers";
inline constexpr absl::string_view kJobs = "jobs";

std::string SessionName(absl::string_view session_id);
std::string ChildName(absl::string_view session_id,
                      absl::string_view collection, absl::string_view id);

struct ChildId {
  std::string session_id;
  std::string id;
};

// The id in a session's name. E_INVALIDARG when it is no such name.
absl::StatusOr<std::string> ParseSessionName(absl::string_view name);
// The ids in the name of a member of `collection`. E_INVALIDARG otherwise.
absl::StatusOr<ChildId> ParseChildName(absl::string_view name,
                                       absl::string_view collection);

// The one answer for a name that does not exist or is somebody else's.
absl::Status UnknownName(absl::string_view name);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_NAMES_H_
