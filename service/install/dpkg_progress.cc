#include "service/install/dpkg_progress.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace usher::install {
namespace {

constexpr int kStages = 4;
constexpr size_t kMaxErrors = 2000;
// Names come from dpkg, which reads them from packages.
constexpr size_t kMaxPackages = 10'000;

// How far a package is whose dpkg status is `status`, 0 … kStages.
int StageOf(absl::string_view status) {
  if (status == "half-installed") return 1;
  if (status == "unpacked") return 2;
  if (status == "half-configured") return 3;
  if (status == "installed" || status == "not-installed" ||
      status == "config-files") {
    return kStages;
  }
  return 0;
}

}  // namespace

void DpkgProgress::Line(absl::string_view line) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(": ", 2));
  if (parts.size() < 3 || parts[0] != "status") return;
  const absl::string_view status =
      absl::StripAsciiWhitespace(parts[2].substr(0, parts[2].find(" : ")));
  if (status == "error" || absl::StartsWith(parts[2], "error")) {
    if (errors_.size() < kMaxErrors) {
      absl::StrAppend(&errors_, errors_.empty() ? "" : "\n", parts[1], ": ",
                      parts[2].substr(0, kMaxErrors));
    }
    return;
  }
  const int stage = StageOf(status);
  // An old version's "installed" comes before the new one's first stage.
  if (stage == 0 || stage_.size() >= kMaxPackages) return;
  const std::string name(parts[1]);
  const auto found = stage_.find(name);
  if (found == stage_.end()) {
    stage_[name] = stage == kStages ? 1 : stage;
    return;
  }
  found->second = std::max(found->second, stage);
  int sum = 0;
  for (const auto& [package, reached] : stage_) sum += reached;
  const int all =
      kStages * std::max(packages_, static_cast<int>(stage_.size()));
  const int percent = std::min(100, 100 * sum / std::max(1, all));
  if (percent <= percent_) return;
  percent_ = percent;
  if (sink_) sink_(percent_);
}

}  // namespace usher::install
