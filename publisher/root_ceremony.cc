#include "publisher/root_ceremony.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "publisher/human_time.h"
#include "publisher/key_ring.h"
#include "publisher/published_metadata.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

constexpr char kRoot[] = "root";
// What clients accept (service/repository/repository.h).
constexpr uint64_t kMaxRootBytes = uint64_t{512} * 1024;
constexpr size_t kShownIdDigits = 12;

std::string Short(absl::string_view key_id) {
  return std::string(key_id.substr(0, kShownIdDigits));
}

// Whether what is public of a role would be trusted under `root`.
template <typename Body>
absl::Status CheckStaysSigned(
    const tuf::Root& root, const absl::optional<tuf::Metadata<Body>>& document,
    absl::string_view role) {
  if (!document.has_value()) return absl::OkStatus();  // nothing is public
  if (tuf::VerifyThreshold(document->signed_bytes, document->signatures,
                           root.keys, root.roles.at(std::string(role)))
          .ok()) {
    return absl::OkStatus();
  }
  return Error(
      hr::kWuEInvalidOperation,
      absl::StrCat("the public ", role,
                   " would not be trusted under this root. Change its key in "
                   "two roots: one that names the old and the new key, then "
                   "the new key in the key folder and \"usher-publish publish "
                   "DIR --renew\", then one without the old key"),
      role);
}

}  // namespace

absl::StatusOr<tuf::Root> PublicRoot(const Workspace& workspace) {
  USHER_ASSIGN_OR_RETURN(
      PublishedMetadata published,
      PublishedMetadata::Load(workspace, PublishedMetadata::Wrong::kIgnore));
  return std::move(published.root.body);
}

absl::StatusOr<RootDraft> RootDraft::Next(const Workspace& workspace,
                                          absl::Time expires) {
  tuf::Metadata<tuf::Root> next;
  USHER_ASSIGN_OR_RETURN(next.body, PublicRoot(workspace));
  USHER_ASSIGN_OR_RETURN(next.body.version,
                         NextVersion(next.body.version, kRoot));
  next.body.expires = expires;
  return RootDraft(std::move(next));
}

RootDraft RootDraft::First(tuf::Root body) {
  tuf::Metadata<tuf::Root> first;
  first.body = std::move(body);
  return RootDraft(std::move(first));
}

absl::StatusOr<RootDraft> RootDraft::Read(const fs::path& path) {
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxRootBytes));
  auto metadata = tuf::Parse<tuf::Root>(text);
  if (!metadata.ok()) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(PathToUtf8(path), " is no root.json: ",
                              metadata.status().message()),
                 PathToUtf8(path));
  }
  return RootDraft(*std::move(metadata));
}

absl::Status RootDraft::Write(const fs::path& path) const {
  USHER_ASSIGN_OR_RETURN(const std::string text, tuf::Serialize(metadata_));
  return WriteFileAtomically(path, text, Access::kWorldRead);
}

absl::StatusOr<tuf::Role*> RootDraft::RoleOf(absl::string_view role) {
  if (!absl::c_linear_search(RoleNames(), role)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("no role \"", role, "\"; there are ",
                              absl::StrJoin(RoleNames(), ", ")),
                 role);
  }
  // Parse() requires every top-level role in a root.
  return &metadata_.body.roles.at(std::string(role));
}

void RootDraft::DropUnusedKeys() {
  std::set<std::string> used;
  for (const auto& [name, role] : metadata_.body.roles) {
    used.insert(role.key_ids.begin(), role.key_ids.end());
  }
  std::erase_if(metadata_.body.keys,
                [&used](const auto& key) { return !used.contains(key.first); });
}

absl::Status RootDraft::AddKey(absl::string_view role, const tuf::Key& key) {
  USHER_ASSIGN_OR_RETURN(tuf::Role* const entry, RoleOf(role));
  USHER_ASSIGN_OR_RETURN(const std::string fingerprint,
                         tuf::KeyFingerprint(key));
  for (const std::string& id : entry->key_ids) {
    const auto known = metadata_.body.keys.find(id);
    if (known == metadata_.body.keys.end()) continue;
    const absl::StatusOr<std::string> other =
        tuf::KeyFingerprint(known->second);
    if (other.ok() && *other == fingerprint) {
      return Error(hr::kWuEDuplicateItem,
                   absl::StrCat("the key ", Short(id), " signs for the role ",
                                role, " already"),
                   role);
    }
  }
  const std::string id = tuf::KeyId(key);
  metadata_.body.keys[id] = key;
  entry->key_ids.push_back(id);
  metadata_.signatures.clear();
  return absl::OkStatus();
}

