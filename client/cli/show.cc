// usher show

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "client/cli/update_view.h"
#include "common/error.h"

namespace usher::cli {
namespace {

struct ShowFlags {
  ScopeOptions scope;
  std::vector<std::string> names;
};

void Field(Console& console, const std::string& name,
           const std::string& value) {
  if (value.empty()) return;
  console.Line({{Pad(name, 18), Style::kDim}, {value}});
}

std::string YesNo(bool value) { return value ? "yes" : "no"; }

void Print(Console& console, const Update& update) {
  const UpdateIdentity identity = update.Identity();
  const UpdateState state = update.LastKnownState();
  console.Line({{Label(update), Style::kBold}});
  Field(console, "Title", update.Title());
  Field(console, "UpdateID", identity.update_id);
  Field(console, "Revision", absl::StrCat(identity.revision_number));
  Field(console, "Service", identity.service_id);
  Field(console, "Type", ToString(update.Type()));
  Field(console, "Size", FormatBytes(update.MaxDownloadSize()));
  Field(console, "Installed", YesNo(state.is_installed));
  Field(console, "Downloaded", YesNo(state.is_downloaded));
  Field(console, "Hidden", YesNo(state.is_hidden));
  Field(console, "Terms accepted", YesNo(state.eula_accepted));
  if (state.reboot_required) Field(console, "Restart", "required");
  if (update.IsMandatory()) Field(console, "Mandatory", "yes");
  Field(console, "Uninstallable", YesNo(update.IsUninstallable()));
  Field(console, "Severity", update.MsrcSeverity());
  Field(console, "Handler", update.HandlerID());
  if (update.Deadline().has_value()) {
    Field(console, "Deadline", FormatLocalTime(*update.Deadline()));
  }
  if (update.LastDeploymentChangeTime().has_value()) {
    Field(console, "Published",
          FormatLocalTime(*update.LastDeploymentChangeTime()));
  }
  std::vector<std::string> categories;
  for (const Category& category : update.Categories()) {
    categories.push_back(category.Name());
  }
  Field(console, "Categories", absl::StrJoin(categories, ", "));
  Field(console, "CVEs", absl::StrJoin(update.CveIDs(), ", "));
  Field(console, "Support", update.SupportUrl());
  Field(console, "More", absl::StrJoin(update.MoreInfoUrls(), " "));
  Field(console, "Supersedes",
        absl::StrJoin(update.SupersededUpdateIDs(), " "));
  for (const UpdateDownloadContent& content : update.DownloadContents()) {
    Field(console, "File",
          absl::StrCat(content.download_url, " (", FormatBytes(content.size),
                       ")"));
  }
  const auto paragraph = [&console](const std::string& title,
                                    const std::string& text) {
    if (text.empty()) return;
    console.Line();
    console.Line({{title, Style::kBold}});
    console.Paragraph(text, 2);
  };
  paragraph("Description", update.Description());
  paragraph("Release notes", update.ReleaseNotes());
  paragraph("Uninstalling", update.UninstallationNotes());
  paragraph("Licence terms", update.EulaText());
}

absl::StatusOr<Report> Show(App& app, const ShowFlags& flags) {
  Wanted wanted;
  wanted.include_superseded = true;
  USHER_ASSIGN_OR_RETURN(const std::vector<Update> updates,
                         ResolveUpdates(app, flags.scope, wanted, flags.names));
  nlohmann::json list = nlohmann::json::array();
  for (size_t i = 0; i < updates.size(); ++i) {
    if (i > 0) app.console().Line();
    Print(app.console(), updates[i]);
    list.push_back(FullUpdateJson(updates[i]));
  }
  return MakeReport(kExitOk,
                    {{"command", "show"}, {"updates", std::move(list)}});
}

}  // namespace

void AddShowVerb(CLI::App& parser, const Choose& choose) {
  auto flags = std::make_shared<ShowFlags>();
  CLI::App* verb =
      parser.add_subcommand("show", "Show all that is known of updates");
  verb->add_option("NAME", flags->names, "Names or UpdateIDs")->required();
  AddScopeOptions(*verb, flags->scope);
  verb->footer(
      "Examples:\n"
      "  usher show hello\n"
      "  usher show 6b1f2c64-52a4-4d0e-9d2b-0f8f6a6f0d11 --json");
  verb->callback([flags, choose] {
    choose([flags](App& app) { return Show(app, *flags); });
  });
}

}  // namespace usher::cli
