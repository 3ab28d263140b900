#include "service/repository/repository.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "service/repository/catalog_targets.h"
#include "service/repository/fetcher.h"
#include "service/repository/metadata_store.h"
#include "service/repository/role_budget.h"
#include "service/repository/target_download.h"
#include "service/repository/tuf_client.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

constexpr char kRoot[] = "root";
constexpr char kTargets[] = "targets";

absl::Status CheckRoot(absl::string_view root) {
  return tuf::TrustedMetadataSet::Create(root, absl::Now()).status();
}

absl::StatusOr<tuf::TrustedMetadataSet> ReadTrustedRoot(
    const RepositoryOptions& options) {
  const absl::StatusOr<std::string> root =
      MetadataStore(options.metadata_dir).Read(kRoot, options.max_root_bytes);
  if (!root.ok()) {
    return Annotate(root.status(),
                    "the repository has no usable trusted root; remove the "
                    "update service and register it again");
  }
  absl::StatusOr<tuf::TrustedMetadataSet> set =
      tuf::TrustedMetadataSet::Create(*root, absl::Now());
  if (!set.ok()) {
    return Annotate(set.status(),
                    "the trusted root is damaged; remove the update service "
                    "and register it again");
  }
  return set;
}

// The version of a cached document that serves only to report it; 0 when there
// is none.
template <typename Body>
int64_t CachedVersion(const MetadataStore& store, int64_t max_bytes) {
  const std::optional<std::string> bytes =
      store.ReadIfUsable(Body::kType, max_bytes);
  if (!bytes.has_value()) return 0;
  const absl::StatusOr<tuf::Metadata<Body>> metadata = tuf::Parse<Body>(*bytes);
  return metadata.ok() ? metadata->body.version : 0;
}

Fetcher::Options FetcherOptions(const RepositoryOptions& options) {
  Fetcher::Options result;
  result.proxy = options.proxy;
  result.min_speed = options.min_speed;
  result.connect_timeout = options.connect_timeout;
  result.deadline = options.deadline;
  result.base_url = options.url;
  return result;
}

// The targets roles in the store, each verified by who delegates to it. Neither
// expiry nor a newer timestamp or snapshot of an unfinished refresh matter for
// using them without network.
class TrustedRoles {
 public:
  TrustedRoles(const tuf::Root& root, const MetadataStore& store,
               const RepositoryOptions& options)
      : root_(root),
        store_(store),
        max_targets_bytes_(options.max_targets_bytes),
        budget_(options) {}

  absl::StatusOr<std::shared_ptr<const tuf::Targets>> Load(
      absl::string_view role, absl::string_view delegator) {
    const std::string file = tuf::RoleFileName(role);
    const std::optional<std::string> bytes = store_.ReadIfUsable(
        role,
        delegator.empty() ? max_targets_bytes_ : budget_.For(role, delegator));
    if (!bytes.has_value()) {
      return Error(
          hr::kWuEDsDatanotavailable,
          absl::StrCat(file, ": nothing is trusted yet; refresh first"), file);
    }
    absl::StatusOr<tuf::Metadata<tuf::Targets>> metadata =
        tuf::Parse<tuf::Targets>(*bytes);
    absl::Status status = metadata.status();
    if (status.ok()) status = Verify(*metadata, role, delegator);
    if (!status.ok()) {
      return Error(
          hr::kWuEDsDatanotavailable,
          absl::StrCat(file, ": the trusted copy is no longer usable (",
                       status.message(), "); refresh first"),
          file);
    }
    if (!delegator.empty()) budget_.Take(role, delegator, bytes->size());
    return loaded_[std::string(role)] =
               std::make_shared<const tuf::Targets>(std::move(metadata->body));
  }

 private:
  absl::Status Verify(const tuf::Metadata<tuf::Targets>& metadata,
                      absl::string_view role,
                      absl::string_view delegator) const {
    if (delegator.empty()) {
      return tuf::VerifyThreshold(metadata.signed_bytes, metadata.signatures,
                                  root_.keys, root_.roles.at(kTargets));
    }
    const std::optional<tuf::Delegations>& delegations =
        loaded_.at(std::string(delegator))->delegations;
    const tuf::Role* const found =
        delegations.has_value() ? tuf::FindRole(*delegations, role) : nullptr;
    if (found == nullptr) {
      return Error(hr::kEUnexpected, "nobody delegates to it");
    }
    return tuf::VerifyThreshold(metadata.signed_bytes, metadata.signatures,
                                delegations->keys, *found);
  }

  const tuf::Root& root_;
  const MetadataStore& store_;
  const int64_t max_targets_bytes_;
  RoleBudget budget_;
  std::map<std::string, std::shared_ptr<const tuf::Targets>> loaded_;
};

class RepositoryImpl final : public Repository {
 public:
  explicit RepositoryImpl(const RepositoryOptions& options)
      : options_(options),
        store_(options.metadata_dir),
        fetcher_(Fetcher::Create(FetcherOptions(options))) {}