absl::Status RootDraft::RemoveKey(absl::string_view role,
                                  absl::string_view key_id) {
  constexpr size_t kMinDigits = 6;
  USHER_ASSIGN_OR_RETURN(tuf::Role* const entry, RoleOf(role));
  std::vector<std::string> found;
  for (const std::string& id : entry->key_ids) {
    if (absl::StartsWith(id, key_id)) found.push_back(id);
  }
  if (key_id.size() < kMinDigits || found.size() != 1) {
    return Error(
        hr::kEInvalidarg,
        absl::StrCat(key_id.size() < kMinDigits ? "give at least 6 digits of "
                                                  "the key's id"
                     : found.empty()            ? "no key of the role begins so"
                                     : "several keys of the role begin so",
                     "; the role ", role, " has ",
                     absl::StrJoin(entry->key_ids, ", ")),
        role);
  }
  if (static_cast<int64_t>(entry->key_ids.size()) <= entry->threshold) {
    return Error(
        hr::kWuEInvalidOperation,
        absl::StrCat("the role ", role, " has ", entry->key_ids.size(),
                     " keys and needs ", entry->threshold,
                     " signatures; add a key or lower the threshold first"),
        role);
  }
  std::erase(entry->key_ids, found.front());
  DropUnusedKeys();
  metadata_.signatures.clear();
  return absl::OkStatus();
}

absl::Status RootDraft::SetThreshold(absl::string_view role,
                                     int64_t threshold) {
  USHER_ASSIGN_OR_RETURN(tuf::Role* const entry, RoleOf(role));
  const auto keys = static_cast<int64_t>(entry->key_ids.size());
  if (threshold < 1 || threshold > keys) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("the threshold of ", role, " must be from 1 to ",
                              keys, ", the number of its keys"),
                 role);
  }
  if (role != kRoot && threshold > 1) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("\"publish\" signs the ", role,
                              " with one key; its threshold must be 1"),
                 role);
  }
  entry->threshold = threshold;
  metadata_.signatures.clear();
  return absl::OkStatus();
}

absl::Status RootDraft::SetExpires(absl::Time expires, absl::Time now) {
  if (expires <= now) {
    return Error(hr::kEInvalidarg, "the root must expire in the future");
  }
  metadata_.body.expires = expires;
  metadata_.signatures.clear();
  return absl::OkStatus();
}

absl::Status RootDraft::Sign(const tuf::PrivateKey& key) {
  return tuf::Sign(metadata_, {key}, /*keep_others=*/true);
}

absl::Status RootDraft::Combine(const RootDraft& other) {
  USHER_ASSIGN_OR_RETURN(const std::string own,
                         tuf::SignedBytes(metadata_.body));
  USHER_ASSIGN_OR_RETURN(const std::string others,
                         tuf::SignedBytes(other.metadata_.body));
  if (own != others) {
    return Error(hr::kWuEInvalidOperation,
                 "the files are not copies of one draft: their signatures "
                 "cover something else");
  }
  for (const tuf::Signature& signature : other.metadata_.signatures) {
    const auto known = absl::c_find_if(
        metadata_.signatures, [&signature](const tuf::Signature& candidate) {
          return candidate.key_id == signature.key_id;
        });
    if (known == metadata_.signatures.end()) {
      metadata_.signatures.push_back(signature);
    } else if (!IsSignedBy(*known, own)) {
      // In somebody else's file there may be anything under this name. A key
      // that only the root before has cannot be asked: the last file counts.
      *known = signature;
    }
  }
  return absl::OkStatus();
}

bool RootDraft::IsSignedBy(const tuf::Signature& signature,
                           absl::string_view bytes) const {
  tuf::Role alone;
  alone.key_ids = {signature.key_id};
  return tuf::VerifyThreshold(bytes, {signature}, metadata_.body.keys, alone)
      .ok();
}

absl::StatusOr<RootDraft::Progress> RootDraft::ProgressBy(
    const tuf::Root& root) const {
  const tuf::Role& role = root.roles.at(kRoot);
  USHER_ASSIGN_OR_RETURN(const std::string bytes,
                         tuf::SignedBytes(metadata_.body));
  Progress progress;
  progress.threshold = role.threshold;
  for (const std::string& id : role.key_ids) {
    tuf::Role alone;
    alone.key_ids = {id};
    const bool has_signed =
        tuf::VerifyThreshold(bytes, metadata_.signatures, root.keys, alone)
            .ok();
    (has_signed ? progress.signed_by : progress.missing).push_back(id);
  }
  return progress;
}

