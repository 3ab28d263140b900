#include "client/cli/failure.h"

#include <cstdint>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "client/cli/json.h"
#include "client/cli/terminal.h"
#include "common/error.h"
#include "common/hresult.h"

namespace usher::cli {
namespace {

std::string PayloadOf(const absl::Status& status, absl::string_view url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

std::string AdviceFor(const absl::Status& status) {
  if (std::string own = AdviceOf(status); !own.empty()) return own;
  switch (HResultOf(status)) {
    case hr::kEAccessdenied:
      return absl::StrCat("run it as an administrator (", kHowToElevate,
                          "), or ask one");
    case hr::kWuENoService:
      return absl::StrCat("check that usherd runs (", kServiceQuery,
                          ") and that --address, --state-dir or USHER_ADDRESS "
                          "leads to it");
    case hr::kWuEInvalidCriteria:
      return "see the criteria language in docs/api.md, for example "
             "\"IsInstalled=0 and Type='Software'\"";
    case hr::kWuEDsNodataNosuchupdate:
      return "look for it with: usher search TEXT, or usher services refresh "
             "for newer catalogs";
    case hr::kWuEDuplicateItem:
      return "name one of the candidates by its UpdateID";
    case hr::kWuEAuNoRegisteredService:
      return absl::StrCat("register a repository: ", kElevationPrefix,
                          "usher services add URL --root root.json");
    case hr::kWuEDsUnknownservice:
      return "see the registered ones with: usher services list";
    case hr::kWuEEulasDeclined:
      return "read the terms with usher show NAME and repeat with "
             "--accept-eula";
    case hr::kWuEInstallNotAllowed:
      return "another installation runs or a restart is pending; see usher "
             "status and usher jobs list";
    case hr::kWuEMaxCapacityReached:
      return "end what is not needed any more: usher sessions list, usher "
             "sessions close, usher jobs list, usher jobs end";
    case hr::kWuETimeOut:
      return "try again; usher status shows what the service does";
    default:
      return "";
  }
}

std::string HResultText(uint32_t hresult) {
  const HResultInfo* info = FindHResult(hresult);
  return absl::StrCat(FormatHResult(hresult), info == nullptr ? "" : " ",
                      info == nullptr ? "" : info->symbol);
}

std::string ErrorJson(const absl::Status& status) {
  const HResult hresult = HResultOf(status);
  const HResultInfo* info = FindHResult(hresult);
  nlohmann::json error = {
      {"hresult", FormatHResult(hresult)},
      {"symbol", info == nullptr ? "" : std::string(info->symbol)},
      {"message", std::string(status.message())},
      {"subject", SubjectOf(status)},
      {"advice", AdviceFor(status)}};
  if (const std::string id = PayloadOf(status, "usher/request-id");
      !id.empty()) {
    error["request_id"] = id;
  }
  if (const std::string list = PayloadOf(status, "usher/candidates");
      !list.empty()) {
    error["candidates"] =
        nlohmann::json::parse(list, nullptr, /*allow_exceptions=*/false);
  }
  return Dump(error);
}

std::string ErrorMembers(const absl::Status& status,
                         const std::vector<UpdateException>& warnings,
                         ExitCode exit_code) {
  return absl::StrCat("  \"error\": ", Indented(ErrorJson(status)), ",\n",
                      ClosingMembers(warnings, exit_code));
}

absl::Status Unexpected(const std::exception& exception) {
  const bool memory =
      dynamic_cast<const std::bad_alloc*>(&exception) != nullptr;
  return Error(memory ? hr::kEOutofmemory : hr::kWuEUnexpected,
               absl::StrCat("unexpected failure: ", exception.what()));
}

void PrintError(Console& console, const absl::Status& status) {
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(status.message()), '\n');
  console.ErrorLine({{"usher: ", Style::kBad}, {lines.front()}});
  for (size_t i = 1; i < lines.size(); ++i) console.ErrorLine({{lines[i]}});
  const std::string advice = AdviceFor(status);
  if (!advice.empty()) console.ErrorLine({{"  what to do: " + advice}});
  const std::string id = PayloadOf(status, "usher/request-id");
  console.ErrorLine({{absl::StrCat("  ", HResultText(HResultOf(status)),
                                   id.empty() ? "" : "  request ", id),
                      Style::kDim}});
}

}  // namespace usher::cli
