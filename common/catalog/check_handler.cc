#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/catalog/check_record.h"
#include "common/catalog/names.h"
#include "common/error.h"
#include "common/hresult.h"
#include "common/package_version.h"
#include "common/windows_names.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::UpdateDescription;

constexpr int kMaxArguments = 256;
constexpr int kMaxStrip = 64;
constexpr int kMaxProperties = 64;
constexpr int kMaxTimeoutSeconds = 86400;

absl::Status Invalid(absl::string_view reason) {
  return Error(hr::kWuEInvalidUpdate, absl::StrCat("handler: ", reason));
}

absl::Status CheckArchive(const repository::v1::ArchiveHandler& handler) {
  if (!IsProductName(handler.product())) {
    return Invalid(
        absl::StrCat("\"", handler.product(), "\" is no product name"));
  }
  if (!IsProductVersion(handler.version())) {
    return Invalid(
        absl::StrCat("\"", handler.version(), "\" is no product version"));
  }
  if (handler.strip_components() < 0 ||
      handler.strip_components() > kMaxStrip ||
      handler.max_unpacked_size() < 0) {
    return Invalid("strip_components or max_unpacked_size is out of range");
  }
  return absl::OkStatus();
}

bool HasNul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

absl::Status CheckExec(const repository::v1::ExecHandler& handler,
                       const UpdateDescription& description) {
  if (!handler.program().empty()) {
    bool found = false;
    for (const auto& payload : description.payloads()) {
      found |= payload.name() == handler.program();
    }
    if (!found) {
      return Invalid(absl::StrCat("the program \"", handler.program(),
                                  "\" is no payload"));
    }
  }
  if (handler.arguments_size() > kMaxArguments ||
      handler.uninstall_arguments_size() > kMaxArguments) {
    return Invalid("too many arguments");
  }
  if (HasNul(handler.uninstall_program())) return Invalid("a NUL character");
  for (const auto* list :
       {&handler.arguments(), &handler.uninstall_arguments()}) {
    for (const std::string& argument : *list) {
      if (HasNul(argument)) return Invalid("a NUL character in an argument");
    }
  }
  if (handler.timeout_seconds() < 0 ||
      handler.timeout_seconds() > kMaxTimeoutSeconds) {
    return Invalid("timeout_seconds is out of range");
  }
  std::set<int> codes;
  for (const auto& code : handler.exit_codes()) {
    if (!codes.insert(code.code()).second) {
      return Invalid(absl::StrCat("exit code ", code.code(), " stands twice"));
    }
    if (code.meaning() == repository::v1::ExitCode::MEANING_UNSPECIFIED ||
        !repository::v1::ExitCode::Meaning_IsValid(code.meaning())) {
      return Invalid(
          absl::StrCat("exit code ", code.code(), " has an unknown meaning"));
    }
    if (code.hresult() != 0 && !Failed(code.hresult())) {
      return Invalid(absl::StrCat("exit code ", code.code(),
                                  " has an HRESULT that is no failure"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDeb(const repository::v1::DebHandler& handler) {
  for (const std::string& package : handler.packages()) {
    if (!IsDebianPackageName(package)) {
      return Invalid(absl::StrCat("\"", package, "\" is no Debian package"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMsi(const repository::v1::MsiHandler& handler) {
  if (!handler.product_code().empty() &&
      CanonicalMsiCode(handler.product_code()).empty()) {
    return Invalid("an MSI product code is a UUID in braces");
  }
  if (handler.properties_size() > kMaxProperties) {
    return Invalid("too many MSI properties");
  }
  for (const auto& [name, value] : handler.properties()) {
    if (!IsMsiProperty(name) || !IsMsiPropertyValue(value)) {
      return Invalid(absl::StrCat("bad MSI property \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHandler(const UpdateDescription& description) {
  switch (description.handler().kind_case()) {
    case repository::v1::Handler::kArchive:
      return CheckArchive(description.handler().archive());
    case repository::v1::Handler::kExec:
      return CheckExec(description.handler().exec(), description);
    case repository::v1::Handler::kDeb:
      return CheckDeb(description.handler().deb());
    case repository::v1::Handler::kMsi:
      return CheckMsi(description.handler().msi());
    case repository::v1::Handler::KIND_NOT_SET:
      break;
  }
  return Error(hr::kWuEDsUnknownhandler,
               "the update has no handler, or one that this version of Usher "
               "does not know");
}

}  // namespace usher::catalog
