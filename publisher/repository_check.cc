#include "publisher/repository_check.h"

#include <algorithm>
#include <cstdint>
#include <map>
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
#include "publisher/catalog_file.h"
#include "publisher/payload_store.h"
#include "publisher/repository_source.h"
#include "publisher/repository_walk.h"
#include "publisher/update_checks.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::CatalogRecord;
using repository::v1::Payload;

constexpr size_t kMaxListed = 10;

class Checker {
 public:
  Checker(std::unique_ptr<RepositorySource> source, absl::Time now)
      : source_(std::move(source)), now_(now) {}

  absl::StatusOr<CheckReport> Run(absl::string_view root) {
    USHER_ASSIGN_OR_RETURN(const VerifiedRepository repository,
                           VerifyRepository(*source_, root, now_));
    report_.root_version = repository.root.version;
    report_.timestamp_version = repository.timestamp_version;
    report_.snapshot_version = repository.snapshot_version;
    report_.targets_version = repository.targets_version;
    report_.expires = repository.expires;
    report_.delegated_roles = static_cast<int64_t>(repository.delegated.size());
    // Clients do without these roles; whoever publishes wants to know.
    for (const RoleFault& fault : repository.faults) {
      faults_.emplace_back(fault.status.message());
    }
    for (const VerifiedTarget& target : repository.files) {
      const absl::Status status = CheckTarget(target);
      if (status.ok()) continue;
      if (target.role == "targets") return status;
      faults_.push_back(absl::StrCat(target.role, ": ", status.message()));
    }
    CheckBundles();
    USHER_RETURN_IF_ERROR(AllFaults());
    return report_;
  }

 private:
  absl::Status CheckTarget(const VerifiedTarget& target) {
    USHER_ASSIGN_OR_RETURN(const std::string content,
                           ReadTarget(*source_, target));
    if (!absl::EndsWith(target.name, ".usc")) return absl::OkStatus();
    catalog_ = &target;
    return Annotate(DecodeCatalog(content,
                                  [this](const CatalogRecord& record) {
                                    return CheckRecord(record);
                                  }),
                    absl::StrCat("targets/", target.path));
  }

  absl::Status CheckRecord(const CatalogRecord& record) {
    if (record.has_header()) {
      USHER_RETURN_IF_ERROR(CheckAsClients(record.header()));
      if (report_.service_id.empty()) {
        report_.service_id = record.header().service_id();
        report_.service_name = record.header().service_name();
      } else if (report_.service_id != record.header().service_id()) {
        return Error(
            hr::kWuEInvalidUpdate,
            absl::StrCat("it is for service ", record.header().service_id(),
                         ", the repository is ", report_.service_id));
      }
    } else if (record.has_category()) {
      USHER_RETURN_IF_ERROR(CheckCategory(record.category()));
      const auto [known, added] =
          categories_.try_emplace(record.category().category_id(),
                                  record.category().SerializeAsString());
      if (!added && known->second != record.category().SerializeAsString()) {
        return Error(hr::kWuEInvalidUpdate,
                     absl::StrCat("category ", record.category().category_id(),
                                  " is defined differently in another "
                                  "catalog"));
      }
    } else if (record.has_update()) {
      ++report_.updates;
      USHER_RETURN_IF_ERROR(CheckUpdate(record.update()));
      USHER_RETURN_IF_ERROR(CheckAsClients(record.update()));
      USHER_RETURN_IF_ERROR(Own(record.update().update()));
      for (const Payload& payload : record.update().payloads()) {
        CheckPayloadContent(payload);
      }
    }
    return absl::OkStatus();
  }

  // Each update is in one catalog.
  absl::Status Own(const usher::v1::Update& update) {
    const std::string& id = update.identity().update_id();
    const auto [known, added] = updates_.try_emplace(
        id, Known{catalog_->name, update.identity().revision_number(),
                  update.bundled_updates_size() > 0});
    if (!added) {
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("update ", id, " is in ", known->second.catalog,
                                " and in ", catalog_->name));
    }
    for (const auto& child : update.bundled_updates()) {
      members_.push_back(
          {update.name(), child.update_id(), child.revision_number()});
    }
    return absl::OkStatus();
  }

  void CheckBundles() {
    for (const Member& member : members_) {
      const auto found = updates_.find(member.update_id);
      if (found == updates_.end() ||
          found->second.revision != member.revision ||
          found->second.is_bundle) {
        faults_.push_back(absl::StrCat(
            "bundle ", member.bundle, " contains update ", member.update_id,
            " revision ", member.revision,
            ", which the repository does not have or which is a bundle"));
      }
    }
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

  absl::Status AllFaults() const {
    if (faults_.empty()) return absl::OkStatus();
    std::vector<std::string> listed(
        faults_.begin(), faults_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                               faults_.size(), kMaxListed)));
    if (faults_.size() > kMaxListed) {
      listed.push_back(
          absl::StrCat("and ", faults_.size() - kMaxListed, " more faults"));
    }
    return Error(hr::kWuEDmIncorrectfilehash, absl::StrJoin(listed, "\n"));
  }

  std::unique_ptr<RepositorySource> source_;
  const absl::Time now_;
  CheckReport report_;
  struct Known {
    std::string catalog;
    int32_t revision = 0;
    bool is_bundle = false;
  };
  struct Member {
    std::string bundle;
    std::string update_id;
    int32_t revision = 0;
  };
  const VerifiedTarget* catalog_ = nullptr;  // the present one
  std::map<std::string, Known> updates_;     // by id
  std::map<std::string, std::string> categories_;
  std::vector<Member> members_;
  std::vector<std::string> faults_;
};

}  // namespace

absl::StatusOr<CheckReport> CheckRepository(absl::string_view location,
                                            absl::string_view root,
                                            absl::Time now) {
  return Checker(OpenRepositorySource(location), now).Run(root);
}

}  // namespace usher::publisher
