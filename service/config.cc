#include "service/config.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/catalog/check_rule.h"
#include "common/catalog/names.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/toml_dots.h"
#include "common/transport/transport.h"
#include "service/config_reader.h"
#include "service/platform/machine_folders.h"
#include "service/session/text.h"

namespace usher::daemon {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1024} * 1024;
constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;
constexpr int kMaxLabels = 256;

// What is wrong with a value, as the checks of requests say it.
std::string Reason(const absl::Status& status) {
  return status.ok() ? "" : absl::StrCat("is wrong: ", status.message());
}

void ReadService(ConfigReader& reader, Config& config) {
  reader.Path("state_dir", config.state_dir);
  reader.Path("cache_dir", config.cache_dir);
  std::string socket;
  reader.Text(
      "socket",
      [](const std::string& value) -> std::string {
        return value.empty() ? "must not be empty" : "";
      },
      socket);
  if (!socket.empty()) {
    config.socket = transport::ResolveAddress(socket, reader.folder());
  }
  reader.Text("administrators_group", {}, config.administrators_group);
  reader.Bool("world_accessible", config.world_accessible);
  reader.Duration("stop_timeout", absl::Seconds(1), absl::Minutes(10),
                  config.stop_timeout);
  reader.Text(
      "locale",
      [](const std::string& tag) {
        return Reason(session::CheckLocale(tag, "locale"));
      },
      config.locale);
  reader.Int("max_concurrent_streams", 4, 10'000,
             config.server.max_concurrent_streams);
  reader.Int("max_receive_bytes", kMiB, 64 * kMiB,
             config.server.max_receive_bytes);
  reader.Int("max_metadata_bytes", 4 * kKiB, kMiB,
             config.server.max_metadata_bytes);
  reader.Int("memory_bytes_per_user", 16 * kMiB, 4 * kGiB,
             config.server.memory_bytes);
}

