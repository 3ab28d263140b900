#include "publisher/repository_walk.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/missing_file.h"
#include "common/tuf/content_hashes.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "publisher/published_metadata.h"

namespace usher::publisher {
namespace {

// What clients accept (service/repository/repository.h).
constexpr uint64_t kMaxRootBytes = uint64_t{512} * 1024;
constexpr uint64_t kMaxTimestampBytes = uint64_t{16} * 1024;
constexpr uint64_t kMaxSnapshotBytes = uint64_t{2} * 1024 * 1024;
constexpr uint64_t kMaxTargetsBytes = uint64_t{64} * 1024 * 1024;
constexpr uint64_t kMaxAllRolesBytes = uint64_t{64} * 1024 * 1024;
constexpr int kMaxRootRotations = 256;
constexpr size_t kMaxRoles = 1024;
constexpr int64_t kMaxTargetBytes = int64_t{1} << 32;

std::vector<std::string> RolesOf(const tuf::Delegations& delegations) {
  std::vector<std::string> names;
  if (delegations.succinct_roles.has_value()) {
    const uint64_t count = uint64_t{1} << static_cast<uint64_t>(
                               delegations.succinct_roles->bit_length);
    for (uint64_t i = 0; i < count && names.size() <= kMaxRoles; ++i) {
      names.push_back(tuf::BinName(*delegations.succinct_roles, i));
    }
    return names;
  }
  for (const tuf::DelegatedRole& role : *delegations.roles) {
    names.push_back(role.name);
  }
  return names;
}

bool IsCatalog(absl::string_view target) {
  return absl::StartsWith(target, "catalog/") && absl::EndsWith(target, ".usc");
}

class Walk {
 public:
  Walk(RepositorySource& source, absl::Time now) : source_(source), now_(now) {}

