// usher hide, usher unhide, usher accept-eula

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/update_view.h"
#include "common/error.h"

namespace usher::cli {
namespace {

struct StateFlags {
  ScopeOptions scope;
  std::vector<std::string> names;
};

// A verb that changes something about single updates.
struct StateVerb {
  const char* name;
  const char* help;
  const char* done;
  const char* example;
  absl::Status (*change)(const Update& update);
};

constexpr StateVerb kVerbs[] = {
    {"hide", "Keep updates from being offered", "hidden",
     "  sudo usher hide hello",
     [](const Update& update) { return update.SetIsHidden(true); }},
    {"unhide", "Offer hidden updates again", "offered again",
     "  usher search --criteria \"IsHidden=1\"\n  sudo usher unhide hello",
     [](const Update& update) { return update.SetIsHidden(false); }},
    {"accept-eula", "Accept the licence terms of updates for this machine",
     "licence terms accepted",
     "  usher show hello\n  sudo usher accept-eula hello",
     [](const Update& update) { return update.AcceptEula(); }},
};

absl::StatusOr<Report> Run(App& app, const StateVerb& verb,
                           const StateFlags& flags) {
  Wanted wanted;
  USHER_ASSIGN_OR_RETURN(const std::vector<Update> updates,
                         ResolveUpdates(app, flags.scope, wanted, flags.names));
  nlohmann::json list = nlohmann::json::array();
  for (const Update& update : updates) {
    if (absl::Status status = verb.change(update); !status.ok()) {
      return Annotate(status, Label(update));
    }
    app.console().Line(
        {{Label(update), Style::kBold}, {absl::StrCat(": ", verb.done)}});
    list.push_back(UpdateJson(update));
  }
  return MakeReport(kExitOk,
                    {{"command", verb.name}, {"updates", std::move(list)}});
}

}  // namespace

void AddStateVerbs(CLI::App& parser, const Choose& choose) {
  for (const StateVerb& state : kVerbs) {
    auto flags = std::make_shared<StateFlags>();
    CLI::App* verb = parser.add_subcommand(state.name, state.help);
    verb->add_option("NAME", flags->names, "Names or UpdateIDs")->required();
    AddScopeOptions(*verb, flags->scope);
    verb->footer(absl::StrCat("Examples:\n", state.example));
    verb->callback([flags, choose, &state] {
      choose([flags, &state](App& app) { return Run(app, state, *flags); });
    });
  }
}

}  // namespace usher::cli
