#ifndef USHER_SERVICE_CATALOG_FACTS_H_
#define USHER_SERVICE_CATALOG_FACTS_H_

// The machine as applicability rules see it.

#include <cstdint>
#include <filesystem>
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

namespace usher::catalog {

// What a row's evaluation depends on; the numbers stand in the database.
enum class FactKind {
  kMachine = 0,        // key "": operating system, architecture, labels
  kDebianPackage = 1,  // key: package name
  kFile = 2,           // key: path as the rule has it
  kUpdate = 3,         // key: update id
};

// An immutable snapshot.
struct MachineFacts {
  std::string family;        // "linux", "windows"
  std::string distribution;  // ID of os-release
  std::string version;       // VERSION_ID of os-release
  std::string architecture;  // "amd64"
  std::vector<std::string> labels;
  std::string boot_id;
  DebianPackages packages;

  // Everything that concerns FactKind::kMachine, as one text.
  std::string Fingerprint() const;
  // The installed versions of a package as one text; "" when not installed.
  std::string PackageText(absl::string_view name) const;
};

struct FactsOptions {
  std::filesystem::path dpkg_status = "/var/lib/dpkg/status";
  std::filesystem::path os_release = "/etc/os-release";
  // "{product:NAME}" in rules is {product_dir}/NAME/current.
  std::filesystem::path product_dir;
  // Labels of the configuration's [machine] labels.
  std::vector<std::string> labels;
};

// Thread-safe.
class Facts {
 public:
  explicit Facts(FactsOptions options);

  // The machine as it is now. Sources are read again only if their files
  // changed; as long as they did not, the same object comes back.
  absl::StatusOr<std::shared_ptr<const MachineFacts>> Current();

  // The stamp of a rule's path: changes with the file, "" when there is none.
  std::string Stamp(absl::string_view rule_path) const;
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
