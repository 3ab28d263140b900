#ifndef USHER_PUBLISHER_CLI_OPTIONS_H_
#define USHER_PUBLISHER_CLI_OPTIONS_H_

// Options that several subcommands share.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/output.h"
#include "publisher/key_ring.h"

namespace usher::publisher::cli {

// Adds DIR, the repository's folder.
void AddDirectory(CLI::App& command, std::string& dir);

// Adds --json.
void AddJson(CLI::App& command, Output& output);

// Makes `command`, a subcommand with --json of which `action` becomes `run`
// with its arguments. Returns these, for more options. `AnyOutput` is Output,
// constant or not.
template <typename Arguments, typename AnyOutput>
std::shared_ptr<Arguments> AddCommand(
    CLI::App& group, Output& output, Action& action, const std::string& name,
    const std::string& help, CLI::App*& command,
    absl::Status (*run)(const Arguments&, AnyOutput&)) {
  auto arguments = std::make_shared<Arguments>();
  command = group.add_subcommand(name, help);
  AddJson(*command, output);
  command->callback([arguments, run, &output, &action] {
    action = [arguments, run, &output] { return run(*arguments, output); };
  });
  return arguments;
}

struct PassphraseOptions {
  std::string file;
  bool ask = false;

  // Adds --passphrase-file; for commands that make keys also
  // --ask-passphrase.
  void AddTo(CLI::App& command, bool makes_keys);
  PassphraseSource Source() const;
};

// Adds an option that takes a time after now; its check makes a bad one a
// usage error.
void AddTime(CLI::App& command, const std::string& name, std::string& value,
             const std::string& help);

// The time, or `fallback` when `value` is empty.
absl::StatusOr<absl::Time> TimeOr(const std::string& value, absl::Time now,
                                  absl::Time fallback);

// Adds an option that takes a span of time, or 0; its check makes a bad one a
// usage error.
void AddSpan(CLI::App& command, const std::string& name, std::string& value,
             const std::string& help);

// The span, or `fallback` when `value` is empty.
absl::StatusOr<absl::Duration> SpanOr(const std::string& value,
                                      absl::Duration fallback);

}  // namespace usher::publisher::cli

#endif  // USHER_PUBLISHER_CLI_OPTIONS_H_
