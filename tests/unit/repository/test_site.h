#ifndef USHER_TESTS_UNIT_REPOSITORY_TEST_SITE_H_
#define USHER_TESTS_UNIT_REPOSITORY_TEST_SITE_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/sha256.h"
#include "service/repository/repository.h"
#include "tests/unit/common/temp_folder.h"
#include "tests/unit/tuf/test_repository.h"

namespace usher::repository {

constexpr char kCatalog[] = "catalog/catalog.usc";

inline void WriteText(const std::filesystem::path& path,
                      const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// All files of a folder with their content.
inline std::map<std::string, std::string> ReadFolder(
    const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename()] = ReadText(entry.path());
  }
  return files;
}

// A published repository in a folder, with one catalog, and a client of it.
class TestSite : public tuf::TestRepository {
 public:
  TestSite() {
    const absl::Time soon = absl::FromUnixSeconds(
        absl::ToUnixSeconds(absl::Now() + absl::Hours(24)));
    root.body.expires = timestamp.body.expires = snapshot.body.expires =
        targets.body.expires = soon;
    SetCatalog("first catalog");
    WriteRoot();
    Write();
    options.metadata_dir = folder / "client";
    options.url = absl::StrCat("file://", (folder / "site").string());
    options.proxy.auto_detect = false;
  }

  void SetCatalog(const std::string& content) {
    tuf::TargetInfo& info = targets.body.targets[kCatalog];
    info.length = static_cast<int64_t>(content.size());
    info.hashes["sha256"] = ToHex(Sha256Of(content));
    WriteText(
        site() / "targets/catalog" / (info.hashes["sha256"] + ".catalog.usc"),
        content);
  }

  // The next version of everything but the root.
  void PublishNext() {
    ++targets.body.version;
    ++snapshot.body.version;
    ++timestamp.body.version;
    Write();
  }

  std::filesystem::path site() const { return folder / "site"; }
  std::filesystem::path Metadata(const std::string& name) const {
    return site() / "metadata" / name;
  }

  void WriteRoot() {
    WriteText(Metadata(absl::StrCat(root.body.version, ".root.json")),
              RootBytes());
  }
  void Write() {
    Publish();
    WriteText(Metadata(absl::StrCat(targets.body.version, ".targets.json")),
              targets_bytes);
    WriteText(Metadata(absl::StrCat(snapshot.body.version, ".snapshot.json")),
              snapshot_bytes);
    WriteText(Metadata("timestamp.json"), timestamp_bytes);
  }

  // A client that has the first root.
  std::unique_ptr<Repository> NewClient() {
    const absl::Status status =
        Repository::Initialize(options, ReadText(Metadata("1.root.json")));
    if (!status.ok()) return nullptr;
    return Repository::Open(options).value();
  }

  TempFolder folder;
  RepositoryOptions options;
};

}  // namespace usher::repository

#endif  // USHER_TESTS_UNIT_REPOSITORY_TEST_SITE_H_
