#include "service/platform/process_command_line.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"

namespace usher::platform {
namespace {

// cmd.exe looks at these even between quotes, or they end the quotes.
constexpr absl::string_view kUnsafeForBatch = "\"%!^&|<>\r\n";

// The end of "NAME=" at the beginning of an argument, or 0.
size_t PropertyEnd(absl::string_view argument) {
  const size_t sign = argument.find('=');
  if (sign == absl::string_view::npos) return 0;
  for (const char c : argument.substr(0, sign)) {
    if (!absl::ascii_isupper(static_cast<unsigned char>(c)) &&
        !absl::ascii_isdigit(static_cast<unsigned char>(c)) && c != '_' &&
        c != '.') {
      return 0;
    }
  }
  return sign + 1;
}

// Backslashes count only before a quote: there each is doubled.
void AppendQuoted(std::string& line, absl::string_view argument, bool always) {
  const size_t property = PropertyEnd(argument);
  if (!always && argument.size() > property &&
      argument.find_first_of(" \t\n\v\"") == absl::string_view::npos) {
    absl::StrAppend(&line, argument);
    return;
  }
  // NAME="a b" is the same argument as "NAME=a b", and what msiexec, which has
  // rules of its own, wants.
  absl::StrAppend(&line, argument.substr(0, property));
  argument.remove_prefix(property);
  line.push_back('"');
  size_t backslashes = 0;
  for (const char c : argument) {
    if (c == '\\') {
      ++backslashes;
    } else {
      if (c == '"') line.append(backslashes + 1, '\\');
      backslashes = 0;
    }
    line.push_back(c);
  }
  line.append(backslashes, '\\');
  line.push_back('"');
}

}  // namespace

bool IsBatchFile(absl::string_view program) {
  // Windows ignores dots and blanks at the end of a file's name.
  const size_t end = program.find_last_not_of(". ");
  const absl::string_view name =
      end == absl::string_view::npos ? program : program.substr(0, end + 1);
  return absl::EndsWithIgnoreCase(name, ".bat") ||
         absl::EndsWithIgnoreCase(name, ".cmd");
}

absl::StatusOr<std::string> CommandLine(const std::vector<std::string>& argv) {
  if (argv.empty()) return Error(hr::kEInvalidarg, "no program", "argv");
  for (const std::string& argument : argv) {
    if (argument.find('\0') != std::string::npos) {
      return Error(hr::kEInvalidarg, "an argument contains a NUL", "argv");
    }
  }
  // The program is cut off by simpler rules: up to the next quote.
  if (absl::StrContains(argv[0], '"')) {
    return Error(hr::kEInvalidarg, "a program's name has a quote", argv[0]);
  }
  const bool batch = IsBatchFile(argv[0]);
  std::string line = absl::StrCat("\"", argv[0], "\"");
  for (size_t i = 0; i < argv.size(); ++i) {
    if (batch && argv[i].find_first_of(std::string(kUnsafeForBatch)) !=
                     std::string::npos) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("\"", argv[i],
                                "\" cannot be handed to a batch file safely; "
                                "use a program instead"),
                   argv[0]);
    }
    if (i == 0) continue;
    line.push_back(' ');
    AppendQuoted(line, argv[i], batch);
  }
  return line;
}

}  // namespace usher::platform
