#include "publisher/vendor.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/update_checks.h"

namespace usher::publisher {

absl::Status CheckVendorName(absl::string_view name) {
  constexpr size_t kMaxBytes = 64;
  bool good = !name.empty() && name.size() <= kMaxBytes &&
              IsPayloadName(name) && !tuf::IsTopLevelRole(name) &&
              name.back() != '.' &&
              absl::ascii_isalnum(static_cast<unsigned char>(name.front()));
  for (const char c : name) {
    good = good && (absl::ascii_islower(static_cast<unsigned char>(c)) ||
                    absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                    c == '.' || c == '_' || c == '-');
  }
  const absl::string_view stem = name.substr(0, name.find('.'));
  for (const absl::string_view device : {"con", "prn", "aux", "nul"}) {
    good = good && stem != device;
  }
  good = good && !(stem.size() == 4 && (absl::StartsWith(stem, "com") ||
                                        absl::StartsWith(stem, "lpt")));
  if (good) return absl::OkStatus();
  return Error(hr::kEInvalidarg,
               absl::StrCat("\"", name,
                            "\" cannot name a vendor: small letters, digits, "
                            "'.', '_' and '-', at most 64, and not the name of "
                            "a role such as targets or of a device"),
               name);
}

std::string VendorFolder(absl::string_view name) {
  return absl::StrCat("catalog/", name, "/");
}

absl::optional<tuf::Delegations> DelegationsTo(
    const std::vector<Vendor>& vendors) {
  tuf::Delegations delegations;
  std::vector<tuf::DelegatedRole> roles;
  for (const Vendor& vendor : vendors) {
    if (vendor.version == 0 || vendor.removed) continue;
    tuf::DelegatedRole& role = roles.emplace_back();
    role.name = vendor.name;
    role.role.threshold = vendor.threshold;
    for (const tuf::Key& key : vendor.keys) {
      std::string id = tuf::KeyId(key);
      role.role.key_ids.push_back(id);
      delegations.keys[std::move(id)] = key;
    }
    // Nobody else speaks for the folder, whatever comes later in the list.
    role.terminating = true;
    role.paths.emplace({absl::StrCat(VendorFolder(vendor.name), "*")});
  }
  if (roles.empty()) return absl::nullopt;
  delegations.roles = std::move(roles);
  return delegations;
}

}  // namespace usher::publisher
