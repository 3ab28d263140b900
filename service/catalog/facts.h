#ifndef USHER_SERVICE_CATALOG_FACTS_H_
#define USHER_SERVICE_CATALOG_FACTS_H_

// The machine as applicability rules see it.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/sha256.h"
#include "service/catalog/dpkg_status.h"
#include "service/catalog/facts_source.h"
#include "service/catalog/system_probe.h"

namespace usher::catalog {

// What a row's evaluation depends on; the numbers stand in the database.
enum class FactKind {
  kMachine = 0,        // key "": MachineFacts::Fingerprint
  kDebianPackage = 1,  // key: package name
  kFile = 2,           // key: path as the rule has it
  kUpdate = 3,         // key: update id
  kRegistry = 4,       // key: RegistryFactKey()
  kMsiProduct = 5,     // key: product code, or "upgrade " + upgrade code
};

// The facts that each look at the system on their own, when they are needed.
inline constexpr FactKind kProbedFacts[] = {
    FactKind::kFile, FactKind::kRegistry, FactKind::kMsiProduct};

inline bool IsProbed(FactKind kind) {
  return std::find(std::begin(kProbedFacts), std::end(kProbedFacts), kind) !=
         std::end(kProbedFacts);
}

// The key of a registry value, or with an empty name of a registry key.
std::string RegistryFactKey(absl::string_view key, absl::string_view value);

// An immutable snapshot.
struct MachineFacts {
  std::string family;        // "linux", "windows"
  std::string distribution;  // ID of os-release
  std::string version;       // VERSION_ID of os-release, or of Windows
  std::string architecture;  // "amd64"
  std::vector<std::string> labels;
  // Sorted, "stable" among them.
  std::vector<std::string> channels;
  // What the machine draws with for staged rollouts.
  std::string rollout_id;
  std::string boot_id;
  DebianPackages packages;

  // Everything that concerns FactKind::kMachine, as one text.
  std::string Fingerprint() const;
  // The installed versions of a package as one text; "" when not installed.
  std::string PackageText(absl::string_view name) const;
};

struct FactsOptions {
  // Empty: none.
  std::filesystem::path dpkg_status = DpkgStatusPath();
  std::filesystem::path os_release = OsReleasePath();
  // "{product:NAME}" in rules is {product_dir}/NAME/current.
  std::filesystem::path product_dir;
  // Labels of the configuration's [machine] labels.
  std::vector<std::string> labels;
  // Of [machine] channels; the machine follows "stable" besides.
  std::vector<std::string> channels;
  // The machine's own random number, text without line feed.
  std::string rollout_id;
  // What Windows knows; null: the system's own. For tests.
  std::shared_ptr<const SystemProbe> probe;
};

// Thread-safe.
class Facts {
 public:
  explicit Facts(FactsOptions options);

  // The machine as it is now. Sources are read again only if their files
  // changed; as long as they did not, the same object comes back.
  absl::StatusOr<std::shared_ptr<const MachineFacts>> Current();

  // A text that changes with what a rule may find out about a probed fact; ""
  // when there is nothing of it.
  std::string Stamp(FactKind kind, absl::string_view key) const;
  // The same for a rule's path.
  std::string Stamp(absl::string_view rule_path) const;
  // Four numbers with dots between, or "".
  std::string FileVersion(absl::string_view rule_path) const;
  const SystemProbe& probe() const { return *options_.probe; }
  // Whether the file has that content. Hashed only when its stamp changed.
  bool HasDigest(absl::string_view rule_path, const Sha256Digest& digest);

 private:
  struct Hashed {
    std::string stamp;
    Sha256Digest digest;
  };

  std::filesystem::path Resolve(absl::string_view rule_path) const;

  const FactsOptions options_;
  absl::Mutex mutex_;
  std::string stamp_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const MachineFacts> current_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Hashed> hashed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_FACTS_H_
