#ifndef USHER_TESTS_UNIT_INSTALL_WORLD_H_
#define USHER_TESTS_UNIT_INSTALL_WORLD_H_

// An installer in a private folder, with updates that tests make up.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "service/install/engine.h"
#include "service/store/database.h"
#include "tests/unit/install/fakes.h"
#include "tests/unit/install/packages.h"
#include "usher/v1/history.pb.h"

namespace usher::install::test {

// Whether this system has shell scripts, symbolic links and permission bits.
inline constexpr bool kIsUnix =
    std::filesystem::path::preferred_separator == '/';

// What AddScript calls the installer, and a script that does nothing.
inline constexpr const char* kScript = kIsUnix ? "setup.sh" : "setup.cmd";
inline constexpr const char* kDoNothing = kIsUnix ? "true" : "rem";

inline constexpr char kService[] = "aaaaaaaa-0000-4000-8000-000000000001";

// Update number `n` of the tests' service.
catalog::UpdateKey Key(int n, int32_t revision = 1);

// Keeps what an observer is told.
class Watcher : public InstallObserver {
 public:
  explicit Watcher(size_t updates) : results(updates), percents(updates) {}
  void OnProgress(int index, int percent) override;
  void OnUpdateDone(int index, const InstallResult& result) override;
  void OnFinished(bool was_parked) override;
  // Waits for the last call.
  void Wait() { finished.WaitForNotification(); }

  // Run in OnProgress and OnUpdateDone, if set.
  std::function<void(int percent)> on_progress;
  std::function<void(int index)> on_update_done;
  std::vector<InstallResult> results;
  std::vector<std::vector<int>> percents;
  bool parked = false;
  absl::Notification finished;
};

class World {
 public:
  // Uses `dir`, which may hold what another World left there.
  explicit World(const std::filesystem::path& dir);

  // Opens the engine; recovers. `msi`, if given, handles msi updates.
  absl::Status Start(std::unique_ptr<Handler> msi = nullptr);
  void StopEngine() { engine_.reset(); }
  Engine& engine() { return *engine_; }
  FakeCatalog& catalog() { return catalog_; }
  FakeCache& cache() { return cache_; }
  store::Database& database() { return *database_; }
  InstallEngine::Options& options() { return options_; }
  std::filesystem::path product(const std::string& name) const {
    return options_.product_dir / name;
  }

  // An update without handler; change it and Add() it to the catalog.
  static repository::v1::UpdateDescription NewUpdate(
      const catalog::UpdateKey& key);
  void AddPayload(repository::v1::UpdateDescription& update,
                  const std::string& name, const std::string& content);
  // An archive product with one file "bin/run" of this content.
  catalog::UpdateKey AddArchive(int n, const std::string& product,
                                const std::string& version,
                                const std::string& content,
                                int32_t revision = 1);
  // An installer that is a script for the system's shell (cmd.exe on Windows)
  // called kScript; it sees $STATE as this World's folder in `script`.
  catalog::UpdateKey AddScript(
      int n, const std::string& script, const std::string& uninstall_script,
      const std::function<void(repository::v1::UpdateDescription&)>& change);
  // The content of such a script.
  std::string WholeScript(const std::string& script) const;
  catalog::UpdateKey AddDeb(int n, const std::vector<Deb>& packages);
  // Changes one that was added.
  void AlwaysRequiresReboot(const catalog::UpdateKey& key);

  InstallRequest Request(std::vector<catalog::UpdateKey> keys,
                         Operation operation = Operation::kInstall);
  // Runs a job to its end.
  std::vector<InstallResult> Run(const InstallRequest& request);
  std::vector<InstallResult> Install(std::vector<catalog::UpdateKey> keys) {
    return Run(Request(std::move(keys)));
  }
  std::vector<InstallResult> Uninstall(std::vector<catalog::UpdateKey> keys) {
    return Run(Request(std::move(keys), Operation::kUninstall));
  }

  // Newest first.
  std::vector<v1::UpdateHistoryEntry> History();
  // Paths below the folder of files and links that the installer must not
  // leave: unfinished or private ones.
  std::vector<std::string> Strays() const;

 private:
  std::filesystem::path dir_;
  std::unique_ptr<store::Database> database_;
  FakeCatalog catalog_;
  FakeCache cache_;
  InstallEngine::Options options_;
  std::unique_ptr<Engine> engine_;
  int next_job_ = 0;
};

// Content of a small text file, or "" without it.
std::string Content(const std::filesystem::path& path);

// The folder of the version that `product`, a product's folder, uses; one that
// is not there if it uses none.
std::filesystem::path InUse(const std::filesystem::path& product);

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_WORLD_H_
