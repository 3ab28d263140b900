#include "publisher/toml_reader.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/toml_dots.h"
#include "publisher/human_time.h"

namespace usher::publisher {
namespace {

constexpr size_t kMaxReported = 20;

std::string_view StdView(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

void TomlProblems::Add(const toml::source_region& where,
                       absl::string_view reason) {
  problems_.push_back({static_cast<uint32_t>(where.begin.line),
                       static_cast<uint32_t>(where.begin.column),
                       std::string(reason)});
}

absl::Status TomlProblems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(
      sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
      });
  std::vector<std::string> lines;
  for (const Problem& problem : sorted) {
    if (lines.size() == kMaxReported) {
      lines.push_back(
          absl::StrCat(sorted.size() - kMaxReported, " more problems"));
      break;
    }
    lines.push_back(absl::StrCat(file_, ":", problem.line, ":", problem.column,
                                 ": ", problem.reason));
  }
  return Error(hr::kEInvalidarg, absl::StrJoin(lines, "\n"), file_);
}

absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      const std::string& file) {
  USHER_RETURN_IF_ERROR(CheckTomlDots(text, file));
  try {
    return toml::parse(StdView(text), std::string_view(file));
  } catch (const toml::parse_error& error) {
    TomlProblems problems(file);
    problems.Add(error.source(), Text(error.description()));
    return problems.ToStatus();
  } catch (const std::exception& error) {
    return Error(hr::kEInvalidarg, absl::StrCat(file, ": ", error.what()),
                 file);
  }
}

const toml::node* TomlTable::Node(absl::string_view key) {
  known_.insert(std::string(key));
  return table_.get(StdView(key));
}

bool TomlTable::Has(absl::string_view key) const {
  return table_.contains(StdView(key));
}

std::string TomlTable::PathOf(absl::string_view key) const {
  return path_.empty() ? std::string(key) : absl::StrCat(path_, ".", key);
}

void TomlTable::Fault(absl::string_view key, absl::string_view reason) {
  const toml::node* node = table_.get(StdView(key));
  problems_.Add(node == nullptr ? table_.source() : node->source(),
                absl::StrCat(PathOf(key), ": ", reason));
}

void TomlTable::WrongType(const toml::node& node, absl::string_view key,
                          absl::string_view wanted) {
  problems_.Add(node.source(), absl::StrCat(PathOf(key), ": must be ", wanted));
}

std::string TomlTable::String(absl::string_view key, size_t max_bytes) {
  const toml::node* node = Node(key);
  if (node == nullptr) return "";
  const auto* value = node->as_string();
  if (value == nullptr) {
    WrongType(*node, key, "a string");
    return "";
  }
  if (value->get().size() > max_bytes) {
    Fault(key, absl::StrCat("is longer than ", max_bytes, " bytes"));
    return "";
  }
  return value->get();
}

std::string TomlTable::RequiredString(absl::string_view key, size_t max_bytes) {
  if (!Has(key)) {
    known_.insert(std::string(key));
    Fault(key, "is missing");
    return "";
  }
  std::string value = String(key, max_bytes);
  if (value.empty() && table_.get(StdView(key))->is_string()) {
    Fault(key, "must not be empty");
  }
  return value;
}

bool TomlTable::Bool(absl::string_view key, bool fallback) {
  const toml::node* node = Node(key);
  if (node == nullptr) return fallback;
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    WrongType(*node, key, "true or false");
    return fallback;
  }
  return value->get();
}

int64_t TomlTable::Integer(absl::string_view key, int64_t min, int64_t max,
                           int64_t fallback) {
  const toml::node* node = Node(key);
  if (node == nullptr) return fallback;
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    WrongType(*node, key,
              absl::StrCat("a whole number from ", min, " to ", max));
    return fallback;
  }
  return value->get();
}

