#include "service/repository/scan_package_member.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/tuf/metadata_codec.h"
#include "common/utf8.h"

namespace usher::repository {
namespace {

constexpr size_t kMaxFileName = 255;
constexpr size_t kMaxFolders = 8;
constexpr size_t kDigits = 64;

// A plain file name on every system.
bool IsFileName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxFileName && text != "." &&
         text != ".." && text.back() != '.' && text.back() != ' ' &&
         text.find_first_of("/\\<>:\"|?*") == absl::string_view::npos &&
         std::none_of(
             text.begin(), text.end(),
             [](char c) {
               return absl::ascii_iscntrl(static_cast<unsigned char>(c));
             }) &&
         ValidUtf8(text) == text;
}

// A digest as it is written in names: 64 lower-case digits.
std::optional<Sha256Digest> DigestOf(absl::string_view text) {
  const absl::StatusOr<Sha256Digest> digest = ParseSha256Hex(text);
  if (!digest.ok() || ToHex(*digest) != text) return std::nullopt;
  return *digest;
}

// The role whose file "ROLE.json" is; none if RoleFileName would name it
// otherwise.
std::optional<std::string> RoleOf(absl::string_view file) {
  absl::string_view rest = file;
  if (!absl::ConsumeSuffix(&rest, ".json")) return std::nullopt;
  std::string role;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '%') {
      role.push_back(c);
      continue;
    }
    if (rest.size() < 2 ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(rest[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(rest[1]))) {
      return std::nullopt;
    }
    role.append(absl::HexStringToBytes(rest.substr(0, 2)));
    rest.remove_prefix(2);
  }
  if (!tuf::IsRoleName(role) || tuf::RoleFileName(role) != file) {
    return std::nullopt;
  }
  return role;
}

std::optional<ScanPackageMember> MetadataMember(
    absl::string_view file, const RepositoryOptions& options) {
  if (file == "timestamp.json") {
    return ScanPackageMember{true, options.max_timestamp_bytes, std::nullopt};
  }
  const size_t dot = file.find('.');
  constexpr size_t kMaxVersionDigits = 18;
  if (file.size() > kMaxFileName || dot == absl::string_view::npos ||
      dot == 0 || dot > kMaxVersionDigits || file[0] == '0' ||
      !std::all_of(file.begin(), file.begin() + dot, [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      })) {
    return std::nullopt;
  }
  const std::optional<std::string> role = RoleOf(file.substr(dot + 1));
  if (!role.has_value() || *role == "timestamp") return std::nullopt;
  return ScanPackageMember{true,
                           *role == "root"       ? options.max_root_bytes
                           : *role == "snapshot" ? options.max_snapshot_bytes
                           : *role == "targets"  ? options.max_targets_bytes
                                                 : options.max_role_bytes,
                           std::nullopt};
}

// "[FOLDER/…]SHA256.NAME.usc".
std::optional<ScanPackageMember> CatalogMember(
    const std::vector<absl::string_view>& parts,
    const RepositoryOptions& options) {
  const absl::string_view file = parts.back();
  if (parts.size() > kMaxFolders || file.size() <= kDigits + 1 ||
      file[kDigits] != '.' || !absl::EndsWith(file, ".usc")) {
    return std::nullopt;
  }
  const std::optional<Sha256Digest> digest = DigestOf(file.substr(0, kDigits));
  if (!digest.has_value()) return std::nullopt;
  return ScanPackageMember{false, options.max_catalog_bytes, digest};
}

}  // namespace

std::optional<ScanPackageMember> MemberOf(absl::string_view name,
                                          const RepositoryOptions& options,
                                          int64_t max_payload_bytes) {
  if (absl::ConsumePrefix(&name, "metadata/")) {
    return MetadataMember(name, options);
  }
  if (!absl::ConsumePrefix(&name, "targets/") ||
      !tuf::IsConfinedTargetName(name)) {
    return std::nullopt;
  }
  std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (!std::all_of(parts.begin(), parts.end(), IsFileName)) {
    return std::nullopt;
  }
  const absl::string_view kind = parts.front();
  parts.erase(parts.begin());
  if (kind == "catalog" && !parts.empty()) return CatalogMember(parts, options);
  if (kind != "payloads" || parts.size() != 2) return std::nullopt;
  const std::optional<Sha256Digest> digest = DigestOf(parts[0]);
  if (!digest.has_value()) return std::nullopt;
  return ScanPackageMember{false, max_payload_bytes, digest};
}

}  // namespace usher::repository
