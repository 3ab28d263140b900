#ifndef USHER_CLIENT_CLI_APP_H_
#define USHER_CLIENT_CLI_APP_H_

// What every verb is given.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/console.h"
#include "client/cli/exit_code.h"
#include "usher/update_session.h"

namespace CLI {
class App;
}  // namespace CLI

namespace usher::cli {

// The options that every verb understands.
struct GlobalOptions {
  std::string address;
  // The folder of a private service; instead of an address.
  std::string state_dir;
  std::string client_id = "usher-cli";
  bool json = false;
  bool quiet = false;
  bool no_color = false;
  bool yes = false;
  // Seconds to wait for a service that goes away during a command.
  double timeout = 30;
};

// What a verb ends with.
struct Report {
  ExitCode exit_code = kExitOk;
  // Members of the answer of --json as the text of one JSON object; warnings
  // and the exit code are added, and what was written with JsonElement().
  std::string json;
};

// One run of the program.
class App {
 public:
  explicit App(GlobalOptions globals);

  const GlobalOptions& globals() const { return globals_; }
  Console& console() { return console_; }

  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App();

  // The session, opened at the first call.
  absl::StatusOr<UpdateSession*> Session();

  // Tells of a problem that did not stop a search, such as a repository that
  // cannot be reached, so that its catalog may be old: as a remark, once, and
  // in the answer of --json.
  void Warn(const UpdateException& warning);
  std::vector<UpdateException> Warnings() const;

  // From now on an interrupt ends the program by LeaveInterrupted().
  void LeaveWhenInterrupted();
  // Ends the program with 130; with --json after an answer that says `why`.
  [[noreturn]] void LeaveInterrupted(const absl::Status& why);

 private:
  const GlobalOptions globals_;
  Console console_;
  std::optional<UpdateSession> session_;
  mutable absl::Mutex mutex_;
  std::vector<UpdateException> warnings_ ABSL_GUARDED_BY(mutex_);
};

// What a verb does once its options are known.
using Action = std::function<absl::StatusOr<Report>(App&)>;

// Sets the action of the verb that was chosen on the command line.
using Choose = std::function<void(Action)>;

// Each makes its verbs known to the parser.
void AddSearchVerb(CLI::App& parser, const Choose& choose);
void AddShowVerb(CLI::App& parser, const Choose& choose);
void AddDownloadVerb(CLI::App& parser, const Choose& choose);
void AddInstallVerbs(CLI::App& parser, const Choose& choose);
void AddHistoryVerb(CLI::App& parser, const Choose& choose);
void AddStateVerbs(CLI::App& parser, const Choose& choose);
void AddServicesVerb(CLI::App& parser, const Choose& choose);
void AddSessionsVerb(CLI::App& parser, const Choose& choose);
void AddJobsVerb(CLI::App& parser, const Choose& choose);
void AddStatusVerb(CLI::App& parser, const Choose& choose);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_APP_H_
