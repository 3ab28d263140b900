#include "service/session/core.h"

#include <utility>

#include "common/error.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/install/install_engine.h"
#include "service/session/job.h"
#include "service/store/database.h"
#include "spdlog/spdlog.h"

namespace usher::session {

CoreParts::CoreParts() = default;
CoreParts::CoreParts(CoreParts&&) noexcept = default;
CoreParts::~CoreParts() = default;

Core::Core(CoreOptions options, CoreParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      start_time_(parts_.clock->Now()),
      persistence_(*parts_.database),
      sessions_(options_.limits, *parts_.clock, timers_,
                {[this](const std::shared_ptr<Session>& session) {
                   persistence_.SaveSession(session);
                 },
                 [this](const std::shared_ptr<Session>& session) {
                   persistence_.DropSession(session->key().id);
                 }}),
      services_(options_.services, *parts_.database, *parts_.catalog,
                *parts_.repositories, *parts_.clock),
      work_(options_.work_threads),
      network_(options_.network_threads) {
  auto hooks = std::make_shared<JobHooks>();
  hooks->timers = &timers_;
  job_hooks_ = std::move(hooks);
}

Core::~Core() { Stop(); }

absl::StatusOr<std::unique_ptr<Core>> Core::Start(CoreOptions options,
                                                  CoreParts parts) {
  std::unique_ptr<Core> core(new Core(std::move(options), std::move(parts)));
  USHER_RETURN_IF_ERROR(core->services_.Load());
  return core;
}

void Core::Stop() {}

bool Core::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

absl::Status Core::CheckRunning() const {
  if (!stopping()) return absl::OkStatus();
  return Error(hr::kWuEServiceStop,
               "the service is stopping; try again when it is back");
}

}  // namespace usher::session
