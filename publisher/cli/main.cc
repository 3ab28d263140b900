// usher-publish: makes and signs repositories. docs/publishing.md.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "common/error.h"
#include "common/program_arguments.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"

namespace {

enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2 };

int Run(int argc, char** argv) {
  namespace cli = usher::publisher::cli;
  cli::Output output;
  cli::Action action;
  CLI::App app("Makes and signs repositories of updates for Usher",
               "usher-publish");
  app.set_version_flag("--version", "usher-publish " USHER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "From nothing to a repository:\n"
      "  usher-publish init repo --name \"Example updates\"\n"
      "  usher-publish add-deb repo hello_2.10-3_amd64.deb\n"
      "  usher-publish publish repo\n"
      "  usher-publish verify repo\n"
      "and let a web server serve repo/public.\n"
      "Exit codes: 0 done, 1 failed, 2 usage.");
  cli::AddKeyCommands(app, output, action);
  cli::AddContentCommands(app, output, action);
  cli::AddRolloutCommand(app, output, action);
  cli::AddImportCommands(app, output, action);
  cli::AddPublishCommands(app, output, action);
  cli::AddTimestampCommands(app, output, action);
  cli::AddRootCommands(app, output, action);
  cli::AddYankCommands(app, output, action);
  cli::AddVendorCommands(app, output, action);
  cli::AddMirrorCommands(app, output, action);
  cli::AddDiffCommand(app, output, action);
  cli::AddCheckCommands(app, output, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  absl::Status status = usher::publisher::CheckPublicationTime();
  if (status.ok()) status = action();
  if (status.ok()) return output.exit_code;
  output.Failure(status);
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    usher::ProgramArguments arguments(argc, argv);
    return Run(arguments.argc(), arguments.argv());
  } catch (const std::exception& error) {
    // Out of memory, or a fault of this program.
    std::cerr << "usher-publish: " << error.what() << std::endl;
    return kFailed;
  }
}
