// The configuration: defaults, strictness, positions.

#include "service/config.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/transport/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::daemon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::StatusOr<Config> Parse(const std::string& text) {
  return ParseConfig(text, "/etc/usher/usherd.toml", DefaultConfig({}));
}

// The message with which `text` is refused.
std::string Refusal(const std::string& text) {
  const absl::StatusOr<Config> config = Parse(text);
  EXPECT_EQ(HResultOf(config.status()), hr::kEInvalidarg) << text;
  return std::string(config.status().message());
}

TEST(ConfigTest, EmptyMeansTheDefaults) {
  const Config config = *Parse("");
  EXPECT_EQ(config.socket, transport::MachineAddress());
  EXPECT_TRUE(config.world_accessible);
  EXPECT_EQ(config.limits.sessions_per_caller, 32);
  EXPECT_EQ(config.refresh_interval, absl::Seconds(60));
  EXPECT_EQ(config.root_interval, absl::Hours(1));
  EXPECT_EQ(config.repository.max_role_bytes, 5 * 1024 * 1024);
  EXPECT_FALSE(config.policy.users_may_download);
}

TEST(ConfigTest, AStateFolderHoldsEverything) {
  const Config config = DefaultConfig("/home/me/usher");
  EXPECT_EQ(config.socket, transport::PrivateAddress("/home/me/usher"));
  EXPECT_EQ(config.cache_dir, "/home/me/usher/cache");
  EXPECT_EQ(config.log_file, "/home/me/usher/log/usherd.log");
  EXPECT_FALSE(config.world_accessible);
}

TEST(ConfigTest, ReadsEverySection) {
  const absl::StatusOr<Config> config = Parse(R"(
[service]
socket = "/tmp/s"
administrators_group = "adm"
world_accessible = false
stop_timeout = "2s"
locale = "de"
max_concurrent_streams = 10
[log]
level = "debug"
file = "relative.log"
max_bytes = 100000
files = 2
stderr = false
[limits]
connections = 5
sessions_per_caller = 2
session_idle_timeout = "1h30m"
[repository]
refresh_interval = "0s"
root_interval = "20m"
max_role_bytes = 4096
max_all_roles_bytes = 8192
min_speed = 10
[download]
cache_max_bytes = 1000
transfers = 3
[install]
product_dir = "/opt"
[machine]
labels = ["till", "north"]
channels = ["beta"]
rollout_id = "lab 7"
[policy]
users_may_download = true
[[update_service]]
name = "One"
url = "https://example.org/r"
root = "one.json"
[[update_service]]
url = "file:///r"
root = "/two.json"
id = "11111111-1111-4111-8111-111111111111"
managed = true
default = false
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->socket, "/tmp/s");
  EXPECT_EQ(config->stop_timeout, absl::Seconds(2));
  EXPECT_EQ(config->server.max_concurrent_streams, 10);
  EXPECT_EQ(config->log_file, "/etc/usher/relative.log");
  EXPECT_EQ(config->limits.session_idle_timeout, absl::Minutes(90));
  EXPECT_EQ(config->refresh_interval, absl::ZeroDuration());
  EXPECT_EQ(config->root_interval, absl::Minutes(20));
  EXPECT_EQ(config->repository.max_role_bytes, 4096);
  EXPECT_EQ(config->repository.max_all_roles_bytes, 8192);
  EXPECT_EQ(config->download.max_transfers, 3);
  EXPECT_EQ(config->product_dir, "/opt");
  EXPECT_THAT(config->labels, ElementsAre("till", "north"));
  EXPECT_THAT(config->channels, ElementsAre("beta"));
  EXPECT_EQ(config->rollout_id, "lab 7");
  EXPECT_TRUE(config->policy.users_may_download);
  ASSERT_EQ(config->update_services.size(), 2U);
  EXPECT_EQ(config->update_services[0].root, "/etc/usher/one.json");
  EXPECT_TRUE(config->update_services[0].is_default);
  EXPECT_TRUE(config->update_services[1].managed);
  EXPECT_FALSE(config->update_services[1].is_default);
}

