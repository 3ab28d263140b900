#include "service/catalog/dpkg_status.h"

#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::catalog {
namespace {

// One stanza, as far as it matters here.
struct Stanza {
  std::string package;
  std::string status;
  DebianPackage found;
};

void Finish(Stanza& stanza, DebianPackages& packages) {
  // "want flag state": packages with triggers to run work already.
  const bool installed = absl::EndsWith(stanza.status, " installed") ||
                         absl::EndsWith(stanza.status, " triggers-pending") ||
                         absl::EndsWith(stanza.status, " triggers-awaited");
  if (installed && !stanza.package.empty() && !stanza.found.version.empty()) {
    packages[stanza.package].push_back(std::move(stanza.found));
  }
  stanza = Stanza();
}

bool TakeField(absl::string_view line, absl::string_view field,
               std::string& value) {
  if (!absl::StartsWithIgnoreCase(line, field)) return false;
  line.remove_prefix(field.size());
  value = std::string{absl::StripAsciiWhitespace(line)};
  return true;
}

}  // namespace

absl::StatusOr<DebianPackages> ReadDpkgStatus(
    const std::filesystem::path& path) {
  DebianPackages packages;
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return packages;
  std::ifstream file(path, std::ios::binary);
  Stanza stanza;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty()) {
      Finish(stanza, packages);
    } else if (!absl::ascii_isspace(line[0])) {
      TakeField(line, "Package:", stanza.package) ||
          TakeField(line, "Status:", stanza.status) ||
          TakeField(line, "Version:", stanza.found.version) ||
          TakeField(line, "Architecture:", stanza.found.architecture);
    }
  }
  Finish(stanza, packages);
  if (!file.eof()) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat("cannot read the list of installed packages, ",
                              PathToUtf8(path)),
                 PathToUtf8(path));
  }
  return packages;
}

}  // namespace usher::catalog
