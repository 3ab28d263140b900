#include "service/install/kept.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/file_name.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using repository::v1::UpdateDescription;

constexpr absl::string_view kDescription = ".update";
constexpr uint64_t kMaxDescription = uint64_t{4} * 1024 * 1024;

// Of all revisions.
std::string PrefixOf(const catalog::UpdateKey& key) {
  return absl::StrCat(key.service_id, "_", key.update_id, "_");
}

std::string NameOf(const catalog::UpdateKey& key) {
  return absl::StrCat(PrefixOf(key), key.revision);
}

// What lies in the folder for one revision of an update.
struct Entry {
  std::string name;
  int32_t revision = 0;
};

std::vector<Entry> EntriesOf(const std::filesystem::path& folder,
                             const catalog::UpdateKey& key) {
  const std::string prefix = PrefixOf(key);
  std::vector<Entry> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end;
       !error && at != end; at.increment(error)) {
    Entry entry;
    entry.name = PathToUtf8(at->path().filename());
    absl::string_view rest = entry.name;
    if (!absl::ConsumePrefix(&rest, prefix)) continue;
    absl::ConsumeSuffix(&rest, kDescription);
    if (absl::SimpleAtoi(rest, &entry.revision)) {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

// The names of the packages; where the publisher does not list them they begin
// the names of the files, as Debian names those.
absl::flat_hash_set<std::string> PackagesOf(
    const UpdateDescription& description) {
  const auto& named = description.handler().deb().packages();
  absl::flat_hash_set<std::string> names(named.begin(), named.end());
  if (!names.empty()) return names;
  for (const auto& payload : description.payloads()) {
    names.insert(payload.name().substr(0, payload.name().find('_')));
  }
  return names;
}

// Whether an installation as `now` says has taken the place of one as `before`
// said.
bool Replaces(const UpdateDescription& now, const UpdateDescription& before) {
  const repository::v1::Handler& a = now.handler();
  const repository::v1::Handler& b = before.handler();
  // Only vendors know. A newer installer often removes what an older one put
  // there, and an old uninstaller that then fails would fail for ever.
  if (b.has_exec()) return true;
  if (a.kind_case() != b.kind_case()) return false;
  if (b.has_archive()) {
    return IsSameFileName(a.archive().product(), b.archive().product());
  }
  if (b.has_msi()) {
    return absl::EqualsIgnoreCase(a.msi().product_code(),
                                  b.msi().product_code());
  }
  const absl::flat_hash_set<std::string> packages = PackagesOf(now);
  const absl::flat_hash_set<std::string> old = PackagesOf(before);
  return std::all_of(
      old.begin(), old.end(),
      [&packages](const std::string& name) { return packages.contains(name); });
}

}  // namespace

std::filesystem::path Kept::FolderOf(const catalog::UpdateKey& key) const {
  return folder_ / PathFromUtf8(NameOf(key));
}

std::filesystem::path Kept::DescriptionOf(const catalog::UpdateKey& key) const {
  return folder_ / PathFromUtf8(absl::StrCat(NameOf(key), kDescription));
}

absl::Status Kept::Save(const catalog::UpdateKey& key,
                        const UpdateDescription& description) const {
  UpdateDescription slim;
  *slim.mutable_handler() = description.handler();
  *slim.mutable_payloads() = description.payloads();
  USHER_RETURN_IF_ERROR(MakeDirectories(folder_));
  const std::filesystem::path file = DescriptionOf(key);
  // Of a crash just here.
  USHER_RETURN_IF_ERROR(
      RemoveTemporaries(folder_, PathToUtf8(file.filename())));
  return WriteFileAtomically(file, slim.SerializeAsString());
}

void Kept::Restore(const catalog::UpdateKey& key,
                   UpdateDescription& description) const {
  const absl::StatusOr<std::string> bytes =
      ReadFile(DescriptionOf(key), kMaxDescription);
  UpdateDescription slim;
  if (!bytes.ok() || !slim.ParseFromString(*bytes)) return;
  *description.mutable_handler() = slim.handler();
  *description.mutable_payloads() = slim.payloads();
}

std::vector<int32_t> Kept::Revisions(const catalog::UpdateKey& key) const {
  std::vector<int32_t> revisions;
  for (const Entry& entry : EntriesOf(folder_, key)) {
    if (absl::EndsWith(entry.name, kDescription)) {
      revisions.push_back(entry.revision);
    }
  }
  std::sort(revisions.begin(), revisions.end());
  return revisions;
}

absl::Status Kept::ForgetReplaced(const catalog::UpdateKey& key,
                                  const UpdateDescription& description) const {
  return ForgetUnless(key, [&](int32_t revision) {
    if (revision == key.revision) return true;
    catalog::UpdateKey other = key;
    other.revision = revision;
    UpdateDescription before;
    Restore(other, before);
    return before.has_handler() && !Replaces(description, before);
  });
}

absl::Status Kept::Forget(const catalog::UpdateKey& key) const {
  return ForgetUnless(
      key, [&key](int32_t revision) { return revision != key.revision; });
}

absl::Status Kept::ForgetAll(const catalog::UpdateKey& key) const {
  return ForgetUnless(key, [](int32_t) { return false; });
}

absl::Status Kept::ForgetUnless(const catalog::UpdateKey& key,
                                absl::FunctionRef<bool(int32_t)> keep) const {
  absl::flat_hash_map<int32_t, bool> kept;
  for (const Entry& entry : EntriesOf(folder_, key)) {
    // Asked before anything of the revision is removed.
    const auto [at, added] = kept.try_emplace(entry.revision, false);
    if (added) at->second = keep(entry.revision);
    if (at->second) continue;
    USHER_RETURN_IF_ERROR(RemoveTree(folder_ / PathFromUtf8(entry.name)));
  }
  return absl::OkStatus();
}

}  // namespace usher::install
