#include "service/install/kept.h"

#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"
#include "common/file_io.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using repository::v1::UpdateDescription;

constexpr uint64_t kMaxDescription = uint64_t{4} * 1024 * 1024;

// Of all revisions.
std::string PrefixOf(const catalog::UpdateKey& key) {
  return absl::StrCat(key.service_id, "_", key.update_id, "_");
}

std::string NameOf(const catalog::UpdateKey& key) {
  return absl::StrCat(PrefixOf(key), key.revision);
}

}  // namespace

std::filesystem::path Kept::FolderOf(const catalog::UpdateKey& key) const {
  return folder_ / PathFromUtf8(NameOf(key));
}

std::filesystem::path Kept::DescriptionOf(const catalog::UpdateKey& key) const {
  return folder_ / PathFromUtf8(absl::StrCat(NameOf(key), ".update"));
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

absl::Status Kept::ForgetOthers(const catalog::UpdateKey& key,
                                int32_t revision) const {
  const std::string prefix = PrefixOf(key);
  const std::string kept = absl::StrCat(prefix, revision);
  std::vector<std::filesystem::path> others;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = PathToUtf8(at->path().filename());
    if (absl::StartsWith(name, prefix) && name != kept &&
        name != absl::StrCat(kept, ".update")) {
      others.push_back(at->path());
    }
  }
  for (const std::filesystem::path& path : others) {
    USHER_RETURN_IF_ERROR(RemoveTree(path));
  }
  return absl::OkStatus();
}

}  // namespace usher::install
