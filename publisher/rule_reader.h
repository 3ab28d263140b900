#ifndef USHER_PUBLISHER_RULE_READER_H_
#define USHER_PUBLISHER_RULE_READER_H_

// Applicability rules as TOML tables. Included by the description reader only.

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "publisher/toml_reader.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {

// Reads one rule: a table with exactly one key, which names the kind. `path`
// names it in messages. Faults go to `problems`; the result is then partial.
repository::v1::Rule ReadRule(const toml::table& table, const std::string& path,
                              TomlProblems& problems);

// A share of the machines, 0 to 100 with decimals to 0.01, in hundredths of a
// percent; none when absent or wrong.
absl::optional<int> ReadPercent(TomlTable& table, absl::string_view key);

// Names of channels.
std::vector<std::string> ReadChannels(TomlTable& table, absl::string_view key);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_RULE_READER_H_
