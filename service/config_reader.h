#ifndef USHER_SERVICE_CONFIG_READER_H_
#define USHER_SERVICE_CONFIG_READER_H_

// Reads one table of a TOML document strictly. For config.cc only: it brings
// toml++ along.

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::daemon {

// What the readers of one document share: its name and its first error.
struct ConfigErrors {
  std::filesystem::path path;
  absl::Status first;

  // Records "path:line:column: reason" unless there is an error already.
  void Add(const toml::node& node, absl::string_view subject,
           absl::string_view reason);
};

// Each read leaves the output as it is when the key is absent. Not
// thread-safe.
class ConfigReader {
 public:
  // `table` may be nullptr: an absent table. `name` is for messages.
  ConfigReader(const toml::table* table, std::string name,
               ConfigErrors& errors);

  void Bool(absl::string_view key, bool& out);
  void Int(absl::string_view key, int64_t min, int64_t max, int64_t& out);
  void Int(absl::string_view key, int64_t min, int64_t max, int& out);
  // "90s", "1.5h", "250ms".
  void Duration(absl::string_view key, absl::Duration min, absl::Duration max,
                absl::Duration& out);
  // `check` may be empty; it returns what is wrong, or "".
  using Check = std::function<std::string(const std::string&)>;
  void Text(absl::string_view key, const Check& check, std::string& out);
  // Relative ones are taken from the configuration's folder.
  void Path(absl::string_view key, std::filesystem::path& out);
  void Texts(absl::string_view key, const Check& check,
             std::vector<std::string>& out);
  // Of the configuration's file.
  std::filesystem::path folder() const { return errors_.path.parent_path(); }
  // A key that must be there.
  void Require(absl::string_view key);

  // Records an error for the first key that was not read.
  void Finish();

 private:
  const toml::node* Take(absl::string_view key);
  void Wrong(const toml::node& node, absl::string_view key,
             absl::string_view reason);

  const toml::table* const table_;
  const std::string name_;
  ConfigErrors& errors_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace usher::daemon

#endif  // USHER_SERVICE_CONFIG_READER_H_
