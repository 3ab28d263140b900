#include "service/catalog/facts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/catalog/rollout.h"
#include "service/platform/boot_id.h"

namespace usher::catalog {
namespace {

constexpr uint64_t kMaxOsRelease = uint64_t{64} * 1024;
// File digests remembered; beyond that all are forgotten.
constexpr size_t kMaxHashed = 1024;
constexpr absl::string_view kProduct = "{product:";
constexpr absl::string_view kUpgrade = "upgrade ";

// The value of NAME=value or NAME="value" in os-release.
std::string OsReleaseValue(absl::string_view text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, name) || !absl::ConsumePrefix(&line, "=")) {
      continue;
    }
    if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') &&
        line.back() == line.front()) {
      line = line.substr(1, line.size() - 2);
    }
    return std::string{line};
  }
  return "";
}

FactsOptions Complete(FactsOptions options) {
  if (options.probe == nullptr) options.probe = NewSystemProbe();
  options.channels.emplace_back(kStableChannel);
  return options;
}

// Tells "there, and empty" from "not there".
std::string StampOf(const absl::optional<std::string>& found) {
  return found.has_value() ? absl::StrCat("=", *found) : "";
}

}  // namespace

std::string MachineFacts::Fingerprint() const {
  // None of them has a line feed, and a channel's name no comma.
  return absl::StrCat(family, "\n", distribution, "\n", version, "\n",
                      architecture, "\n", rollout_id, "\n",
                      absl::StrJoin(channels, ","), "\n",
                      absl::StrJoin(labels, "\n"));
}

std::string MachineFacts::PackageText(absl::string_view name) const {
  const auto it = packages.find(name);
  if (it == packages.end()) return "";
  return absl::StrJoin(
      it->second, "\n", [](std::string* out, const DebianPackage& package) {
        absl::StrAppend(out, package.architecture, " ", package.version);
      });
}

std::string RegistryFactKey(absl::string_view key, absl::string_view value) {
  // Neither has control characters.
  return absl::StrCat(key, "\n", value);
}

Facts::Facts(FactsOptions options) : options_(Complete(std::move(options))) {}

absl::StatusOr<std::shared_ptr<const MachineFacts>> Facts::Current() {
  absl::MutexLock lock(&mutex_);
  // Stamped before reading: a change in between shows at the next call.
  const std::string stamp = absl::StrCat(FileStamp(options_.dpkg_status), "|",
                                         FileStamp(options_.os_release));
  if (current_ != nullptr && stamp == stamp_) return current_;
  auto facts = std::make_shared<MachineFacts>();
  facts->family = MachineFamily();
  facts->version = MachineVersion();
  facts->architecture = MachineArchitecture();
  facts->labels = options_.labels;
  std::sort(facts->labels.begin(), facts->labels.end());
  const std::set<std::string> channels(options_.channels.begin(),
                                       options_.channels.end());
  facts->channels.assign(channels.begin(), channels.end());
  facts->rollout_id = options_.rollout_id;
  USHER_ASSIGN_OR_RETURN(facts->boot_id, platform::BootId());
  // A machine without os-release has no distribution.
  if (!options_.os_release.empty()) {
    const absl::StatusOr<std::string> os_release =
        ReadFile(options_.os_release, kMaxOsRelease);
    if (os_release.ok()) {
      facts->distribution = OsReleaseValue(*os_release, "ID");
      facts->version = OsReleaseValue(*os_release, "VERSION_ID");
    }
  }
  if (!options_.dpkg_status.empty()) {
    USHER_ASSIGN_OR_RETURN(facts->packages,
                           ReadDpkgStatus(options_.dpkg_status));
  }
  stamp_ = stamp;
  current_ = std::move(facts);
  return current_;
}

std::filesystem::path Facts::Resolve(absl::string_view rule_path) const {
  if (!absl::StartsWith(rule_path, kProduct)) return SystemPath(rule_path);
  const size_t end = rule_path.find('}');
  const absl::string_view name =
      rule_path.substr(kProduct.size(), end - kProduct.size());
  absl::string_view rest = rule_path.substr(end + 1);
  absl::ConsumePrefix(&rest, "/");
  std::filesystem::path path =
      CurrentFolder(options_.product_dir / PathFromUtf8(name));
  if (!rest.empty()) path /= PathFromUtf8(rest);
  return path;
}

std::string Facts::Stamp(FactKind kind, absl::string_view key) const {
  switch (kind) {
    case FactKind::kFile:
      return Stamp(key);
    case FactKind::kRegistry: {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(key, absl::MaxSplits('\n', 1));
      return StampOf(probe().RegistryData(parts.first, parts.second));
    }
    case FactKind::kMsiProduct:
      if (absl::ConsumePrefix(&key, kUpgrade)) {
        return absl::StrJoin(probe().MsiVersionsByUpgradeCode(key), "\n");
      }
      return StampOf(probe().MsiVersion(key));
    default:
      return "";
  }
}

std::string Facts::Stamp(absl::string_view rule_path) const {
  const std::filesystem::path path = Resolve(rule_path);
  return path.empty() ? "" : FileStamp(path);
}

std::string Facts::FileVersion(absl::string_view rule_path) const {
  // A file that may not be looked at has no stamp.
  return Stamp(rule_path).empty() ? ""
                                  : probe().FileVersion(Resolve(rule_path));
}

bool Facts::HasDigest(absl::string_view rule_path, const Sha256Digest& digest) {
  const std::filesystem::path path = Resolve(rule_path);
  std::string stamp = FileStamp(path);
  if (stamp.empty()) return false;
  absl::MutexLock lock(&mutex_);
  const auto it = hashed_.find(rule_path);
  if (it != hashed_.end() && it->second.stamp == stamp) {
    return it->second.digest == digest;
  }
  const absl::StatusOr<Sha256Digest> found = FileDigest(path);
  if (!found.ok()) return false;
  if (hashed_.size() >= kMaxHashed) hashed_.clear();
  hashed_[std::string{rule_path}] = {std::move(stamp), *found};
  return *found == digest;
}

}  // namespace usher::catalog
