#include "publisher/mirror.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/trusted_metadata_set.h"
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/leftovers.h"
#include "publisher/payload_store.h"
#include "publisher/platform.h"
#include "publisher/published_metadata.h"
#include "publisher/real_folders.h"
#include "publisher/repository_walk.h"
#include "publisher/update_checks.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using repository::v1::CatalogRecord;
using repository::v1::Payload;

constexpr char kLock[] = ".usher-mirror.lock";
constexpr char kIncoming[] = ".usher-mirror.new";
constexpr char kUnnamed[] = ".usher-mirror.unnamed";
constexpr uint64_t kMaxUnnamedBytes = uint64_t{256} * 1024 * 1024;

// Whether `text` is `pattern`, in which '*' stands for any text.
bool Matches(absl::string_view pattern, absl::string_view text) {
  size_t at = 0;
  size_t p = 0;
  // Where the last star stands, and what it has taken so far: only that one
  // need ever take more.
  size_t star = absl::string_view::npos;
  size_t taken = 0;
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = at;
    } else if (p < pattern.size() && pattern[p] == text[at]) {
      ++p;
      ++at;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == absl::string_view::npos;
}

struct Wanted {
  int64_t size = 0;
  std::string sha256;  // hexadecimal
  std::string role;    // that names it; "targets" if that one does, too
};

// What a catalog has, as far as it is to be copied.
struct Found {
  int64_t updates = 0;
  int64_t payloads_elsewhere = 0;
  int64_t payloads_absent = 0;
  std::map<std::string, Wanted> payloads;  // by location
  std::set<std::string> met;               // names and ids asked for
};

class MirrorRun {
 public:
  MirrorRun(RepositorySource& source, fs::path dir,
            const MirrorOptions& options)
      : source_(source), dir_(std::move(dir)), options_(options) {}

  absl::StatusOr<MirrorResult> Run(absl::string_view root, absl::Time now) {
    EarlierState earlier;
    USHER_ASSIGN_OR_RETURN(earlier.roots, OwnRoots(root, now));
    earlier.timestamp =
        ReadFile(Metadata("timestamp.json"), kMaxMetadataBytes).value_or("");
    const auto timestamp =
        ReadMetadata<tuf::Timestamp>(Metadata("timestamp.json"));
    if (timestamp.ok()) {
      earlier.snapshot =
          ReadFile(Metadata(VersionedName(timestamp->body.snapshot.version,
                                          "snapshot")),
                   kMaxMetadataBytes)
              .value_or("");
    }
    USHER_ASSIGN_OR_RETURN(repository_,
                           VerifyRepository(source_, root, now, earlier));
    for (const RoleFault& fault : repository_.faults) {
      if (fault.role == "targets" || fault.kind == RoleFault::Kind::kNotRead) {
        return fault.status;
      }
      result_.faults.push_back(fault);
    }
    result_.timestamp_version = repository_.timestamp_version;
    USHER_RETURN_IF_ERROR(ReadCatalogs());
    USHER_RETURN_IF_ERROR(CheckPublicFolders(dir_));
    USHER_RETURN_IF_ERROR(MakeDirectories(Target(""), Access::kWorldRead));
    USHER_RETURN_IF_ERROR(MakeDirectories(Metadata(""), Access::kWorldRead));
    // What an earlier run was about to copy.
    USHER_RETURN_IF_ERROR(RemoveTree(dir_ / kIncoming));
    USHER_RETURN_IF_ERROR(RemovePublicLeftovers(dir_));
    USHER_RETURN_IF_ERROR(MakeDirectories(dir_ / kIncoming));
    const auto remove = absl::MakeCleanup(
        [this] { static_cast<void>(RemoveTree(dir_ / kIncoming)); });
    for (const auto& [location, wanted] : payloads_) {
      USHER_RETURN_IF_ERROR(Excuse(wanted.role, CopyPayload(location, wanted)));
    }
    USHER_FAULT_POINT("mirror.payloads");
    for (const VerifiedTarget& target : repository_.files) {
      USHER_RETURN_IF_ERROR(Excuse(target.role, CopyTarget(target)));
    }
    USHER_FAULT_POINT("mirror.catalogs");
    USHER_RETURN_IF_ERROR(CopyMetadata());
    if (options_.prune) USHER_RETURN_IF_ERROR(Prune(now));
    return result_;
  }

