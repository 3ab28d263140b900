#include "service/daemon.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "service/catalog/catalog.h"
#include "service/catalog/facts.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/install/install_engine.h"
#include "service/platform/host.h"
#include "service/rollout_id.h"
#include "service/run.h"
#include "service/session/configured_services.h"
#include "service/store/database.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

constexpr uint64_t kMaxRootFileBytes = uint64_t{16} * 1024 * 1024;

// The database holds who asked for what: not for everyone, even if the folder
// is. SQLite gives its other files the same mode.
absl::Status MakePrivate(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) return absl::OkStatus();
  return WriteFileAtomically(file, "", Access::kPrivate);
}

// Asked between the steps of a start, each of which may take a while: a check
// of a large database, the recovery of an installation.
absl::Status GoOn(const CancellationToken& stop) {
  if (!stop.cancelled()) return absl::OkStatus();
  return Error(hr::kWuEServiceStop, "the service was told to stop");
}

absl::StatusOr<session::CoreParts> OpenParts(const Config& config,
                                             const CancellationToken& stop) {
  session::CoreParts parts;
  parts.clock = std::make_unique<session::Clock>();
  parts.repositories = std::make_unique<session::RepositoryFactory>();
  const std::filesystem::path file = config.state_dir / "usher.db";
  USHER_RETURN_IF_ERROR(MakePrivate(file));
  // More than the threads that work for users (CoreOptions::work_threads), so
  // that their searches do not take all.
  store::DatabaseOptions database;
  database.max_readers = 6;
  USHER_ASSIGN_OR_RETURN(parts.database, store::Database::Open(file, database));
  USHER_RETURN_IF_ERROR(GoOn(stop));
  USHER_ASSIGN_OR_RETURN(
      parts.cache,
      download::ContentCache::Open(*parts.database,
                                   {config.cache_dir, config.cache_max_bytes}));
  const std::filesystem::path products = config.product_dir.empty()
                                             ? config.state_dir / "products"
                                             : config.product_dir;
  catalog::FactsOptions facts;
  facts.product_dir = products;
  facts.labels = config.labels;
  facts.channels = config.channels;
  facts.rollout_id = config.rollout_id;
  if (facts.rollout_id.empty()) {
    USHER_ASSIGN_OR_RETURN(facts.rollout_id, RolloutId(config.state_dir));
  }
  USHER_ASSIGN_OR_RETURN(
      parts.catalog,
      catalog::Catalog::Open(
          *parts.database, std::make_shared<catalog::Facts>(std::move(facts)),
          [cache = parts.cache.get()](const Sha256Digest& digest) {
            return cache->Contains(digest);
          }));
  USHER_ASSIGN_OR_RETURN(parts.downloads, download::DownloadEngine::Start(
                                              *parts.cache, config.download));
  USHER_RETURN_IF_ERROR(GoOn(stop));
  install::InstallEngine::Options install;
  install.product_dir = products;
  install.work_dir = config.product_dir.empty()
                         ? config.state_dir / "work"
                         : config.product_dir / ".usher-work";
  install.stop_timeout = config.stop_timeout;
  install.locale = config.locale;
  USHER_ASSIGN_OR_RETURN(parts.installs, install::InstallEngine::Start(
                                             *parts.database, *parts.catalog,
                                             *parts.cache, install));
  return parts;
}

session::CoreOptions ToCoreOptions(const Config& config) {
  session::CoreOptions options;
  options.limits = config.limits;
  options.policy = config.policy;
  options.locale = config.locale;
  options.services.metadata_dir = config.state_dir / "repositories";
  options.services.scan_package_dir = config.state_dir / "scan-packages";
  options.services.catalog_dir = config.cache_dir / "catalogs";
  options.services.refresh_interval = config.refresh_interval;
  options.services.root_interval = config.root_interval;
  options.services.max_refresh_time = config.max_refresh_time;
  options.services.max_services = config.services;
  options.services.repository = config.repository;
  return options;
}

absl::StatusOr<std::vector<session::NewService>> ReadConfigured(
    const Config& config) {
  std::vector<session::NewService> services;
  for (const ConfiguredService& configured : config.update_services) {
    session::NewService service;
    service.name = configured.name;
    service.service_id = configured.id;
    service.url = configured.url;
    service.is_managed = configured.managed;
    service.is_default = configured.is_default;
    absl::StatusOr<std::string> root =
        ReadFile(configured.root, kMaxRootFileBytes);
    if (!root.ok()) {
      return Annotate(root.status(),
                      absl::StrCat("update_service ", configured.url));
    }
    service.root = *std::move(root);
    services.push_back(std::move(service));
  }
  return services;
}

}  // namespace

