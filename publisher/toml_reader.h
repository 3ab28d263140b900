#ifndef USHER_PUBLISHER_TOML_READER_H_
#define USHER_PUBLISHER_TOML_READER_H_

// Strict reading of TOML tables: every value has a type and a range, every
// unknown key is a fault, and every fault has a line and a column. Included by
// the description reader's sources only, since it needs toml++.

#include <toml++/toml.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace usher::publisher {

// The faults found in one file.
class TomlProblems {
 public:
  explicit TomlProblems(std::string file) : file_(std::move(file)) {}

  void Add(const toml::source_region& where, absl::string_view reason);

  // OK, or E_INVALIDARG with a line "file:line:column: reason" for each fault
  // (the first 20), in the order of the file.
  absl::Status ToStatus() const;

 private:
  struct Problem {
    uint32_t line;
    uint32_t column;
    std::string reason;
  };
  std::string file_;
  std::vector<Problem> problems_;
};

// A word of a file and the number that it stands for.
struct TomlWord {
  absl::string_view word;
  int value;
};

// One table. Reading a key marks it as known; Finish() reports the others.
// A value of the wrong type is reported, and the fallback returned.
class TomlTable {
 public:
  // `path` names the table in messages, "" for the file itself.
  TomlTable(const toml::table& table, std::string path, TomlProblems& problems)
      : table_(table), path_(std::move(path)), problems_(problems) {}

  bool Has(absl::string_view key) const;

  std::string String(absl::string_view key, size_t max_bytes = 4096);
  // A missing or empty string is a fault.
  std::string RequiredString(absl::string_view key, size_t max_bytes = 4096);
  bool Bool(absl::string_view key, bool fallback);
  int64_t Integer(absl::string_view key, int64_t min, int64_t max,
                  int64_t fallback);
  // A number with or without decimals; none when absent.
  absl::optional<double> Number(absl::string_view key);
  std::vector<std::string> Strings(absl::string_view key,
                                   size_t max_count = 1024);
  // Offset date-time, or RFC 3339 in a string.
  absl::optional<absl::Time> Time(absl::string_view key);
  int Word(absl::string_view key, absl::Span<const TomlWord> words,
           int fallback);
  const toml::table* Table(absl::string_view key);
  // An array of tables, also written inline.
  std::vector<const toml::table*> Tables(absl::string_view key);
  const toml::array* Array(absl::string_view key);

  void Finish();

  // Reports a fault at `key`, or at the table when there is no such key.
  void Fault(absl::string_view key, absl::string_view reason);

  const toml::table& table() const { return table_; }
  TomlProblems& problems() { return problems_; }
  // "payload.file"
  std::string PathOf(absl::string_view key) const;

 private:
  const toml::node* Node(absl::string_view key);
  void WrongType(const toml::node& node, absl::string_view key,
                 absl::string_view wanted);

  const toml::table& table_;
  std::string path_;
  TomlProblems& problems_;
  std::set<std::string> known_;
};

// Parses TOML text; `file` names it in messages. E_INVALIDARG with
// "file:line:column: reason".
absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      const std::string& file);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_TOML_READER_H_