  absl::StatusOr<VerifiedRepository> Run(absl::string_view root,
                                         const EarlierState& earlier) {
    USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet trusted,
                           tuf::TrustedMetadataSet::Create(root, now_));
    USHER_RETURN_IF_ERROR(ReadRoots(root, earlier, trusted));
    result_.root = trusted.root();
    if (!trusted.root().consistent_snapshot.value_or(false)) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   "the repository has no consistent snapshots, so that its "
                   "files cannot be told apart",
                   "root.json");
    }
    result_.expires = trusted.root().expires;
    USHER_RETURN_IF_ERROR(ReadSnapshot(trusted, earlier));
    USHER_RETURN_IF_ERROR(ReadRoles(trusted));
    FindTargets();
    return std::move(result_);
  }

 private:
  absl::StatusOr<std::string> Read(const std::string& name, uint64_t limit) {
    auto text = source_.Read(absl::StrCat("metadata/", name), limit);
    if (!text.ok()) return Annotate(text.status(), name);
    return text;
  }

  absl::Status ReadRoots(absl::string_view root, const EarlierState& earlier,
                         tuf::TrustedMetadataSet& trusted) {
    // The published copy of the trusted version must be the trusted one, or
    // clients that start from it disagree with those that were given `root`.
    const int64_t first = trusted.root().version;
    const std::string own = VersionedName(first, "root");
    USHER_ASSIGN_OR_RETURN(std::string published, Read(own, kMaxRootBytes));
    if (published != root) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(own, " differs from the trusted root"), own);
    }
    result_.roots.push_back({own, std::move(published)});
    // Older ones, for clients that start from them.
    for (int64_t version = first - 1; version > 0; --version) {
      const std::string name = VersionedName(version, "root");
      auto older = Read(name, kMaxRootBytes);
      if (!older.ok()) {
        if (!IsMissingFile(older.status())) return older.status();
        break;
      }
      auto set = tuf::TrustedMetadataSet::Create(*older, now_);
      absl::Status status = set.status();
      if (status.ok()) status = set->UpdateRoot(result_.roots.front().text);
      if (!status.ok()) return Annotate(status, name);
      result_.roots.insert(result_.roots.begin(), {name, *std::move(older)});
    }
    for (int i = 0; i < kMaxRootRotations; ++i) {
      const std::string name =
          VersionedName(trusted.root().version + 1, "root");
      auto next = Read(name, kMaxRootBytes);
      if (!next.ok()) {
        if (!IsMissingFile(next.status())) return next.status();
        break;
      }
      USHER_RETURN_IF_ERROR(Annotate(trusted.UpdateRoot(*next), name));
      result_.roots.push_back({name, *std::move(next)});
    }
    for (const MetadataDocument& known : earlier.roots) {
      const auto same = [&known](const MetadataDocument& document) {
        return document.name == known.name && document.text == known.text;
      };
      if (std::none_of(result_.roots.begin(), result_.roots.end(), same)) {
        return Error(hr::kWuERedirectorIdSmaller,
                     absl::StrCat(known.name,
                                  ", which was trusted before, is missing "
                                  "there or is another one: the repository "
                                  "has gone back to an older state"),
                     known.name);
      }
    }
    return trusted.FinishRoot();
  }

  absl::Status ReadSnapshot(tuf::TrustedMetadataSet& trusted,
                            const EarlierState& earlier) {
    if (!earlier.timestamp.empty()) {
      // Signed by keys that are no longer trusted: it says nothing.
      trusted.LoadCachedTimestamp(earlier.timestamp).IgnoreError();
    }
    result_.timestamp.name = "timestamp.json";
    USHER_ASSIGN_OR_RETURN(result_.timestamp.text,
                           Read(result_.timestamp.name, kMaxTimestampBytes));
    USHER_RETURN_IF_ERROR(
        trusted.UpdateTimestamp(result_.timestamp.text).status());
    // True if it is the one that the timestamp names.
    const bool same =
        !earlier.snapshot.empty() &&
        trusted.LoadCachedSnapshot(earlier.snapshot).value_or(false);
    result_.snapshot.name =
        VersionedName(trusted.timestamp()->snapshot.version, "snapshot");
    if (same) {
      result_.snapshot.text = earlier.snapshot;
    } else {
      USHER_ASSIGN_OR_RETURN(result_.snapshot.text,
                             Read(result_.snapshot.name, kMaxSnapshotBytes));
      USHER_RETURN_IF_ERROR(trusted.UpdateSnapshot(result_.snapshot.text));
    }
    result_.targets.name =
        VersionedName(trusted.targets_meta()->version, "targets");
    USHER_ASSIGN_OR_RETURN(result_.targets.text,
                           Read(result_.targets.name, kMaxTargetsBytes));
    USHER_RETURN_IF_ERROR(trusted.UpdateTargets(result_.targets.text));
    result_.timestamp_version = trusted.timestamp()->version;
    result_.snapshot_version = trusted.snapshot()->version;
    result_.targets_version = trusted.targets()->version;
    result_.expires =
        std::min({result_.expires, trusted.timestamp()->expires,
                  trusted.snapshot()->expires, trusted.targets()->expires});
    return absl::OkStatus();
  }

  // Depth first, each once on the word of each delegator.
  absl::Status ReadRoles(tuf::TrustedMetadataSet& trusted) {
    struct Pending {
      std::string role;
      std::string delegator;
      size_t depth = 0;
    };
    std::vector<Pending> pending = {{"targets", "", 0}};
    std::set<std::string> kept;
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      if (next.depth > tuf::TargetSearch::Limits().max_depth ||
          roles_.contains({next.role, next.delegator})) {
        continue;
      }
      if (roles_.size() >= kMaxRoles) {
        return Error(hr::kWuEMetadataSignatureVerifyFailed,
                     absl::StrCat("the repository delegates to more than ",
                                  kMaxRoles, " roles"),
                     "targets.json");
      }
      if (!next.delegator.empty()) {
        RoleFault fault{next.role, absl::OkStatus()};
        fault.status =
            ReadRole(trusted, next.role, next.delegator, kept, fault.kind);
        if (!fault.status.ok()) {
          roles_.try_emplace({next.role, next.delegator}, nullptr);
          result_.faults.push_back(std::move(fault));
          continue;
        }
      }
      const tuf::Targets& targets = *(roles_[{next.role, next.delegator}] =
                                          trusted.ShareTargets(next.role));
      order_.emplace(next.role, order_.size());
      result_.expires = std::min(result_.expires, targets.expires);
      if (!targets.delegations.has_value()) continue;
      result_.delegations.push_back(*targets.delegations);
      const std::vector<std::string> names = RolesOf(*targets.delegations);
      for (auto name = names.rbegin(); name != names.rend(); ++name) {
        pending.push_back({*name, next.role, next.depth + 1});
      }
    }
    return absl::OkStatus();
  }

  // `kind`: of the fault, if there is one.
  absl::Status ReadRole(tuf::TrustedMetadataSet& trusted,
                        const std::string& role, const std::string& delegator,
                        std::set<std::string>& kept, RoleFault::Kind& kind) {
    const tuf::MetaFile* const meta = trusted.targets_meta(role);
    const std::string file = tuf::RoleFileName(role);
    if (meta == nullptr) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat("the snapshot does not name ", file), file);
    }
    const std::string name = absl::StrCat(meta->version, ".", file);
    auto text =
        Read(name, std::min(kMaxRoleBytes, kMaxAllRolesBytes - roles_bytes_));
    if (!text.ok()) {
      if (!IsDamage(text.status())) kind = RoleFault::Kind::kNotRead;
      return text.status();
    }
    const absl::Status status =
        trusted.UpdateDelegatedTargets(*text, role, delegator);
    if (HResultOf(status) == hr::kCertEExpired) {
      // The last of the checks: all else is right.
      kind = RoleFault::Kind::kExpired;
      USHER_ASSIGN_OR_RETURN(auto document, tuf::Parse<tuf::Targets>(*text));
      roles_[{role, delegator}] =
          std::make_shared<const tuf::Targets>(std::move(document.body));
      order_.emplace(role, order_.size());
    } else if (!status.ok()) {
      return status;
    }
    roles_bytes_ += text->size();
    if (kept.insert(name).second) {
      result_.delegated.push_back({name, *std::move(text)});
    }
    return status;
  }

  void FindTargets() {
    std::set<std::string> names;
    for (const auto& [place, targets] : roles_) {
      if (targets == nullptr) continue;
      for (const auto& [name, info] : targets->targets) names.insert(name);
    }
    for (const std::string& name : names) {
      std::string role = "targets";
      if (const absl::Status status = FindTarget(name, role); !status.ok()) {
        result_.faults.push_back({std::move(role), status});
      }
    }
    std::stable_sort(result_.files.begin(), result_.files.end(),
                     [this](const VerifiedTarget& a, const VerifiedTarget& b) {
                       return order_.at(a.role) < order_.at(b.role);
                     });
  }

  // `of`: the role that describes it.
  absl::Status FindTarget(const std::string& name, std::string& of) {
    tuf::TargetSearch search(name, {});
    while (true) {
      USHER_ASSIGN_OR_RETURN(const std::optional<tuf::TargetSearch::Step> step,
                             search.Next());
      if (!step.has_value()) return absl::OkStatus();
      const auto role = roles_.find({step->role, step->delegator});
      if (role == roles_.end() || role->second == nullptr) {
        return absl::OkStatus();
      }
      const tuf::TargetInfo* const info = search.Visit(*role->second);
      if (info == nullptr) continue;
      of = step->role;
      const std::string file = tuf::RoleFileName(step->role);
      const std::string* const hash = tuf::KnownHash(info->hashes);
      const auto sha256 = info->hashes.find("sha256");
      if (hash == nullptr || info->length > kMaxTargetBytes) {
        return Error(hr::kWuEMetadataSignatureVerifyFailed,
                     absl::StrCat(file, ": ", name,
                                  " has neither SHA-256 nor SHA-512 or is "
                                  "larger than 4 GiB"),
                     name);
      }
      if (IsCatalog(name) && sha256 == info->hashes.end()) {
        return Error(hr::kWuEMetadataSignatureVerifyFailed,
                     absl::StrCat(file, ": the catalog ", name,
                                  " has no SHA-256, without which clients do "
                                  "not take it"),
                     name);
      }
      VerifiedTarget& target = result_.files.emplace_back();
      target.role = step->role;
      target.name = name;
      target.length = info->length;
      target.hashes = info->hashes;
      if (sha256 != info->hashes.end()) {
        target.sha256 = absl::AsciiStrToLower(sha256->second);
      }
      target.path = tuf::ConsistentTargetPath(name, *hash);
      return absl::OkStatus();
    }
  }

  RepositorySource& source_;
  const absl::Time now_;
  // By role and delegator; null where it could not be had.
  std::map<std::pair<std::string, std::string>,
           std::shared_ptr<const tuf::Targets>>
      roles_;
  uint64_t roles_bytes_ = 0;
  std::map<std::string, size_t> order_;
  VerifiedRepository result_;
};

}  // namespace

absl::StatusOr<VerifiedRepository> VerifyRepository(
    RepositorySource& source, absl::string_view root, absl::Time now,
    const EarlierState& earlier) {
  return Walk(source, now).Run(root, earlier);
}

bool IsDamage(const absl::Status& status) {
  const HResult hresult = HResultOf(status);
  return IsMissingFile(status) || hresult == hr::kWuEInvalidFile ||
         hresult == hr::kWuEDmIncorrectfilehash;
}

absl::StatusOr<std::string> ReadTarget(RepositorySource& source,
                                       const VerifiedTarget& target) {
  const std::string file = absl::StrCat("targets/", target.path);
  USHER_ASSIGN_OR_RETURN(
      std::string content,
      source.Read(file, static_cast<uint64_t>(target.length)));
  if (!tuf::CheckContent(content, target.length, target.hashes, true).ok()) {
    return Error(hr::kWuEDmIncorrectfilehash,
                 absl::StrCat(file, " is not what ",
                              tuf::RoleFileName(target.role), " names"),
                 file);
  }
  return content;
}

}  // namespace usher::publisher