namespace {

// Whether enough of the keys have signed that `root`, the `name` one, has.
absl::Status CheckSignedBy(const RootDraft& draft, const tuf::Root& root,
                           absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(const RootDraft::Progress progress,
                         draft.ProgressBy(root));
  if (progress.done()) return absl::OkStatus();
  std::vector<std::string> missing;
  for (const std::string& id : progress.missing) missing.push_back(Short(id));
  return Error(hr::kWuEMetadataBadSignature,
               absl::StrCat("signed by ", progress.signed_by.size(), " of the ",
                            progress.threshold, " keys that the ", name,
                            " root asks for; these have not signed: ",
                            absl::StrJoin(missing, ", ")),
               kRoot);
}

absl::Status CheckFresh(const RootDraft& draft, absl::Time now) {
  const absl::Time expires = draft.metadata().body.expires;
  if (expires > now) return absl::OkStatus();
  return Error(hr::kCertEExpired,
               absl::StrCat("the draft expired at ", FormatUtc(expires),
                            "; begin with a new one"),
               kRoot);
}

// As it becomes public.
absl::StatusOr<std::string> TextOf(const RootDraft& draft) {
  USHER_ASSIGN_OR_RETURN(std::string text, tuf::Serialize(draft.metadata()));
  if (text.size() <= kMaxRootBytes) return text;
  return Error(hr::kWuEInvalidFile,
               absl::StrCat("the root has ", text.size(),
                            " bytes; clients take ", kMaxRootBytes),
               kRoot);
}

// Everybody can sign a first root with keys of his own: it must be the one that
// was made here.
absl::Status PublishFirstRoot(Workspace& workspace, const RootDraft& draft,
                              absl::Time now) {
  const tuf::Root& body = draft.metadata().body;
  USHER_ASSIGN_OR_RETURN(const std::string bytes, tuf::SignedBytes(body));
  if (ToHex(Sha256Of(bytes)) != workspace.settings().first_root) {
    return Error(hr::kWuEInvalidOperation,
                 "the draft is not the one that \"init\" made, or was changed "
                 "since; to have another first root, make the repository "
                 "anew");
  }
  USHER_RETURN_IF_ERROR(CheckSignedBy(draft, body, "new"));
  USHER_RETURN_IF_ERROR(CheckFresh(draft, now));
  USHER_ASSIGN_OR_RETURN(const std::string text, TextOf(draft));
  USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet set,
                         tuf::TrustedMetadataSet::Create(text, now));
  USHER_RETURN_IF_ERROR(set.FinishRoot());
  USHER_RETURN_IF_ERROR(WriteRoot(workspace, body.version, text));
  USHER_FAULT_POINT("publisher.first_root_written");
  workspace.settings().first_root.clear();
  return workspace.SaveSettings();
}

}  // namespace

absl::Status PublishRoot(Workspace& workspace, const RootDraft& draft,
                         absl::Time now) {
  if (!workspace.settings().first_root.empty()) {
    return PublishFirstRoot(workspace, draft, now);
  }
  USHER_ASSIGN_OR_RETURN(const PublishedMetadata published,
                         PublishedMetadata::Load(workspace));
  const tuf::Root& next = draft.metadata().body;
  const tuf::Root& old = published.root.body;
  if (next.version != old.version + 1) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat("the draft has version ", next.version,
                              ", and the next root after the public one is ",
                              old.version + 1, "; begin with a new draft"));
  }
  USHER_RETURN_IF_ERROR(CheckSignedBy(draft, old, "public"));
  USHER_RETURN_IF_ERROR(CheckSignedBy(draft, next, "new"));
  USHER_RETURN_IF_ERROR(CheckFresh(draft, now));
  USHER_RETURN_IF_ERROR(
      CheckStaysSigned(next, published.timestamp, "timestamp"));
  USHER_RETURN_IF_ERROR(CheckStaysSigned(next, published.snapshot, "snapshot"));
  USHER_RETURN_IF_ERROR(CheckStaysSigned(next, published.targets, "targets"));

  // What a client will say, by a client's code.
  USHER_ASSIGN_OR_RETURN(const std::string text, TextOf(draft));
  USHER_ASSIGN_OR_RETURN(const std::string current,
                         tuf::Serialize(published.root));
  USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet set,
                         tuf::TrustedMetadataSet::Create(current, now));
  USHER_RETURN_IF_ERROR(set.UpdateRoot(text));
  USHER_RETURN_IF_ERROR(set.FinishRoot());
  return WriteRoot(workspace, next.version, text);
}

}  // namespace usher::publisher
