// The order-enforcing core: documents of a good repository, changed here and
// there, in any order. Whatever comes, versions never go back, and what is
// trusted was signed.

#include <string>
#include <vector>

#include "common/error.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "tests/fuzz/require.h"
#include "tests/unit/tuf/test_repository.h"

namespace usher::fuzz {
namespace {

struct Documents {
  std::string first_root;
  std::vector<std::string> all;
  absl::Time now;
};

// Two versions of everything, with a delegation.
const Documents& Good() {
  static const auto* const kGood = [] {
    auto* good = new Documents;
    tuf::TestRepository repository;
    good->now = repository.now;
    good->first_root = repository.RootBytes();
    tuf::Delegations& delegations =
        repository.targets.body.delegations.emplace();
    tuf::DelegatedRole& role = delegations.roles.emplace().emplace_back();
    role.name = "vendor";
    role.paths = {"*"};
    role.role.key_ids = {repository.root_key.key_id()};
    delegations.keys[repository.root_key.key_id()] =
        repository.root_key.public_key();
    tuf::Metadata<tuf::Targets> vendor;
    vendor.body.expires = repository.targets.body.expires;
    for (int version = 1; version <= 2; ++version) {
      vendor.body.version = version;
      good->all.push_back(
          tuf::TestRepository::Signed(vendor, {repository.root_key}));
      repository.snapshot.body.meta["vendor.json"] =
          tuf::DescribeMetadata(version, good->all.back());
      repository.targets.body.version = version;
      repository.snapshot.body.version = version;
      repository.timestamp.body.version = version;
      repository.Publish();
      good->all.push_back(repository.timestamp_bytes);
      good->all.push_back(repository.snapshot_bytes);
      good->all.push_back(repository.targets_bytes);
      repository.root.body.version = version + 1;
      good->all.push_back(repository.RootBytes());
    }
    return good;
  }();
  return *kGood;
}

void Run(absl::string_view input) {
  const Documents& good = Good();
  tuf::TrustedMetadataSet set =
      tuf::TrustedMetadataSet::Create(good.first_root, good.now).value();
  // Three bytes a step: what is called, with which document, changed where.
  for (size_t i = 0; i + 3 <= input.size() && i < 120; i += 3) {
    const auto step = static_cast<uint8_t>(input[i]);
    std::string bytes =
        good.all[static_cast<uint8_t>(input[i + 1]) % good.all.size()];
    const auto place = static_cast<uint8_t>(input[i + 2]);
    const bool changed = place != 0;
    if (changed) bytes[bytes.size() * place / 256] ^= 1;
    const int64_t root = set.root().version;
    const int64_t timestamp = set.timestamp() ? set.timestamp()->version : 0;
    const int64_t snapshot = set.snapshot() ? set.snapshot()->version : 0;
    switch (step % 8) {
      case 0:
        set.UpdateRoot(bytes).IgnoreError();
        break;
      case 1:
        set.FinishRoot().IgnoreError();
        break;
      case 2:
        set.LoadCachedTimestamp(bytes).IgnoreError();
        break;
      case 3:
        set.UpdateTimestamp(bytes).IgnoreError();
        break;
      case 4:
        set.LoadCachedSnapshot(bytes).IgnoreError();
        break;
      case 5:
        set.UpdateSnapshot(bytes).IgnoreError();
        break;
      case 6:
        set.UpdateTargets(bytes).IgnoreError();
        break;
      case 7:
        set.UpdateDelegatedTargets(bytes, "vendor", "targets").IgnoreError();
        break;
    }
    Require(set.root().version >= root);
    Require(!timestamp || set.timestamp()->version >= timestamp);
    Require(!snapshot || set.snapshot()->version >= snapshot);
    // Each only after what speaks for it.
    Require(set.snapshot() == nullptr || set.timestamp() != nullptr);
    Require(set.targets() == nullptr || set.snapshot() != nullptr);
    Require(set.targets("vendor") == nullptr || set.targets() != nullptr);
    Require(set.targets("vendor") == nullptr ||
            set.IsTrusted("vendor", "targets"));
  }
}

}  // namespace
}  // namespace usher::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  usher::fuzz::Run(usher::fuzz::Text(data, size));
  return 0;
}
