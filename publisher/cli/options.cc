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
                     "File with the passphrase of the keys, or one on each "
                     "line; without it\nUSHER_PASSPHRASE, then the terminal");
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
        const auto time = ParseFutureTime(text, PublicationTime());
        return time.ok() ? std::string() : std::string(time.status().message());
      })
      ->type_name("TIME");
}

absl::StatusOr<absl::Time> TimeOr(const std::string& value, absl::Time now,
                                  absl::Time fallback) {
  if (value.empty()) return fallback;
  // Spans count from the time of publication, which may be set.
  return ParseFutureTime(value, now);
}

void AddSpan(CLI::App& command, const std::string& name, std::string& value,
             const std::string& help) {
  command.add_option(name, value, help)
      ->check([](const std::string& text) {
        const auto span = SpanOr(text, absl::ZeroDuration());
        return span.ok() ? std::string() : std::string(span.status().message());
      })
      ->type_name("TIME");
}

absl::StatusOr<absl::Duration> SpanOr(const std::string& value,
                                      absl::Duration fallback) {
  if (value.empty()) return fallback;
  return ParseSpan(value);
}

}  // namespace usher::publisher::cli
