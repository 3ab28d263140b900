#include "service/repository/scan_package_reader.h"

#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "service/repository/scan_package_member.h"
#include "service/repository/tar_reader.h"

namespace usher::repository {
namespace {

constexpr char kTimestamp[] = "metadata/timestamp.json";

absl::Status NoPackage(absl::string_view reason,
                       absl::string_view subject = "") {
  return Error(hr::kWuEOlInvalidScanfile,
               absl::StrCat("not a usable scan package: ", reason), subject);
}

// A name that nobody has checked, for a message.
std::string Shown(absl::string_view name) {
  constexpr size_t kShownBytes = 200;
  return absl::CEscape(name.substr(0, kShownBytes));
}

absl::Status Refuse(absl::string_view name, absl::string_view why) {
  const std::string shown = Shown(name);
  return NoPackage(absl::StrCat(shown, " ", why), shown);
}

class Reader {
 public:
  Reader(TarReader& tar, const RepositoryOptions& options,
         const ScanPackageLimits& limits, ScanPackageSink& sink)
      : tar_(tar), options_(options), limits_(limits), sink_(sink) {}

  absl::Status All() {
    while (true) {
      USHER_ASSIGN_OR_RETURN(const std::optional<TarMember> member,
                             tar_.Next());
      if (!member.has_value()) break;
      USHER_RETURN_IF_ERROR(One(*member));
    }
    return in_targets_ ? absl::OkStatus() : EndMetadata();
  }

 private:
  absl::Status One(const TarMember& found) {
    const std::string& name = found.name;
    if (++members_ > limits_.max_members) {
      return Refuse(name, absl::StrCat("is one more than the limit of ",
                                       limits_.max_members, " members"));
    }
    if (!found.is_regular_file) return Refuse(name, "is not a regular file");
    const std::optional<ScanPackageMember> member =
        MemberOf(name, options_, limits_.max_bytes);
    if (!member.has_value()) {
      return Refuse(name, "has no place in a scan package");
    }
    // Refused before a byte of it is taken.
    if (found.size > member->max_bytes) {
      return TooLarge(name, *member);
    }
    if (member->is_metadata && in_targets_) {
      return Refuse(name, "stands behind the targets");
    }
    if (!member->is_metadata && !in_targets_) {
      USHER_RETURN_IF_ERROR(EndMetadata());
      in_targets_ = true;
    }
    if (name == kTimestamp) has_timestamp_ = true;
    USHER_RETURN_IF_ERROR(sink_.Begin(name));
    USHER_RETURN_IF_ERROR(Content(name, *member));
    return sink_.End();
  }

  absl::Status Content(const std::string& name,
                       const ScanPackageMember& member) {
    Sha256 hash;
    while (true) {
      const absl::StatusOr<absl::string_view> bytes = tar_.Read();
      if (!bytes.ok()) return Annotate(bytes.status(), Shown(name));
      if (bytes->empty()) break;
      if (member.sha256.has_value()) hash.Update(*bytes);
      USHER_RETURN_IF_ERROR(sink_.Write(*bytes));
    }
    if (!member.sha256.has_value()) return absl::OkStatus();
    if (const Sha256Digest found = hash.Finish(); found != *member.sha256) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat(name, ": has the SHA-256 ", ToHex(found),
                                "; the scan package is damaged"),
                   name);
    }
    return absl::OkStatus();
  }

  static absl::Status TooLarge(absl::string_view name,
                               const ScanPackageMember& member) {
    return Refuse(name, absl::StrCat("is larger than the limit of ",
                                     member.max_bytes, " bytes"));
  }

  absl::Status EndMetadata() {
    if (!has_timestamp_) {
      return NoPackage(absl::StrCat("there is no ", kTimestamp, " in it"),
                       kTimestamp);
    }
    return sink_.MetadataComplete();
  }

  TarReader& tar_;
  const RepositoryOptions& options_;
  const ScanPackageLimits& limits_;
  ScanPackageSink& sink_;
  int64_t members_ = 0;
  bool has_timestamp_ = false;
  bool in_targets_ = false;
};

}  // namespace

absl::Status ReadScanPackage(ScanPackageSource source,
                             const RepositoryOptions& options,
                             const ScanPackageLimits& limits,
                             ScanPackageSink& sink,
                             const CancellationToken& cancel) {
  const auto unless_cancelled = [&](char* buffer,
                                    size_t length) -> absl::StatusOr<size_t> {
    if (cancel.cancelled()) return Error(hr::kWuECallCancelled, "cancelled");
    return source(buffer, length);
  };
  TarReader tar(unless_cancelled);
  return Reader(tar, options, limits, sink).All();
}

}  // namespace usher::repository
