#ifndef USHER_PUBLISHER_CLI_COMMANDS_H_
#define USHER_PUBLISHER_CLI_COMMANDS_H_

// The subcommands of usher-publish.

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace usher::publisher::cli {

class Output;

// What the command line asked for; set by the subcommand that was named.
using Action = std::function<absl::Status()>;

// Each adds subcommands to `app`; parsing sets `action`. `output` and `action`
// outlive `app`.
void AddKeyCommands(CLI::App& app, Output& output, Action& action);
void AddPublishCommands(CLI::App& app, Output& output, Action& action);
void AddTimestampCommands(CLI::App& app, Output& output, Action& action);
void AddContentCommands(CLI::App& app, Output& output, Action& action);
void AddImportCommands(CLI::App& app, Output& output, Action& action);
void AddRolloutCommand(CLI::App& app, Output& output, Action& action);
void AddRootCommands(CLI::App& app, Output& output, Action& action);
void AddYankCommands(CLI::App& app, Output& output, Action& action);
void AddMirrorCommands(CLI::App& app, Output& output, Action& action);
void AddDiffCommand(CLI::App& app, Output& output, Action& action);
void AddVendorCommands(CLI::App& app, Output& output, Action& action);
void AddCheckCommands(CLI::App& app, Output& output, Action& action);

}  // namespace usher::publisher::cli

#endif  // USHER_PUBLISHER_CLI_COMMANDS_H_
