#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/intake.h"
#include "publisher/update_checks.h"

namespace usher::publisher::cli {
namespace {

struct Arguments {
  std::string dir, lists = "/var/lib/apt/lists", architecture, payload_base;
  std::string classification;
  std::vector<std::string> files;
  bool metadata_only = false;
  bool prune = false;
};

absl::Status RunImport(const Arguments& arguments, const Output& output) {
  AptImportOptions options;
  for (const std::string& file : arguments.files) {
    options.files.push_back(PathFromUtf8(file));
  }
  if (options.files.empty()) {
    USHER_ASSIGN_OR_RETURN(options.files,
                           FindPackagesIndexes(PathFromUtf8(arguments.lists)));
  }
  options.architecture = arguments.architecture;
  options.payload_base = arguments.payload_base;
  options.prune = arguments.prune;
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(
      const AptImportSummary summary,
      ImportAptInto(workspace, std::move(options), arguments.classification,
                    PublicationTime()));
  output.Result({{"files", summary.files},
                 {"added", summary.debs.added},
                 {"revised", summary.debs.revised},
                 {"unchanged", summary.debs.unchanged},
                 {"removed", summary.removed},
                 {"skipped", summary.skipped}});
  output.Line(
      absl::StrCat("Imported ", summary.files, " indexes: ", summary.debs.added,
                   " added, ", summary.debs.revised, " revised, ",
                   summary.debs.unchanged, " unchanged, ", summary.removed,
                   " removed, ", summary.skipped, " skipped"));
  output.Line(absl::StrCat("Make it public with: usher-publish publish ",
                           arguments.dir));
  return absl::OkStatus();
}

}  // namespace

void AddImportCommands(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "import-apt", "Add every package of apt's package indexes");
  AddDirectory(*command, arguments->dir);
  CLI::Option* files = command->add_option(
      "FILE", arguments->files,
      "Packages indexes, plain or compressed (default: those in --lists)");
  command->add_option("--lists", arguments->lists, "Folder of apt's lists")
      ->capture_default_str()
      ->excludes(files);
  command->add_option("--architecture", arguments->architecture,
                      "Only packages of this architecture and of \"all\"");
  auto* content = command->add_option_group(
      "Content", "Where the packages are downloaded from; one is required");
  content
      ->add_option("--payload-base", arguments->payload_base,
                   "URL of the archive that has pool/; \"auto\": from the "
                   "names of the indexes in --lists")
      ->check([](const std::string& text) {
        return text == "auto" || IsHttpUrl(text)
                   ? std::string()
                   : std::string("must be \"auto\" or an http(s) URL");
      });
  content->add_flag("--metadata-only", arguments->metadata_only,
                    "From nowhere: searches work, downloads fail with 404 "
                    "(for measurements)");
  content->require_option(1);
  command->add_option("--classification", arguments->classification,
                      "Classification, by name or id (default: Security "
                      "Updates or Updates, by the index's name)");
  command->add_flag("--prune", arguments->prune,
                    "Remove packages of an earlier import that are in none "
                    "of the indexes any more");
  AddJson(*command, output);
  command->footer(
      "Examples:\n"
      "  usher-publish import-apt repo --payload-base auto\n"
      "  usher-publish import-apt repo Packages.xz \\\n"
      "      --payload-base https://deb.debian.org/debian/\n"
      "  usher-publish import-apt repo --metadata-only");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunImport(*arguments, output); };
  });
}

}  // namespace usher::publisher::cli
