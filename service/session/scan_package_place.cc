#include "service/session/scan_package_place.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "service/repository/url.h"

namespace usher::session {
namespace {

// Of one file of trusted metadata: more than any limit in use.
constexpr uint64_t kMaxMetadataBytes = uint64_t{1} << 30;

}  // namespace

std::string ScanPackagePlace::url() const {
  return repository::FileUrl(repository());
}

std::string ScanPackagePlace::name() const {
  return PathToUtf8(folder.filename());
}

ScanPackagePlace NewScanPackagePlace(const std::filesystem::path& parent) {
  return {parent / PathFromUtf8(RandomResourceId())};
}

std::optional<ScanPackagePlace> ScanPackagePlaceNamed(
    const std::filesystem::path& parent, absl::string_view name) {
  constexpr size_t kDigits = 32;
  if (name.size() != kDigits ||
      !std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return std::nullopt;
  }
  return ScanPackagePlace{parent / PathFromUtf8(name)};
}

std::optional<ScanPackagePlace> ScanPackagePlaceOf(
    const std::filesystem::path& parent, absl::string_view url) {
  if (!absl::ConsumeSuffix(&url, "/repository")) return std::nullopt;
  const size_t slash = url.rfind('/');
  if (slash == absl::string_view::npos) return std::nullopt;
  return ScanPackagePlaceNamed(parent, url.substr(slash + 1));
}

absl::Status CopyTrustedMetadata(const ScanPackagePlace& from,
                                 const ScanPackagePlace& to) {
  USHER_RETURN_IF_ERROR(RemoveTree(to.trusted()));
  USHER_RETURN_IF_ERROR(MakeDirectories(to.trusted()));
  std::error_code error;
  for (std::filesystem::directory_iterator it(from.trusted(), error), end;
       !error && it != end; it.increment(error)) {
    // The rest is about the catalog, or a temporary file.
    if (it->path().extension() != ".json") continue;
    USHER_ASSIGN_OR_RETURN(const std::string bytes,
                           ReadFile(it->path(), kMaxMetadataBytes));
    USHER_RETURN_IF_ERROR(
        WriteFileAtomically(to.trusted() / it->path().filename(), bytes));
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(from.trusted()));
}

}  // namespace usher::session
