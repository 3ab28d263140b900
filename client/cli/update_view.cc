#include "client/cli/update_view.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/text.h"

namespace usher::cli {
namespace {

Span StateOf(const Update& update) {
  const UpdateState state = update.LastKnownState();
  if (state.reboot_required) return {"restart", Style::kWarning};
  if (state.is_installed) return {"installed", Style::kGood};
  if (state.is_present) {
    return {
        update.BundledUpdateIdentities().empty() ? "older revision" : "in part",
        Style::kGood};
  }
  if (state.is_hidden) return {"hidden", Style::kDim};
  if (state.is_downloaded) return {"downloaded"};
  return {"available"};
}

}  // namespace

std::vector<std::string> UpdateHeader(bool long_rows) {
  if (long_rows) {
    return {"NAME", "VERSION", "STATE", "SIZE", "UPDATEID", "REV", "TITLE"};
  }
  return {"NAME", "VERSION", "STATE", "SIZE", "TITLE"};
}

std::vector<Span> UpdateRow(const Update& update, bool long_rows) {
  std::vector<Span> row = {{update.Name(), Style::kBold},
                           {update.Version()},
                           StateOf(update),
                           {FormatBytes(update.MaxDownloadSize())}};
  if (long_rows) {
    const UpdateIdentity identity = update.Identity();
    row.push_back({identity.update_id, Style::kDim});
    row.push_back({absl::StrCat(identity.revision_number)});
  }
  row.push_back({update.Title()});
  return row;
}

std::string Label(const Update& update) {
  const std::string name = update.Name();
  if (name.empty()) return update.Title();
  const std::string version = update.Version();
  return version.empty() ? name : absl::StrCat(name, " ", version);
}

}  // namespace usher::cli
