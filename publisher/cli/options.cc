#include "publisher/cli/options.h"

#include <string>

#include "common/file_io.h"
#include "publisher/human_time.h"

namespace usher::publisher::cli {

void AddDirectory(CLI::App& command, std::string& dir) {
  command.add_option("DIR", dir, "The repository's folder")->required();
}

void AddJson(CLI::App& command, Output& output) {
  command.add_flag("--json", output.json, "Print the result as JSON");
}

void PassphraseOptions::AddTo(CLI::App& command, bool makes_keys) {
  command.add_option("--passphrase-file", file,
                     "File whose first line is the passphrase of the keys; "
                     "without it USHER_PASSPHRASE, then the terminal");
  if (makes_keys) {
    command.add_flag("--ask-passphrase", ask,
                     "Ask for a passphrase for the new keys");
  }
}

PassphraseSource PassphraseOptions::Source() const {
  return PassphraseSource(PathFromUtf8(file), ask);
}

void AddTime(CLI::App& command, const std::string& name, std::string& value,
             const std::string& help) {
  command.add_option(name, value, help)
      ->check([](const std::string& text) {
        const auto time = ParseFutureTime(text, absl::Now());
        return time.ok() ? std::string() : std::string(time.status().message());
      })
      ->type_name("TIME");
}

absl::Time TimeOr(const std::string& value, absl::Time now,
                  absl::Time fallback) {
  if (value.empty()) return fallback;
  // Spans count from the time of publication, which may be set; the check when
  // parsing has seen that the text is readable.
  return ParseFutureTime(value, now).value_or(fallback);
}

}  // namespace usher::publisher::cli
