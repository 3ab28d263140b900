#ifndef USHER_PUBLISHER_CLI_OUTPUT_H_
#define USHER_PUBLISHER_CLI_OUTPUT_H_

// What usher-publish prints. Included by the commands only, since it needs
// nlohmann-json.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::publisher::cli {

// What a command exits with that has done its work and found something on the
// way that a person must look at; standard error says what.
inline constexpr int kRemarksExitCode = 4;

// Results go to standard output: as text, or with --json as one JSON object.
// Notes and errors go to standard error.
class Output {
 public:
  // Set by the command line parser.
  bool json = false;
  // What the program exits with when its command succeeds.
  int exit_code = 0;

  // Prints a line of text, unless the output is JSON.
  void Line(absl::string_view text) const;
  // Prints the result, if the output is JSON.
  void Result(const nlohmann::json& result) const;
  // A remark beside the result: "note: …".
  void Note(absl::string_view text) const;
  // A failure: "usher-publish: MESSAGE (0x…, SYMBOL)", or as JSON
  // {"error": {"hresult", "symbol", "message", "subject"}}.
  void Failure(const absl::Status& status) const;
};

// "1 update", "2 updates".
std::string Counted(int64_t count, absl::string_view noun);

}  // namespace usher::publisher::cli

#endif  // USHER_PUBLISHER_CLI_OUTPUT_H_