 private:
  // The roots that the mirror has after `root`, as far as each is signed as the
  // one before it asks.
  absl::StatusOr<std::vector<MetadataDocument>> OwnRoots(absl::string_view root,
                                                         absl::Time now) const {
    USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet trusted,
                           tuf::TrustedMetadataSet::Create(root, now));
    std::vector<MetadataDocument> roots;
    while (true) {
      const std::string name =
          VersionedName(trusted.root().version + 1, "root");
      auto next = ReadFile(Metadata(name), kMaxMetadataBytes);
      if (!next.ok() || !trusted.UpdateRoot(*next).ok()) return roots;
      roots.push_back({name, *std::move(next)});
    }
  }

  fs::path Metadata(absl::string_view name) const {
    return dir_ / "metadata" / PathFromUtf8(name);
  }
  fs::path Target(absl::string_view path) const {
    return dir_ / "targets" / PathFromUtf8(path);
  }

  // What is wrong with a vendor's files concerns nobody else. What could not be
  // read may be right the next time.
  absl::Status Excuse(const std::string& role, absl::Status status) {
    if (status.ok() || role == "targets" || !IsDamage(status)) return status;
    result_.faults.push_back({role, std::move(status)});
    return absl::OkStatus();
  }

  bool IsSelected(const usher::v1::Update& update,
                  std::set<std::string>& met) const {
    if (options_.names.empty() && options_.update_ids.empty()) return true;
    const std::string& id = update.identity().update_id();
    bool selected = false;
    for (const std::string& wanted : options_.update_ids) {
      if (wanted == id) {
        met.insert(wanted);
        selected = true;
      }
    }
    for (const std::string& pattern : options_.names) {
      if (Matches(pattern, update.name())) {
        met.insert(pattern);
        selected = true;
      }
    }
    return selected;
  }

  // Finds the payloads that are wanted.
  absl::Status ReadCatalogs() {
    for (const VerifiedTarget& target : repository_.files) {
      if (!absl::EndsWith(target.name, ".usc")) continue;
      const auto content = Content(target);
      if (!content.ok()) {
        USHER_RETURN_IF_ERROR(Excuse(target.role, content.status()));
        continue;
      }
      Found found;
      absl::Status status = Annotate(
          DecodeCatalog(*content,
                        [&](const CatalogRecord& record) {
                          return ReadRecord(record, target.role, found);
                        }),
          absl::StrCat("targets/", target.path));
      if (status.ok()) {
        Keep(std::move(found));
        continue;
      }
      if (target.role == "targets") return status;
      result_.faults.push_back({target.role, std::move(status)});
      fetched_.erase(target.path);
    }
    // They may be among what could not be read.
    if (!result_.faults.empty()) return absl::OkStatus();
    for (const auto* asked : {&options_.names, &options_.update_ids}) {
      for (const std::string& one : *asked) {
        if (met_.contains(one)) continue;
        return Error(hr::kEInvalidarg,
                     absl::StrCat("the repository has no update \"", one,
                                  "\"; nothing was copied"),
                     one);
      }
    }
    return absl::OkStatus();
  }

  // From the mirror itself where it is there.
  absl::StatusOr<std::string> Content(const VerifiedTarget& target) {
    auto present =
        ReadFile(Target(target.path), static_cast<uint64_t>(target.length));
    if (present.ok() && ToHex(Sha256Of(*present)) == target.sha256) {
      return present;
    }
    USHER_ASSIGN_OR_RETURN(std::string content, ReadTarget(source_, target));
    fetched_[target.path] = content;
    return content;
  }

  void Keep(Found found) {
    result_.updates += found.updates;
    result_.payloads_elsewhere += found.payloads_elsewhere;
    result_.payloads_absent += found.payloads_absent;
    met_.merge(found.met);
    for (auto& [location, wanted] : found.payloads) {
      const auto [known, added] = payloads_.try_emplace(location, wanted);
      if (!added && wanted.role == "targets") known->second = wanted;
    }
  }

  absl::Status ReadRecord(const CatalogRecord& record, const std::string& role,
                          Found& found) const {
    if (!record.has_update()) return absl::OkStatus();
    USHER_RETURN_IF_ERROR(CheckUpdate(record.update()));
    ++found.updates;
    if (!IsSelected(record.update().update(), found.met) ||
        !options_.payloads) {
      return absl::OkStatus();
    }
    for (const Payload& payload : record.update().payloads()) {
      const std::string& location = payload.location();
      if (absl::StartsWith(location, kAbsentPrefix)) {
        ++found.payloads_absent;
      } else if (!IsOwnPayload(location)) {
        ++found.payloads_elsewhere;
      } else if (tuf::IsConfinedTargetName(location)) {
        found.payloads[location] = {
            payload.size(), ToHex(Sha256DigestFromBytes(payload.sha256())),
            role};
      } else {
        return Error(hr::kWuEInvalidUpdate,
                     absl::StrCat("the payload ", payload.name(),
                                  " lies outside of the repository"),
                     location);
      }
    }
    return absl::OkStatus();
  }

  static Sha256Digest Sha256DigestFromBytes(const std::string& bytes) {
    Sha256Digest digest{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()),
                digest.begin());
    return digest;
  }

  absl::Status CopyPayload(const std::string& location, const Wanted& wanted) {
    const fs::path to = Target(location);
    std::error_code error;
    if (static_cast<int64_t>(fs::file_size(to, error)) == wanted.size &&
        !error) {
      const auto present = HashFile(to);
      if (present.ok() && ToHex(present->sha256) == wanted.sha256) {
        ++result_.payloads;
        return absl::OkStatus();
      }
    }
    const std::string name = absl::StrCat("targets/", location);
    const fs::path fresh = dir_ / kIncoming / PathFromUtf8(RandomResourceId());
    USHER_ASSIGN_OR_RETURN(const FileFacts facts,
                           source_.Copy(name, wanted.size, fresh));
    if (facts.size != wanted.size || ToHex(facts.sha256) != wanted.sha256) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat(name, " is not what the catalog names"), name);
    }
    USHER_RETURN_IF_ERROR(CheckRealFolders(dir_, to.parent_path()));
    USHER_RETURN_IF_ERROR(
        MakeDirectories(to.parent_path(), Access::kWorldRead));
    fs::permissions(fresh,
                    fs::perms::owner_read | fs::perms::owner_write |
                        fs::perms::group_read | fs::perms::others_read,
                    error);
    USHER_RETURN_IF_ERROR(RenameDurably(fresh, to));
    USHER_FAULT_POINT("mirror.payload");
    ++result_.payloads;
    Count(facts.size);
    return absl::OkStatus();
  }

  absl::Status CopyTarget(const VerifiedTarget& target) {
    const auto fetched = fetched_.find(target.path);
    if (fetched == fetched_.end()) {
      if (absl::EndsWith(target.name, ".usc")) return absl::OkStatus();
      if (target.sha256.empty() || target.hashes.size() > 1) {
        return CopyWhole(target);
      }
      return CopyPayload(target.path,
                         {target.length, target.sha256, target.role});
    }
    Count(target.length);
    return WritePublic(dir_, Target(target.path), fetched->second);
  }

  // A target of which SHA-256 is not all that is signed.
  absl::Status CopyWhole(const VerifiedTarget& target) {
    const auto present =
        ReadFile(Target(target.path), static_cast<uint64_t>(target.length));
    if (present.ok() &&
        tuf::CheckContent(*present, target.length, target.hashes, true).ok()) {
      return absl::OkStatus();
    }
    USHER_ASSIGN_OR_RETURN(const std::string content,
                           ReadTarget(source_, target));
    Count(target.length);
    return WritePublic(dir_, Target(target.path), content);
  }

  // What is named before what names it.
  absl::Status CopyMetadata() {
    for (const MetadataDocument& root : repository_.roots) {
      USHER_RETURN_IF_ERROR(Put(root));
    }
    for (const MetadataDocument& role : repository_.delegated) {
      USHER_RETURN_IF_ERROR(Put(role));
    }
    USHER_RETURN_IF_ERROR(Put(repository_.targets));
    USHER_RETURN_IF_ERROR(Put(repository_.snapshot));
    USHER_FAULT_POINT("mirror.snapshot");
    USHER_RETURN_IF_ERROR(Put(repository_.timestamp));
    USHER_FAULT_POINT("mirror.timestamp");
    return absl::OkStatus();
  }

  absl::Status Put(const MetadataDocument& document) {
    const auto present = ReadFile(Metadata(document.name), kMaxMetadataBytes);
    if (present.ok() && *present == document.text) return absl::OkStatus();
    Count(static_cast<int64_t>(document.text.size()));
    return WritePublic(dir_, Metadata(document.name), document.text);
  }

  void Count(int64_t bytes) {
    ++result_.files_copied;
    result_.bytes_copied += bytes;
  }

  absl::Status Prune(absl::Time now) {
    std::set<fs::path> named;
    for (const auto* documents : {&repository_.roots, &repository_.delegated}) {
      for (const MetadataDocument& document : *documents) {
        named.insert(Metadata(document.name));
      }
    }
    for (const MetadataDocument* document :
         {&repository_.targets, &repository_.snapshot,
          &repository_.timestamp}) {
      named.insert(Metadata(document->name));
    }
    for (const VerifiedTarget& target : repository_.files) {
      named.insert(Target(target.path));
    }
    for (const auto& [location, wanted] : payloads_) {
      named.insert(Target(location));
    }
    const Json before = UnnamedBefore();
    Json unnamed = Json::object();
    for (const char* folder : {"metadata", "targets"}) {
      USHER_RETURN_IF_ERROR(
          PruneIn(dir_ / folder, named, before, now, unnamed));
    }
    result_.files_unnamed = static_cast<int64_t>(unnamed.size());
    if (unnamed == before) return absl::OkStatus();
    if (unnamed.empty()) return RemoveTree(dir_ / kUnnamed);
    return WriteFileAtomically(
        dir_ / kUnnamed,
        unnamed.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  // By path, since when a file has been unnamed, in seconds since 1970.
  Json UnnamedBefore() const {
    const auto text = ReadFile(dir_ / kUnnamed, kMaxUnnamedBytes);
    Json json = Json::parse(text.value_or("{}"), nullptr,
                            /*allow_exceptions=*/false);
    return json.is_object() ? json : Json::object();
  }

  // `before` and `unnamed`: as UnnamedBefore(), of the last run and of this
  // one.
  absl::Status PruneIn(const fs::path& folder, const std::set<fs::path>& named,
                       const Json& before, absl::Time now, Json& unnamed) {
    USHER_RETURN_IF_ERROR(CheckRealFolders(dir_, folder));
    std::vector<fs::path> unused;
    std::vector<fs::path> folders;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end;
         !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->is_directory(ignored) && !IsLink(it->path())) {
        folders.push_back(it->path());
      } else if (!named.contains(it->path()) &&
                 !absl::EndsWith(PathToUtf8(it->path()), ".root.json")) {
        unused.push_back(it->path());
      }
    }
    for (const fs::path& path : unused) {
      const std::string name = PathToUtf8(path.lexically_relative(dir_));
      const auto known = before.find(name);
      int64_t since = absl::ToUnixSeconds(now);
      if (known != before.end() && known->is_number_integer()) {
        since = std::min(since, known->get<int64_t>());
      }
      if (now - absl::FromUnixSeconds(since) < options_.keep_unnamed) {
        unnamed[name] = since;
        continue;
      }
      USHER_RETURN_IF_ERROR(RemoveTree(path));
      ++result_.files_removed;
    }
    // Deepest first; a folder that is still needed is not empty and stays.
    for (auto it = folders.rbegin(); it != folders.rend(); ++it) {
      fs::remove(*it, error);
    }
    return absl::OkStatus();
  }

  RepositorySource& source_;
  const fs::path dir_;
  const MirrorOptions& options_;
  VerifiedRepository repository_;
  std::map<std::string, std::string> fetched_;  // catalogs, by path
  std::map<std::string, Wanted> payloads_;      // by location
  std::set<std::string> met_;                   // names and ids asked for
  MirrorResult result_;
};

}  // namespace

absl::StatusOr<MirrorResult> Mirror(RepositorySource& source,
                                    absl::string_view root, const fs::path& dir,
                                    const MirrorOptions& options,
                                    absl::Time now) {
  USHER_RETURN_IF_ERROR(MakeDirectories(dir, Access::kWorldRead));
  std::error_code error;
  if (fs::exists(dir / "usher-repository.json", error)) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat(PathToUtf8(dir),
                              " is a publisher's own folder; choose another "
                              "one for the mirror"),
                 PathToUtf8(dir));
  }
  auto lock = FileLock::Acquire(dir / kLock);
  if (HResultOf(lock.status()) == hr::kWuEDsStorefilelocked) {
    return Annotate(lock.status(),
                    "another usher-publish is at work in this mirror; try "
                    "again when it is done");
  }
  USHER_RETURN_IF_ERROR(lock.status());
  return MirrorRun(source, dir, options).Run(root, now);
}

}  // namespace usher::publisher
