// usher: the command line of the update agent.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "client/cli/app.h"
#include "client/cli/failure.h"
#include "client/cli/json.h"
#include "client/cli/terminal.h"
#include "common/error.h"
#include "common/program_arguments.h"

namespace usher::cli {
namespace {

// An unset variable, most likely; it must not mean the machine's own.
std::string CheckNotEmpty(const std::string& value) {
  return value.empty() ? "must not be empty" : "";
}

void AddGlobalOptions(CLI::App& parser, GlobalOptions& globals) {
  CLI::Option* const address =
      parser
          .add_option("--address", globals.address,
                      "Socket or pipe of the service (default: USHER_ADDRESS, "
                      "else the machine's)")
          ->type_name("PATH")
          ->check(&CheckNotEmpty);
  parser
      .add_option("--state-dir", globals.state_dir,
                  "The private service that keeps its things in this folder")
      ->type_name("DIR")
      ->check(&CheckNotEmpty)
      ->excludes(address);
  parser
      .add_option("--client-id", globals.client_id,
                  "ClientApplicationID of the session")
      ->capture_default_str();
  parser.add_flag("--json", globals.json,
                  "One JSON object on stdout, for results and errors");
  parser.add_flag("-q,--quiet", globals.quiet, "No progress, no remarks");
  parser.add_flag("--no-color", globals.no_color,
                  "No colours (also: NO_COLOR in the environment)");
  parser.add_flag("-y,--yes", globals.yes,
                  "Ask nothing; licence terms still "
                  "need --accept-eula");
  parser
      .add_option("--timeout", globals.timeout,
                  "Seconds to wait for a service that goes away meanwhile")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
}

// The members of an object's text, each with what separates it from the next.
std::string Members(const std::string& object) {
  const size_t begin = object.find('{');
  const size_t end = object.rfind('}');
  if (begin == std::string::npos || end <= begin) return "";
  const absl::string_view members = absl::StripAsciiWhitespace(
      absl::string_view(object).substr(begin + 1, end - begin - 1));
  return members.empty() ? "" : absl::StrCat("  ", members, ",\n");
}

int Fail(App& app, const absl::Status& status, ExitCode code) {
  if (app.globals().json) {
    app.console().EndJson(ErrorMembers(status, app.Warnings(), code));
  } else {
    PrintError(app.console(), status);
  }
  return code;
}

int Finish(App& app, const absl::StatusOr<Report>& report) {
  if (!report.ok()) {
    return Fail(app, report.status(), ExitCodeOf(report.status()));
  }
  if (app.globals().json) {
    app.console().EndJson(
        absl::StrCat(Members(report->json),
                     ClosingMembers(app.Warnings(), report->exit_code)));
  }
  return report->exit_code;
}

absl::StatusOr<Report> Run(App& app, const Action& action) {
  try {
    return action(app);
  } catch (const std::exception& error) {
    return Unexpected(error);
  }
}

// Whether --json is there although the command line could not be parsed.
bool WantsJson(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (absl::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

// The same error, or a better one where the parser does not name the word that
// it took for no command.
CLI::ParseError Named(const CLI::App& parser, const CLI::ParseError& error) {
  const std::vector<std::string> rest = parser.remaining(true);
  if (error.get_name() != "RequiredError" || rest.empty() ||
      !parser.get_subcommands().empty()) {
    return error;
  }
  return CLI::ValidationError(rest.front(),
                              "not a command; usher --help lists them");
}

// The examples say "sudo", which is not everywhere the way to more rights.
void NameElevation(CLI::App& command) {
  command.footer(
      absl::StrReplaceAll(command.get_footer(), {{"sudo ", kElevationPrefix}}));
  for (CLI::App* const sub : command.get_subcommands({})) NameElevation(*sub);
}

int Main(int argc, char** argv) {
  GlobalOptions globals;
  Action action;
  CLI::App parser("Finds, downloads, installs and removes updates.", "usher");
  parser.set_version_flag("--version", absl::StrCat("usher ", USHER_VERSION));
  parser.require_subcommand(1);
  // Global options may stand after the verb, too.
  parser.fallthrough();
  AddGlobalOptions(parser, globals);
  const Choose choose = [&action](Action chosen) {
    action = std::move(chosen);
  };
  AddSearchVerb(parser, choose);
  AddShowVerb(parser, choose);
  AddDownloadVerb(parser, choose);
  AddInstallVerbs(parser, choose);
  AddHistoryVerb(parser, choose);
  AddStateVerbs(parser, choose);
  AddServicesVerb(parser, choose);
  AddSessionsVerb(parser, choose);
  AddJobsVerb(parser, choose);
  AddStatusVerb(parser, choose);
  parser.footer(
      "Examples:\n"
      "  usher search hello\n"
      "  sudo usher install hello\n"
      "  usher history --json\n"
      "Each verb has its own help: usher install --help\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 partly failed, 4 access\n"
      "denied, 5 no service, 6 nothing found, 8 restart required, 130\n"
      "interrupted.");
  NameElevation(parser);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way, too, with code 0.
    if (error.get_exit_code() == 0) return parser.exit(error);
    const CLI::ParseError named = Named(parser, error);
    if (!WantsJson(argc, argv)) {
      parser.exit(named);
      return kExitUsage;
    }
    App app(GlobalOptions{.json = true});
    return Fail(app, Error(hr::kEInvalidarg, named.what(), "command line"),
                kExitUsage);
  }
  App app(globals);
  app.LeaveWhenInterrupted();
  return Finish(app, Run(app, action));
}

}  // namespace
}  // namespace usher::cli

int main(int argc, char** argv) {
  usher::cli::CatchInterrupts();
  usher::cli::PrepareTerminal();
  try {
    usher::ProgramArguments arguments(argc, argv);
    return usher::cli::Main(arguments.argc(), arguments.argv());
  } catch (const std::exception& error) {
    // Before there was a verb to run, or while its answer was written.
    if (usher::cli::WantsJson(argc, argv)) {
      std::puts(
          "{\"error\": {\"hresult\": \"0x80240FFF\", "
          "\"symbol\": \"WU_E_UNEXPECTED\", "
          "\"message\": \"unexpected failure\"}, "
          "\"warnings\": [], \"exit_code\": 1}");
    }
    std::fprintf(stderr, "usher: %s\n", error.what());
    return usher::cli::kExitFailed;
  }
}
