#include "publisher/cli/output.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/hresult.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

void PrintJson(const Json& json) {
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace)
            << std::endl;
}

}  // namespace

void Output::Line(absl::string_view text) const {
  if (!json) std::cout << text << '\n';
}

void Output::Result(const Json& result) const {
  if (json) PrintJson(result);
}

void Output::Note(absl::string_view text) const {
  std::cerr << "note: " << text << std::endl;
}

void Output::Failure(const absl::Status& status) const {
  const HResult code = HResultOf(status);
  const HResultInfo* info = FindHResult(code);
  const std::string symbol = info == nullptr ? "" : std::string(info->symbol);
  if (json) {
    PrintJson({{"error",
                {{"hresult", FormatHResult(code)},
                 {"symbol", symbol},
                 {"message", std::string(status.message())},
                 {"subject", SubjectOf(status)}}}});
    return;
  }
  std::cerr << "usher-publish: " << status.message() << " ("
            << FormatHResult(code) << (symbol.empty() ? "" : " ") << symbol
            << ")" << std::endl;
}

std::string Counted(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace usher::publisher::cli