void ReadLoopback(ConfigReader& reader, Config& config) {
  rpc::LoopbackOptions& options = config.loopback;
  reader.Bool("enabled", options.enabled);
  reader.Int("user_port", 0, 65'535, options.user_port);
  reader.Int("administrator_port", 0, 65'535, options.administrator_port);
  reader.Path("folder", options.folder);
}

void ReadLog(ConfigReader& reader, Config& config) {
  reader.Text(
      "level",
      [](const std::string& level) -> std::string {
        for (const char* known :
             {"trace", "debug", "info", "warn", "error", "off"}) {
          if (level == known) return "";
        }
        return "must be trace, debug, info, warn, error or off";
      },
      config.log_level);
  reader.Path("file", config.log_file);
  reader.Int("max_bytes", 64 * kKiB, 4 * kGiB, config.log_max_bytes);
  reader.Int("files", 1, 1000, config.log_files);
  reader.Bool("stderr", config.log_stderr);
}

void ReadLimits(ConfigReader& reader, Config& config) {
  session::Limits& limits = config.limits;
  reader.Int("connections", 1, 100'000, config.connections);
  reader.Int("connections_per_user", 1, 100'000, config.connections_per_user);
  reader.Int("services", 1, 1000, config.services);
  reader.Int("sessions", 1, 100'000, limits.sessions);
  reader.Int("sessions_per_caller", 1, 10'000, limits.sessions_per_caller);
  reader.Int("objects_per_session", 1, 10'000, limits.objects_per_session);
  reader.Int("jobs_per_session", 1, 10'000, limits.jobs_per_session);
  reader.Int("running_jobs_per_session", 1, 1000,
             limits.running_jobs_per_session);
  reader.Int("updates_per_job", 1, session::kMaxUpdatesPerJob,
             limits.updates_per_job);
  reader.Int("watches_per_session", 1, 10'000, limits.watches_per_session);
  reader.Int("criteria_bytes", 256, session::kMaxCriteriaBytes,
             limits.criteria_bytes);
  reader.Int("search_rows_per_caller", 1000, 1'000'000'000,
             limits.search_rows_per_caller);
  reader.Duration("session_idle_timeout", absl::Seconds(1),
                  absl::Hours(24 * 30), limits.session_idle_timeout);
}

void ReadRepository(ConfigReader& reader, Config& config) {
  repository::RepositoryOptions& options = config.repository;
  reader.Duration("refresh_interval", absl::ZeroDuration(),
                  absl::Hours(24 * 30), config.refresh_interval);
  reader.Duration("root_interval", absl::ZeroDuration(), absl::Hours(24),
                  config.root_interval);
  reader.Duration("max_refresh_time", absl::Seconds(10), absl::Hours(24),
                  config.max_refresh_time);
  reader.Duration("connect_timeout", absl::Seconds(1), absl::Minutes(5),
                  options.connect_timeout);
  reader.Int("min_speed", 1, kGiB, options.min_speed);
  reader.Int("max_root_bytes", kKiB, 16 * kMiB, options.max_root_bytes);
  reader.Int("max_timestamp_bytes", kKiB, kMiB, options.max_timestamp_bytes);
  reader.Int("max_snapshot_bytes", kKiB, 256 * kMiB,
             options.max_snapshot_bytes);
  reader.Int("max_targets_bytes", kKiB, kGiB, options.max_targets_bytes);
  reader.Int("max_role_bytes", kKiB, kGiB, options.max_role_bytes);
  reader.Int("max_all_roles_bytes", kKiB, kGiB, options.max_all_roles_bytes);
  reader.Int("max_catalog_bytes", kKiB, 1024 * kGiB, options.max_catalog_bytes);
  reader.Int("max_root_rotations", 1, 10'000, options.max_root_rotations);
}

void ReadDownload(ConfigReader& reader, Config& config) {
  download::DownloadEngine::Options& options = config.download;
  reader.Int("cache_max_bytes", 0, std::numeric_limits<int64_t>::max(),
             config.cache_max_bytes);
  reader.Int("transfers", 1, 256, options.max_transfers);
  reader.Int("connections_per_host", 1, 64, options.max_connections_per_host);
  reader.Int("min_speed", 1, kGiB, options.min_speed);
  reader.Duration("connect_timeout", absl::Seconds(1), absl::Minutes(5),
                  options.connect_timeout);
  reader.Int("attempts", 1, 100, options.max_attempts);
}

void ReadMachine(ConfigReader& reader, Config& config) {
  reader.Texts(
      "labels",
      [](const std::string& label) {
        if (label.empty()) return std::string("must not hold empty labels");
        return Reason(session::CheckText(label, 128, "label"));
      },
      config.labels);
  reader.Texts(
      "channels",
      [](const std::string& channel) -> std::string {
        return catalog::IsChannelName(channel)
                   ? ""
                   : "must hold names of lower-case letters, digits, '.', '_' "
                     "and '-', a letter or digit first, at most 64 bytes each";
      },
      config.channels);
  reader.Text(
      "rollout_id",
      [](const std::string& id) -> std::string {
        if (id.empty()) return "must not be empty";
        return Reason(session::CheckText(id, 128, "rollout_id"));
      },
      config.rollout_id);
}

void ReadUpdateService(const toml::table& table, ConfigErrors& errors,
                       Config& config) {
  ConfigReader reader(&table, "update_service", errors);
  ConfiguredService service;
  reader.Require("url");
  reader.Require("root");
  reader.Text(
      "name",
      [](const std::string& text) {
        return Reason(session::CheckText(text, 256, "name"));
      },
      service.name);
  reader.Text(
      "id",
      [](const std::string& text) {
        return Reason(session::CheckOptionalUuid(text, "id"));
      },
      service.id);
  reader.Text("url", {}, service.url);
  reader.Path("root", service.root);
  reader.Bool("managed", service.managed);
  reader.Bool("default", service.is_default);
  reader.Finish();
  config.update_services.push_back(std::move(service));
}

void ReadDocument(const toml::table& document, ConfigErrors& errors,
                  Config& config) {
  struct Section {
    absl::string_view name;
    void (*read)(ConfigReader&, Config&);
  };
  constexpr Section kSections[] = {
      {"service", ReadService},
      {"loopback", ReadLoopback},
      {"log", ReadLog},
      {"limits", ReadLimits},
      {"repository", ReadRepository},
      {"download", ReadDownload},
      {"install", [](ConfigReader& reader,
                     Config& c) { reader.Path("product_dir", c.product_dir); }},
      {"machine", ReadMachine},
      {"policy",
       [](ConfigReader& reader, Config& c) {
         reader.Bool("users_may_download", c.policy.users_may_download);
       }},
  };
  constexpr absl::string_view kServices = "update_service";
  for (const auto& [key, node] : document) {
    const std::string name(key.str());
    const Section* known = nullptr;
    for (const Section& section : kSections) {
      if (section.name == name) known = &section;
    }
    if (known != nullptr) {
      if (!node.is_table()) {
        errors.Add(node, name,
                   absl::StrCat(name, " must be a table: [", name, "]"));
        return;
      }
      ConfigReader reader(node.as_table(), name, errors);
      known->read(reader, config);
      reader.Finish();
    } else if (name == kServices) {
      const toml::array* array = node.as_array();
      if (array == nullptr || !array->is_homogeneous<toml::table>()) {
        errors.Add(node, name,
                   "update_service must be an array of tables: "
                   "[[update_service]]");
        return;
      }
      for (const toml::node& element : *array) {
        ReadUpdateService(*element.as_table(), errors, config);
      }
    } else {
      errors.Add(
          node, name,
          absl::StrCat("unknown key \"", name,
                       "\"; known are: service, loopback, log, "
                       "limits, repository, download, install, machine, policy "
                       "and update_service"));
      return;
    }
  }
  if (static_cast<int>(config.labels.size()) > kMaxLabels) {
    errors.Add(
        document, "machine.labels",
        absl::StrCat("machine.labels has more than ", kMaxLabels, " labels"));
  }
  if (static_cast<int>(config.channels.size()) > catalog::kMaxChannels) {
    errors.Add(document, "machine.channels",
               absl::StrCat("machine.channels has more than ",
                            catalog::kMaxChannels, " channels"));
  }
}

}  // namespace

Config DefaultConfig(const std::filesystem::path& state_dir) {
  Config config;
  if (state_dir.empty()) {
    const platform::MachineFolders folders = platform::GetMachineFolders();
    config.state_dir = folders.state;
    config.cache_dir = folders.cache;
    config.socket = transport::MachineAddress();
    config.loopback.folder = folders.run;
    config.log_file = folders.log_file;
  } else {
    config.state_dir = state_dir;
    config.cache_dir = state_dir / "cache";
    config.socket = transport::PrivateAddress(state_dir);
    config.loopback.folder = state_dir;
    config.log_file = state_dir / "log" / "usherd.log";
    config.world_accessible = false;
  }
  return config;
}

absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   const std::filesystem::path& path,
                                   Config defaults) {
  USHER_RETURN_IF_ERROR(CheckTomlDots(text, PathToUtf8(path)));
  ConfigErrors errors{path, absl::OkStatus()};
  Config config = std::move(defaults);
  try {
    const toml::table document = toml::parse(
        std::string_view(text.data(), text.size()), PathToUtf8(path));
    ReadDocument(document, errors, config);
  } catch (const toml::parse_error& error) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(PathToUtf8(path), ":", error.source().begin.line,
                              ":", error.source().begin.column, ": ",
                              std::string(error.description())),
                 PathToUtf8(path));
  }
  if (!errors.first.ok()) return errors.first;
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::filesystem::path& path,
                                  Config defaults) {
  USHER_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, kMaxConfigBytes));
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) absolute = path;
  return ParseConfig(text, absolute, std::move(defaults));
}

}  // namespace usher::daemon
