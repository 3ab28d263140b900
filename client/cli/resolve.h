#ifndef USHER_CLIENT_CLI_RESOLVE_H_
#define USHER_CLIENT_CLI_RESOLVE_H_

// From what a user types to updates.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/app.h"
#include "usher/update_session.h"

namespace CLI {
class App;
}  // namespace CLI

namespace usher::cli {

// Where to look.
struct ScopeOptions {
  std::string service;  // id or name; empty: the machine's default choice
  bool offline = false;
};
void AddScopeOptions(CLI::App& verb, ScopeOptions& options);

// What to look for, besides the name.
struct Wanted {
  // Also in an older revision, or in part.
  bool installed = true;
  bool not_installed = true;
  bool include_superseded = false;
};

// A searcher for `scope`.
absl::StatusOr<UpdateSearcher> MakeSearcher(App& app,
                                            const ScopeOptions& scope);

// The id of the service that `text` names: an id as it is, or the only service
// of that name. WU_E_DS_UNKNOWNSERVICE otherwise.
absl::StatusOr<std::string> ResolveService(UpdateSession& session,
                                           const std::string& text);

// Chooses among search results what `text` names: those whose name is exactly
// that, else whose title is, in both cases ignoring letter case only when
// nothing matches exactly; of one update the newest revision, and of versions
// that supersede each other the newest. Errors:
// WU_E_DS_NODATA_NOSUCHUPDATE (with what looks alike) and WU_E_DUPLICATE_ITEM
// with the candidates when several updates match. Pure.
absl::StatusOr<Update> ChooseUpdate(const std::string& text,
                                    const std::vector<Update>& found);

// Finds the updates that `texts` name: names, titles or UpdateIDs. Each update
// comes once.
absl::StatusOr<std::vector<Update>> ResolveUpdates(
    App& app, const ScopeOptions& scope, const Wanted& wanted,
    const std::vector<std::string>& texts);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_RESOLVE_H_
