#include "publisher/repository_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/trusted_metadata_set.h"
#include "publisher/catalog_file.h"
#include "publisher/payload_store.h"
#include "publisher/published_metadata.h"
#include "publisher/repository_source.h"
#include "publisher/update_checks.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::CatalogRecord;
using repository::v1::Payload;

// What clients accept (service/repository/repository.h).
constexpr uint64_t kMaxRootBytes = uint64_t{512} * 1024;
constexpr uint64_t kMaxTimestampBytes = uint64_t{16} * 1024;
constexpr uint64_t kMaxSnapshotBytes = uint64_t{2} * 1024 * 1024;
constexpr uint64_t kMaxTargetsBytes = uint64_t{64} * 1024 * 1024;
constexpr int kMaxRootRotations = 256;
constexpr size_t kMaxListed = 10;

bool IsMissing(const absl::Status& status) {
  const HResult code = HResultOf(status);
  return code == hr::kErrorFileNotFound || code == hr::kErrorPathNotFound ||
         code == hr::kWuEPtHttpStatusNotFound;
}

class Checker {
 public:
  Checker(std::unique_ptr<RepositorySource> source, absl::Time now)
      : source_(std::move(source)), now_(now) {}

  absl::StatusOr<CheckReport> Run(absl::string_view root) {
    USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet trusted,
                           tuf::TrustedMetadataSet::Create(root, now_));
    USHER_RETURN_IF_ERROR(CheckRoots(root, trusted));
    USHER_RETURN_IF_ERROR(CheckMetadata(trusted));
    for (const auto& [name, info] : trusted.targets()->targets) {
      USHER_RETURN_IF_ERROR(CheckTarget(name, info));
    }
    USHER_RETURN_IF_ERROR(PayloadFaults());
    return report_;
  }

 private:
  absl::StatusOr<std::string> Metadata(const std::string& name,
                                       uint64_t limit) {
    auto text = source_->Read(absl::StrCat("metadata/", name), limit);
    if (!text.ok()) return Annotate(text.status(), name);
    return text;
  }

  absl::Status CheckRoots(absl::string_view root,
                          tuf::TrustedMetadataSet& trusted) {
    // The published copy of the trusted version must be the trusted one, or
    // clients that start from it disagree with those that were given `root`.
    const std::string own = VersionedName(trusted.root().version, "root");
    USHER_ASSIGN_OR_RETURN(const std::string published,
                           Metadata(own, kMaxRootBytes));
    if (published != root) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(own, " differs from the trusted root"), own);
    }
    for (int i = 0; i < kMaxRootRotations; ++i) {
      const std::string name =
          VersionedName(trusted.root().version + 1, "root");
      const auto next = Metadata(name, kMaxRootBytes);
      if (!next.ok()) {
        if (!IsMissing(next.status())) return next.status();
        break;
      }
      USHER_RETURN_IF_ERROR(Annotate(trusted.UpdateRoot(*next), name));
    }
    USHER_RETURN_IF_ERROR(trusted.FinishRoot());
    report_.root_version = trusted.root().version;
    report_.expires = trusted.root().expires;
    return absl::OkStatus();
  }

  absl::Status CheckMetadata(tuf::TrustedMetadataSet& trusted) {
    USHER_ASSIGN_OR_RETURN(const std::string timestamp,
                           Metadata("timestamp.json", kMaxTimestampBytes));
    USHER_RETURN_IF_ERROR(trusted.UpdateTimestamp(timestamp).status());
    const std::string snapshot_name =
        VersionedName(trusted.timestamp()->snapshot.version, "snapshot");
    USHER_ASSIGN_OR_RETURN(const std::string snapshot,
                           Metadata(snapshot_name, kMaxSnapshotBytes));
    USHER_RETURN_IF_ERROR(trusted.UpdateSnapshot(snapshot));
    const std::string targets_name =
        VersionedName(trusted.targets_meta()->version, "targets");
    USHER_ASSIGN_OR_RETURN(const std::string targets,
                           Metadata(targets_name, kMaxTargetsBytes));
    USHER_RETURN_IF_ERROR(trusted.UpdateTargets(targets));
    report_.timestamp_version = trusted.timestamp()->version;
    report_.snapshot_version = trusted.snapshot()->version;
    report_.targets_version = trusted.targets()->version;
    report_.expires =
        std::min({report_.expires, trusted.timestamp()->expires,
                  trusted.snapshot()->expires, trusted.targets()->expires});
    return absl::OkStatus();
  }

  absl::Status CheckTarget(const std::string& name,
                           const tuf::TargetInfo& info) {
    const auto hash = info.hashes.find("sha256");
    if (hash == info.hashes.end()) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(name, " has no SHA-256 in the targets"), name);
    }
    // Consistent snapshots put the hash before the last part of the name.
    const size_t slash = name.rfind('/');
    const size_t base = slash == std::string::npos ? 0 : slash + 1;
    const std::string file = absl::StrCat("targets/", name.substr(0, base),
                                          hash->second, ".", name.substr(base));
    USHER_ASSIGN_OR_RETURN(
        const std::string content,
        source_->Read(file, static_cast<uint64_t>(info.length)));
    if (static_cast<int64_t>(content.size()) != info.length ||
        ToHex(Sha256Of(content)) != hash->second) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat(file, " is not what the targets name"), file);
    }
    if (!absl::EndsWith(name, ".usc")) return absl::OkStatus();
    return Annotate(DecodeCatalog(content,
                                  [this](const CatalogRecord& record) {
                                    return CheckRecord(record);
                                  }),
                    file);
  }

  absl::Status CheckRecord(const CatalogRecord& record) {
    if (record.has_header()) {
      USHER_RETURN_IF_ERROR(CheckAsClients(record.header()));
      report_.service_id = record.header().service_id();
      report_.service_name = record.header().service_name();
    } else if (record.has_category()) {
      return CheckCategory(record.category());
    } else if (record.has_update()) {
      ++report_.updates;
      USHER_RETURN_IF_ERROR(CheckUpdate(record.update()));
      USHER_RETURN_IF_ERROR(CheckAsClients(record.update()));
      for (const Payload& payload : record.update().payloads()) {
        CheckPayloadContent(payload);
      }
    }
    return absl::OkStatus();
  }

  void CheckPayloadContent(const Payload& payload) {
    if (absl::StartsWith(payload.location(), kAbsentPrefix)) {
      ++report_.payloads_absent;
      return;
    }
    const auto folder = source_->folder();
    if (!IsOwnPayload(payload.location()) || !folder.has_value()) {
      ++report_.payloads_not_checked;
      return;
    }
    const auto facts =
        HashFile(*folder / "targets" / PathFromUtf8(payload.location()));
    if (!facts.ok()) {
      faults_.push_back(std::string(facts.status().message()));
      return;
    }
    if (facts->size != payload.size() ||
        !std::equal(
            facts->sha256.begin(), facts->sha256.end(),
            payload.sha256().begin(), payload.sha256().end(),
            [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
      faults_.push_back(absl::StrCat("targets/", payload.location(),
                                     " is not what the catalog names"));
      return;
    }
    ++report_.payloads_verified;
  }

  absl::Status PayloadFaults() const {
    if (faults_.empty()) return absl::OkStatus();
    std::vector<std::string> listed(
        faults_.begin(), faults_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                               faults_.size(), kMaxListed)));
    if (faults_.size() > kMaxListed) {
      listed.push_back(
          absl::StrCat("and ", faults_.size() - kMaxListed, " more payloads"));
    }
    return Error(hr::kWuEDmIncorrectfilehash, absl::StrJoin(listed, "\n"));
  }

  std::unique_ptr<RepositorySource> source_;
  const absl::Time now_;
  CheckReport report_;
  std::vector<std::string> faults_;
};

}  // namespace

absl::StatusOr<CheckReport> CheckRepository(absl::string_view location,
                                            absl::string_view root,
                                            absl::Time now) {
  return Checker(OpenRepositorySource(location), now).Run(root);
}

}  // namespace usher::publisher
