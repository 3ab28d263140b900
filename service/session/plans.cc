#include "service/session/plans.h"

#include <utility>

#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"

namespace usher::session {
namespace {

template <typename Keys>
std::vector<catalog::UpdateKey> ToKeys(const Keys& keys) {
  std::vector<catalog::UpdateKey> result;
  result.reserve(keys.size());
  for (const v1::UpdateKey& key : keys) {
    result.push_back(
        {key.service_id(), key.update_id(), key.revision_number()});
  }
  return result;
}

}  // namespace

DownloadPlan PlanDownload(const v1::Downloader& downloader,
                          const Session& session) {
  DownloadPlan plan;
  plan.updates = ToKeys(downloader.updates());
  plan.is_forced = downloader.is_forced();
  plan.priority = downloader.priority();
  plan.proxy = session.Proxy();
  plan.locale = session.user_locale();
  plan.owner = session.key().owner;
  return plan;
}

install::InstallRequest PlanInstall(const v1::Installer& installer,
                                    const v1::Job& job, std::string job_id,
                                    const Session& session) {
  install::InstallRequest request;
  request.job_id = std::move(job_id);
  request.operation = job.kind() == v1::JOB_KIND_UNINSTALLATION
                          ? install::Operation::kUninstall
                          : install::Operation::kInstall;
  request.updates = ToKeys(installer.updates());
  request.is_forced = installer.is_forced();
  request.force_quiet = installer.force_quiet();
  request.client_application_id = installer.client_application_id();
  request.request_id = job.request_id();
  request.caller = session.key().owner;
  return request;
}

}  // namespace usher::session