TEST(ConfigTest, RefusesWithFileLineColumnAndReason) {
  EXPECT_THAT(Refusal("[limits\n"), StartsWith("/etc/usher/usherd.toml:1:"));
  EXPECT_THAT(
      Refusal("[limits]\nno_such = 1\n"),
      AllOf(StartsWith("/etc/usher/usherd.toml:2:"), HasSubstr("no_such")));
  EXPECT_THAT(Refusal("[limits]\n\nsessions_per_caller = 'many'\n"),
              AllOf(StartsWith("/etc/usher/usherd.toml:3:"),
                    HasSubstr("limits.sessions_per_caller")));
  EXPECT_THAT(Refusal("[limits]\nsessions_per_caller = -1\n"),
              AllOf(StartsWith("/etc/usher/usherd.toml:2:23:"),
                    HasSubstr("from 1 to 10000")));
  // What would not fit into a message, and what the catalog would not parse.
  EXPECT_THAT(Refusal("[limits]\nupdates_per_job = 3001\n"),
              HasSubstr("from 1 to 3000"));
  EXPECT_THAT(Refusal("[limits]\ncriteria_bytes = 32769\n"),
              HasSubstr("from 256 to 32768"));
  EXPECT_THAT(
      Refusal("[nonsense]\na = 1\n"),
      AllOf(StartsWith("/etc/usher/usherd.toml:1:"), HasSubstr("nonsense")));
  EXPECT_THAT(Refusal("x = 1\n"), HasSubstr("unknown key \"x\""));
}

TEST(ConfigTest, ChecksEachKindOfValue) {
  EXPECT_THAT(Refusal("[service]\nstop_timeout = 5\n"), HasSubstr("duration"));
  EXPECT_THAT(Refusal("[service]\nstop_timeout = '0s'\n"),
              HasSubstr("from 1s"));
  EXPECT_THAT(Refusal("[service]\nsocket = ''\n"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("[service]\nlocale = 'xx_YY'\n"), HasSubstr("BCP 47"));
  EXPECT_THAT(Refusal("[service]\nworld_accessible = 1\n"),
              HasSubstr("true or false"));
  EXPECT_THAT(Refusal("[log]\nlevel = 'loud'\n"), HasSubstr("trace"));
  EXPECT_THAT(Refusal("[machine]\nlabels = 'x'\n"), HasSubstr("list"));
  EXPECT_THAT(Refusal("[machine]\nlabels = [1]\n"), HasSubstr("list"));
  EXPECT_THAT(Refusal("[machine]\nchannels = ['Beta']\n"),
              HasSubstr("lower-case"));
  EXPECT_THAT(Refusal("[machine]\nrollout_id = ''\n"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("[machine]\nrollout_id = \"a\\nb\"\n"),
              HasSubstr("control character"));
  std::string many;
  for (int i = 0; i <= 64; ++i) many += "'c',";
  EXPECT_THAT(Refusal("[machine]\nchannels = [" + many + "]\n"),
              HasSubstr("more than 64"));
  EXPECT_THAT(Refusal("limits = 3\n"), HasSubstr("table"));
  EXPECT_THAT(Refusal("[update_service]\nurl = 'x'\n"),
              HasSubstr("[[update_service]]"));
  EXPECT_THAT(Refusal("[[update_service]]\nurl = 'x'\n"),
              HasSubstr("update_service.root is missing"));
  EXPECT_THAT(Refusal("[[update_service]]\nurl = 'x'\nroot = 'y'\nid = 'z'\n"),
              HasSubstr("update_service.id"));
}

TEST(ConfigTest, AMissingFileIsNamed) {
  const absl::Status status =
      LoadConfig("/no/such/usherd.toml", DefaultConfig({})).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/usherd.toml"));
}

}  // namespace
}  // namespace usher::daemon