Daemon::Daemon(Config config, FileLock lock)
    : config_(std::move(config)), lock_(std::move(lock)) {}

Daemon::~Daemon() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(
    const Config& config, const CancellationToken& stop) {
  USHER_RETURN_IF_ERROR(MakeDirectories(config.cache_dir));
  const std::filesystem::path lock_path = config.state_dir / "usher.lock";
  absl::StatusOr<FileLock> lock = FileLock::Acquire(lock_path);
  if (!lock.ok()) {
    if (HResultOf(lock.status()) != hr::kWuEDsStorefilelocked) {
      return lock.status();
    }
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat("another usherd uses this state folder: ",
                              PathToUtf8(lock_path),
                              " is locked; stop it or choose another "
                              "--state-dir"),
                 PathToUtf8(lock_path));
  }
  std::unique_ptr<Daemon> daemon(new Daemon(config, *std::move(lock)));
  USHER_FAULT_POINT("daemon.open");
  USHER_RETURN_IF_ERROR(GoOn(stop));
  USHER_RETURN_IF_ERROR(daemon->Open(stop));
  USHER_RETURN_IF_ERROR(GoOn(stop));
  USHER_RETURN_IF_ERROR(daemon->Listen());
  return daemon;
}

absl::Status Daemon::Open(const CancellationToken& stop) {
  USHER_ASSIGN_OR_RETURN(std::vector<session::NewService> configured,
                         ReadConfigured(config_));
  USHER_ASSIGN_OR_RETURN(session::CoreParts parts, OpenParts(config_, stop));
  USHER_RETURN_IF_ERROR(GoOn(stop));
  USHER_ASSIGN_OR_RETURN(
      core_, session::Core::Start(ToCoreOptions(config_), std::move(parts)));
  session::RegisterConfigured(*core_, std::move(configured));
  return absl::OkStatus();
}

absl::Status Daemon::Listen() {
  transport::ListenOptions options;
  options.address = config_.socket;
  options.administrators_group = config_.administrators_group;
  options.world_accessible = config_.world_accessible;
  options.on_failed = [](const absl::Status& reason) {
    // A service that nobody can reach is worth less than one that is started
    // again; its jobs go on then.
    spdlog::critical("ending: {}", std::string(reason.message()));
    spdlog::default_logger_raw()->flush();
    platform::ExitNow(kExitFailure);
  };
  options.max_connections = config_.connections;
  options.max_connections_per_user = config_.connections_per_user;
  options.on_refused = [this](const std::string& user,
                              const std::string& reason) {
    if (core_->log_lines().Admit(user.empty() ? "unknown" : user,
                                 absl::Now())) {
      spdlog::warn("connection refused: {}", reason);
    }
  };
  USHER_ASSIGN_OR_RETURN(listener_, transport::Listener::Listen(options));
  servers_ =
      std::make_unique<rpc::ServerPool>(*core_, config_.server, *listener_);
  if (config_.loopback.enabled) {
    rpc::LoopbackOptions loopback = config_.loopback;
    loopback.world_accessible = config_.world_accessible;
    loopback.max_connections = config_.connections_per_user;
    loopback.on_refused = options.on_refused;
    USHER_RETURN_IF_ERROR(MakeDirectories(
        loopback.folder,
        loopback.world_accessible ? Access::kWorldRead : Access::kPrivate));
    USHER_ASSIGN_OR_RETURN(
        loopback_, rpc::LoopbackDoor::Open(*core_, config_.server, loopback));
  }
  return listener_->Start(
      [this](const std::unique_ptr<transport::Connection>& connection) {
        const absl::Status status = servers_->Serve(*connection);
        if (!status.ok()) {
          spdlog::error("cannot serve a connection: {}",
                        std::string(status.message()));
        }
      });
}

void Daemon::Stop(absl::Duration grace) {
  if (listener_ != nullptr) listener_->Stop();
  // First the jobs: who waits for one is answered when it is parked.
  if (core_ != nullptr) core_->Stop();
  const absl::Time deadline = absl::Now() + grace;
  if (loopback_ != nullptr) loopback_->Shutdown(deadline);
  if (servers_ != nullptr) servers_->Shutdown(deadline);
  loopback_.reset();
  servers_.reset();
  listener_.reset();
  core_.reset();
}

}  // namespace usher::daemon
