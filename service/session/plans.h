#ifndef USHER_SERVICE_SESSION_PLANS_H_
#define USHER_SERVICE_SESSION_PLANS_H_

// From the objects of a session to what a job is to do, when it begins and
// when it is put back after a restart.

#include <string>
#include <vector>

#include "service/catalog/catalog.h"
#include "service/install/install_engine.h"
#include "service/session/download_job.h"
#include "service/session/session.h"

namespace usher::v1 {
class Downloader;
class Installer;
class Job;
}  // namespace usher::v1

namespace usher::session {

DownloadPlan PlanDownload(const v1::Downloader& downloader,
                          const Session& session);

install::InstallRequest PlanInstall(const v1::Installer& installer,
                                    const v1::Job& job, std::string job_id,
                                    const Session& session);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_PLANS_H_