absl::optional<double> TomlTable::Number(absl::string_view key) {
  const toml::node* node = Node(key);
  if (node == nullptr) return absl::nullopt;
  if (const auto* value = node->as_floating_point(); value != nullptr) {
    return value->get();
  }
  if (const auto* value = node->as_integer(); value != nullptr) {
    return static_cast<double>(value->get());
  }
  WrongType(*node, key, "a number");
  return absl::nullopt;
}

std::vector<std::string> TomlTable::Strings(absl::string_view key,
                                            size_t max_count) {
  std::vector<std::string> result;
  const toml::array* array = Array(key);
  if (array == nullptr) return result;
  if (array->size() > max_count) {
    Fault(key, absl::StrCat("has more than ", max_count, " entries"));
    return result;
  }
  for (const toml::node& node : *array) {
    const auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
      WrongType(node, key, "an array of strings that are not empty");
      continue;
    }
    result.push_back(value->get());
  }
  return result;
}

absl::optional<absl::Time> TomlTable::Time(absl::string_view key) {
  const toml::node* node = Node(key);
  if (node == nullptr) return absl::nullopt;
  if (const auto* text = node->as_string(); text != nullptr) {
    if (const auto time = ParseRfc3339(text->get()); time.ok()) return *time;
  }
  if (const auto* value = node->as_date_time(); value != nullptr) {
    const toml::date_time& t = value->get();
    if (t.offset.has_value()) {
      const absl::CivilSecond civil(t.date.year, t.date.month, t.date.day,
                                    t.time.hour, t.time.minute, t.time.second);
      return absl::FromCivil(civil, absl::UTCTimeZone()) -
             absl::Minutes(t.offset->minutes);
    }
  }
  if (const auto* value = node->as_date(); value != nullptr) {
    const toml::date& d = value->get();
    return absl::FromCivil(absl::CivilSecond(d.year, d.month, d.day),
                           absl::UTCTimeZone());
  }
  WrongType(*node, key,
            "a date, or a date and time with offset (2027-01-31T12:00:00Z)");
  return absl::nullopt;
}

int TomlTable::Word(absl::string_view key, absl::Span<const TomlWord> words,
                    int fallback) {
  const toml::node* node = Node(key);
  if (node == nullptr) return fallback;
  const auto* value = node->as_string();
  std::vector<absl::string_view> accepted;
  for (const TomlWord& word : words) {
    if (value != nullptr && absl::string_view(value->get()) == word.word) {
      return word.value;
    }
    accepted.push_back(word.word);
  }
  WrongType(*node, key,
            absl::StrCat("one of \"", absl::StrJoin(accepted, "\", \""), "\""));
  return fallback;
}

const toml::table* TomlTable::Table(absl::string_view key) {
  const toml::node* node = Node(key);
  if (node == nullptr) return nullptr;
  const toml::table* table = node->as_table();
  if (table == nullptr) WrongType(*node, key, "a table");
  return table;
}

std::vector<const toml::table*> TomlTable::Tables(absl::string_view key) {
  std::vector<const toml::table*> tables;
  const toml::array* array = Array(key);
  if (array == nullptr) return tables;
  for (const toml::node& node : *array) {
    if (const toml::table* table = node.as_table(); table != nullptr) {
      tables.push_back(table);
    } else {
      WrongType(node, key, "an array of tables");
    }
  }
  return tables;
}

const toml::array* TomlTable::Array(absl::string_view key) {
  const toml::node* node = Node(key);
  if (node == nullptr) return nullptr;
  const toml::array* array = node->as_array();
  if (array == nullptr) WrongType(*node, key, "an array");
  return array;
}

void TomlTable::Finish() {
  for (const auto& [key, node] : table_) {
    const std::string name = Text(key.str());
    if (known_.count(name) != 0) continue;
    problems_.Add(key.source(), absl::StrCat("unknown key \"", PathOf(name),
                                             "\"; known here: ",
                                             absl::StrJoin(known_, ", ")));
  }
}

}  // namespace usher::publisher
