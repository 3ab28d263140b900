#ifndef USHER_PUBLISHER_CLI_STAGING_OPTIONS_H_
#define USHER_PUBLISHER_CLI_STAGING_OPTIONS_H_

// How commands take and print who is offered an update.

#include <nlohmann/json.hpp>
#include <string>

#include "publisher/staging.h"

namespace usher::publisher::cli {

// Checks of options: what is wrong, or "".
std::string CheckPercent(const std::string& text);
std::string CheckChannel(const std::string& text);

// A share in percent: 25, or 12.5.
nlohmann::json PercentNumber(int basis_points);

// "25% of the machines on beta", "every machine".
std::string DescribeStaging(const Staging& staging);

}  // namespace usher::publisher::cli

#endif  // USHER_PUBLISHER_CLI_STAGING_OPTIONS_H_
