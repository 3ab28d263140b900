#include "tests/unit/publisher/test_repository.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "common/uuid.h"
#include "publisher/repository_init.h"

namespace usher::publisher {

namespace fs = std::filesystem;

TestFolder::TestFolder()
    : path_(fs::temp_directory_path() /
            ("usher-publisher-" + RandomResourceId())) {
  fs::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TestFolder::Write(const std::string& name,
                           const std::string& content) const {
  fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

fs::path TestFolder::MakeDeb(const std::string& name,
                             const std::string& version,
                             const std::string& architecture) const {
  const std::string root = "deb-" + name + version + architecture;
  Write(root + "/usr/share/" + name + "/version", version + "\n");
  Write(root + "/DEBIAN/control",
        "Package: " + name + "\nVersion: " + version +
            "\nArchitecture: " + architecture +
            "\nMaintainer: Nobody <nobody@example.com>\n"
            "Homepage: https://example.com/" +
            name + "\nDescription: a tiny package\n Longer text.\n .\n End.\n");
  fs::permissions(path_ / root / "DEBIAN", fs::perms(0755));
  fs::path file = path_ / (name + "_" + version + "_" + architecture + ".deb");
  const std::string command = "dpkg-deb --root-owner-group -b '" +
                              (path_ / root).string() + "' '" + file.string() +
                              "' >/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT: a test's own command
  return file;
}

fs::path TestFolder::MakeRepository(const std::string& passphrase) const {
  fs::path passphrase_file;
  if (!passphrase.empty()) {
    passphrase_file = Write("passphrase", passphrase + "\n");
  }
  PassphraseSource passphrases(passphrase_file, false);
  InitOptions options;
  options.service_name = "Test updates";
  options.service_id = "6b1f2c1e-57f5-4d0e-9a53-0e2f5f0f4a11";
  const auto result =
      InitRepository(path_ / "repo", options, passphrases, TestTime());
  EXPECT_TRUE(result.ok()) << result.status();
  return path_ / "repo";
}

absl::Time TestTime() {
  static const absl::Time time =
      absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  return time;
}

std::string Slurp(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.is_open()) << path;
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

absl::StatusOr<PublishResult> PublishNow(const fs::path& dir) {
  auto workspace = Workspace::Open(dir, Workspace::Mode::kWrite);
  if (!workspace.ok()) return workspace.status();
  PublishOptions options;
  options.expires = Expiries::Default(TestTime());
  PassphraseSource none("", false);
  return Publish(*workspace, options, none, TestTime());
}

Workspace OpenForTest(const fs::path& dir) {
  auto workspace = Workspace::Open(dir, Workspace::Mode::kWrite);
  EXPECT_TRUE(workspace.ok()) << workspace.status();
  return *std::move(workspace);
}

}  // namespace usher::publisher