  absl::StatusOr<RefreshOutcome> Refresh(
      const CancellationToken& cancel) override {
    TufClient client(options_, JoinUrl(options_.url, "metadata"), store_,
                     *fetcher_, cancel, [this](const tuf::Targets& targets) {
                       return CheckCatalogs(kTargets, targets,
                                            options_.max_catalog_bytes);
                     });
    USHER_RETURN_IF_ERROR(client.Refresh());
    USHER_ASSIGN_OR_RETURN(
        CatalogTargets found,
        FindCatalogs(options_, [&client](absl::string_view role,
                                         absl::string_view delegator) {
          return client.LoadRole(role, delegator);
        }));
    const tuf::TrustedMetadataSet& set = client.trusted();
    RefreshOutcome outcome;
    outcome.changed = client.work().changed;
    outcome.roots_followed = client.work().roots_followed;
    outcome.requests = client.work().requests;
    outcome.bytes = client.work().bytes;
    outcome.root_version = set.root().version;
    outcome.root_expires = set.root().expires;
    outcome.timestamp_version = set.timestamp()->version;
    outcome.snapshot_version = set.snapshot()->version;
    outcome.targets_version = set.targets()->version;
    outcome.catalogs = std::move(found.catalogs);
    outcome.problems = std::move(found.problems);
    return outcome;
  }

  absl::StatusOr<RefreshOutcome> Trusted() override {
    USHER_ASSIGN_OR_RETURN(const tuf::Root root, TrustedRoot());
    TrustedRoles roles(root, store_, options_);
    USHER_ASSIGN_OR_RETURN(const std::shared_ptr<const tuf::Targets> targets,
                           roles.Load(kTargets, ""));
    USHER_ASSIGN_OR_RETURN(
        CatalogTargets found,
        FindCatalogs(options_, [&roles](absl::string_view role,
                                        absl::string_view delegator) {
          return roles.Load(role, delegator);
        }));
    RefreshOutcome outcome;
    outcome.root_version = root.version;
    outcome.root_expires = root.expires;
    outcome.timestamp_version =
        CachedVersion<tuf::Timestamp>(store_, options_.max_timestamp_bytes);
    outcome.snapshot_version =
        CachedVersion<tuf::Snapshot>(store_, options_.max_snapshot_bytes);
    outcome.targets_version = targets->version;
    outcome.catalogs = std::move(found.catalogs);
    outcome.problems = std::move(found.problems);
    return outcome;
  }

  absl::Status FetchTarget(const TargetFile& target,
                           const std::filesystem::path& destination,
                           const CancellationToken& cancel) override {
    if (!tuf::IsConfinedTargetName(target.name) || target.length < 0) {
      return Error(hr::kEInvalidarg, "not the name of a target", target.name);
    }
    USHER_ASSIGN_OR_RETURN(const tuf::Root root, TrustedRoot());
    const std::string path =
        TargetPath(target, root.consistent_snapshot.value_or(false));
    return DownloadTarget(*fetcher_,
                          JoinUrl(JoinUrl(options_.url, "targets"), path),
                          target, destination, cancel);
  }

 private:
  absl::StatusOr<tuf::Root> TrustedRoot() const {
    USHER_ASSIGN_OR_RETURN(const std::string bytes,
                           store_.Read(kRoot, options_.max_root_bytes));
    USHER_ASSIGN_OR_RETURN(const tuf::TrustedMetadataSet set,
                           tuf::TrustedMetadataSet::Create(bytes, absl::Now()));
    return set.root();
  }

  const RepositoryOptions options_;
  const MetadataStore store_;
  const std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace

absl::Status Repository::Initialize(const RepositoryOptions& options,
                                    absl::string_view root) {
  if (static_cast<int64_t>(root.size()) > options.max_root_bytes) {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 absl::StrCat("root.json: larger than the limit of ",
                              options.max_root_bytes, " bytes"),
                 "root.json");
  }
  USHER_RETURN_IF_ERROR(CheckRoot(root));
  const MetadataStore store(options.metadata_dir);
  USHER_RETURN_IF_ERROR(store.Create());
  if (store.Has(kRoot)) {
    return Error(hr::kWuEDsRowexists,
                 absl::StrCat(PathToUtf8(options.metadata_dir),
                              " already has a trusted root.json"),
                 "root.json");
  }
  return store.Write(kRoot, root);
}

absl::Status Repository::Confirm(const RepositoryOptions& options,
                                 absl::string_view root) {
  USHER_ASSIGN_OR_RETURN(const tuf::TrustedMetadataSet given,
                         tuf::TrustedMetadataSet::Create(root, absl::Now()));
  USHER_ASSIGN_OR_RETURN(const tuf::TrustedMetadataSet trusted,
                         ReadTrustedRoot(options));
  if (given.root().version < trusted.root().version) return absl::OkStatus();
  const std::vector<std::string>& known =
      trusted.root().roles.at(kRoot).key_ids;
  for (const std::string& key : given.root().roles.at(kRoot).key_ids) {
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      return absl::OkStatus();
    }
  }
  return Error(hr::kWuEDsRowexists,
               "root.json: the update service is registered under another "
               "root; remove it first if this one is to be trusted",
               "root.json");
}

absl::StatusOr<std::unique_ptr<Repository>> Repository::Open(
    const RepositoryOptions& options) {
  USHER_RETURN_IF_ERROR(ParseUrl(options.url).status());
  USHER_RETURN_IF_ERROR(ReadTrustedRoot(options).status());
  const MetadataStore store(options.metadata_dir);
  USHER_RETURN_IF_ERROR(store.RemoveLeftovers());
  return std::make_unique<RepositoryImpl>(options);
}

}  // namespace usher::repository
