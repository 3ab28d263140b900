#ifndef USHER_CLIENT_INTERNAL_CONVERT_H_
#define USHER_CLIENT_INTERNAL_CONVERT_H_

// From the wire's messages to the SDK's values, and back where needed. All
// pure functions.

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "usher/history.h"
#include "usher/job.h"
#include "usher/system_information.h"
#include "usher/types.h"
#include "usher/update.h"
#include "usher/update_downloader.h"
#include "usher/update_installer.h"
#include "usher/update_searcher.h"
#include "usher/update_service_manager.h"
#include "usher/update_session.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/history.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/system.pb.h"
#include "usher/v1/update.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::internal {

absl::Time ToTime(const google::protobuf::Timestamp& time);
// For a message field that may be absent: OptionalTime(m.has_x(), m.x()).
std::optional<absl::Time> OptionalTime(bool has,
                                       const google::protobuf::Timestamp& time);
std::vector<std::string> ToVector(
    const google::protobuf::RepeatedPtrField<std::string>& texts);

UpdateIdentity ToIdentity(const v1::UpdateKey& key);
v1::UpdateKey ToKey(const UpdateIdentity& identity);
ImageInformation ToImage(const v1::ImageInformation& image);
InstallationBehavior ToBehavior(const v1::InstallationBehavior& behavior);
UpdateDownloadContent ToContent(const v1::UpdateDownloadContent& content);
DriverEntry ToDriver(const v1::DriverEntry& entry);
UpdateException ToException(const v1::UpdateException& exception);
DownloadProgress ToProgress(const v1::DownloadProgress& progress);
InstallationProgress ToProgress(const v1::InstallationProgress& progress);
JobInfo ToJobInfo(const v1::Job& job);
DownloadResult ToResult(const v1::DownloadResult& result);
InstallationResult ToResult(const v1::InstallationResult& result);
UpdateHistoryEntry ToHistoryEntry(const v1::UpdateHistoryEntry& entry);
UpdateService ToService(const v1::UpdateService& service);
SessionInfo ToSessionInfo(const v1::Session& session);
SystemInformation ToSystemInformation(const v1::SystemInformation& info);
AgentInfo ToAgentInfo(const v1::AgentInfo& info);
WebProxy ToProxy(const v1::WebProxy& proxy);
v1::WebProxy FromProxy(const WebProxy& proxy);

// The results that a completed job carries itself, for when the End call's
// answer was lost with the connection.
v1::DownloadResult DownloadResultOf(const v1::Job& job);
v1::InstallationResult InstallationResultOf(const v1::Job& job);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_CONVERT_H_
