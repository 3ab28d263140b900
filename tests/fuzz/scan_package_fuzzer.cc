// Scan packages: tar files with a repository. What is taken stays in its
// folder, in order, and whatever the file is, no member is larger than its
// limit.

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/utf8.h"
#include "service/repository/scan_package_reader.h"
#include "tests/fuzz/require.h"

namespace usher::fuzz {
namespace {

constexpr int64_t kLimit = 2000;

class CheckingSink final : public repository::ScanPackageSink {
 public:
  absl::Status MetadataComplete() override {
    Require(!complete_ && has_timestamp_);
    complete_ = true;
    return absl::OkStatus();
  }

  absl::Status Begin(const std::string& name) override {
    Require(ValidUtf8(name) == name && name.find('\0') == std::string::npos);
    Require(complete_ == absl::StartsWith(name, "targets/"));
    Require(complete_ || absl::StartsWith(name, "metadata/"));
    Require(!absl::StrContains(name, '\\') && !absl::StrContains(name, ':'));
    for (const absl::string_view part : absl::StrSplit(name, '/')) {
      Require(!part.empty() && part != "." && part != "..");
    }
    has_timestamp_ = has_timestamp_ || name == "metadata/timestamp.json";
    written_ = 0;
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view bytes) override {
    written_ += static_cast<int64_t>(bytes.size());
    Require(written_ <= kLimit);
    return absl::OkStatus();
  }

  absl::Status End() override { return absl::OkStatus(); }

  bool complete() const { return complete_; }

 private:
  bool complete_ = false;
  bool has_timestamp_ = false;
  int64_t written_ = 0;
};

}  // namespace
}  // namespace usher::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  repository::RepositoryOptions options;
  options.max_root_bytes = options.max_timestamp_bytes =
      options.max_snapshot_bytes = options.max_targets_bytes =
          options.max_role_bytes = options.max_catalog_bytes = fuzz::kLimit;
  const repository::ScanPackageLimits limits{.max_members = 8,
                                             .max_bytes = fuzz::kLimit};
  fuzz::CheckingSink sink;
  size_t position = 0;
  const absl::Status status = repository::ReadScanPackage(
      [&](char* buffer, size_t length) -> absl::StatusOr<size_t> {
        const size_t count = std::min(length, size - position);
        if (count > 0) std::memcpy(buffer, data + position, count);
        position += count;
        return count;
      },
      options, limits, sink, CancellationToken());
  if (status.ok()) {
    fuzz::Require(sink.complete());
  } else {
    fuzz::Require(Failed(HResultOf(status)));
  }
  return 0;
}
