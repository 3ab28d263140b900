#ifndef USHER_SERVICE_CONFIG_H_
#define USHER_SERVICE_CONFIG_H_

// The daemon's configuration: docs/configuration.md describes each setting.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/download/download_engine.h"
#include "service/repository/repository.h"
#include "service/rpc/loopback_door.h"
#include "service/rpc/server_pool.h"
#include "service/session/authority.h"
#include "service/session/limits.h"

namespace usher::daemon {

// One [[update_service]].
struct ConfiguredService {
  std::string name;
  std::string id;
  std::string url;
  std::filesystem::path root;
  bool managed = false;
  bool is_default = true;
};

struct Config {
  // [service]
  std::filesystem::path state_dir;
  std::filesystem::path cache_dir;
  std::string socket;
  std::string administrators_group;
  bool world_accessible = true;
  absl::Duration stop_timeout = absl::Seconds(20);
  std::string locale = "en";
  rpc::ServerOptions server;

  // [loopback]; world_accessible comes from [service].
  rpc::LoopbackOptions loopback;

  // [log]
  std::string log_level = "info";
  std::filesystem::path log_file;
  int64_t log_max_bytes = int64_t{10} * 1024 * 1024;
  int log_files = 5;
  bool log_stderr = true;

  // [limits]
  int connections = 1024;
  int connections_per_user = 256;
  int services = 64;
  session::Limits limits;

  // [repository]
  absl::Duration refresh_interval = absl::Seconds(60);
  absl::Duration root_interval = absl::Hours(1);
  absl::Duration max_refresh_time = absl::Minutes(30);
  repository::RepositoryOptions repository;

  // [download]
  int64_t cache_max_bytes = 0;
  download::DownloadEngine::Options download;

  // [install]
  std::filesystem::path product_dir;

  // [machine]
  std::vector<std::string> labels;
  std::vector<std::string> channels;
  std::string rollout_id;  // "": the one in the state folder

  // [policy]
  session::Policy policy;

  // [[update_service]]
  std::vector<ConfiguredService> update_services;
};

// The defaults: of the machine's service, or, with a `state_dir`, of a private
// one that has everything below it.
Config DefaultConfig(const std::filesystem::path& state_dir);

// Reads `text` (TOML) over the defaults. Relative paths are taken from the
// folder of `path`. E_INVALIDARG with "path:line:column: reason" for a syntax
// error, an unknown key, a wrong type or a value out of range.
absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   const std::filesystem::path& path,
                                   Config defaults);

// The same for a file.
absl::StatusOr<Config> LoadConfig(const std::filesystem::path& path,
                                  Config defaults);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_CONFIG_H_
