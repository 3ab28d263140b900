#include "publisher/cli/staging_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/catalog/names.h"

namespace usher::publisher::cli {

std::string CheckPercent(const std::string& text) {
  return ParsePercent(text).has_value()
             ? ""
             : "must be from 0 to 100, in steps of 0.01";
}

std::string CheckChannel(const std::string& text) {
  return catalog::IsChannelName(text)
             ? ""
             : "must be lower-case letters, digits, '.', '_' and '-', a letter "
               "or digit first, at most 64 bytes";
}

nlohmann::json PercentNumber(int basis_points) {
  return basis_points % 100 == 0 ? nlohmann::json(basis_points / 100)
                                 : nlohmann::json(basis_points / 100.0);
}

std::string DescribeStaging(const Staging& staging) {
  const std::string share =
      staging.basis_points == catalog::kAllBasisPoints
          ? "every machine"
          : absl::StrCat(FormatPercent(staging.basis_points),
                         "% of the machines");
  return staging.channels.empty()
             ? share
             : absl::StrCat(share, " on ",
                            absl::StrJoin(staging.channels, ", "));
}

}  // namespace usher::publisher::cli
