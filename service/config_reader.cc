#include "service/config_reader.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::daemon {

void ConfigErrors::Add(const toml::node& node, absl::string_view subject,
                       absl::string_view reason) {
  if (!first.ok()) return;
  const toml::source_position at = node.source().begin;
  first = Error(hr::kEInvalidarg,
                absl::StrCat(PathToUtf8(path), ":", at.line, ":", at.column,
                             ": ", reason),
                subject);
}

ConfigReader::ConfigReader(const toml::table* table, std::string name,
                           ConfigErrors& errors)
    : table_(table), name_(std::move(name)), errors_(errors) {}

const toml::node* ConfigReader::Take(absl::string_view key) {
  known_.emplace(key);
  if (table_ == nullptr) return nullptr;
  return table_->get(std::string_view(key.data(), key.size()));
}

void ConfigReader::Wrong(const toml::node& node, absl::string_view key,
                         absl::string_view reason) {
  const std::string full =
      name_.empty() ? std::string(key) : absl::StrCat(name_, ".", key);
  errors_.Add(node, full, absl::StrCat(full, " ", reason));
}

void ConfigReader::Bool(absl::string_view key, bool& out) {
  const toml::node* node = Take(key);
  if (node == nullptr) return;
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    Wrong(*node, key, "must be true or false");
    return;
  }
  out = value->get();
}

void ConfigReader::Int(absl::string_view key, int64_t min, int64_t max,
                       int64_t& out) {
  const toml::node* node = Take(key);
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    Wrong(*node, key,
          absl::StrCat("must be an integer from ", min, " to ", max));
    return;
  }
  out = value->get();
}

void ConfigReader::Int(absl::string_view key, int64_t min, int64_t max,
                       int& out) {
  int64_t wide = out;
  Int(key, min, max, wide);
  out = static_cast<int>(wide);
}

void ConfigReader::Duration(absl::string_view key, absl::Duration min,
                            absl::Duration max, absl::Duration& out) {
  const toml::node* node = Take(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  absl::Duration duration;
  if (value == nullptr || !absl::ParseDuration(value->get(), &duration) ||
      duration < min || duration > max) {
    Wrong(*node, key,
          absl::StrCat("must be a duration such as \"90s\" or \"1h30m\", from ",
                       absl::FormatDuration(min), " to ",
                       absl::FormatDuration(max)));
    return;
  }
  out = duration;
}

void ConfigReader::Text(absl::string_view key, const Check& check,
                        std::string& out) {
  const toml::node* node = Take(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  if (value == nullptr) {
    Wrong(*node, key, "must be a string");
    return;
  }
  if (check) {
    if (const std::string wrong = check(value->get()); !wrong.empty()) {
      Wrong(*node, key, wrong);
      return;
    }
  }
  out = value->get();
}

void ConfigReader::Path(absl::string_view key, std::filesystem::path& out) {
  std::string text;
  Text(
      key,
      [](const std::string& value) -> std::string {
        return value.empty() ? "must not be empty" : "";
      },
      text);
  if (text.empty()) return;
  out = (std::filesystem::path(errors_.path).parent_path() / PathFromUtf8(text))
            .lexically_normal();
}

void ConfigReader::Texts(absl::string_view key, const Check& check,
                         std::vector<std::string>& out) {
  const toml::node* node = Take(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    Wrong(*node, key, "must be a list of strings");
    return;
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* value = element.as_string();
    if (value == nullptr) {
      Wrong(element, key, "must be a list of strings");
      return;
    }
    if (check) {
      if (const std::string wrong = check(value->get()); !wrong.empty()) {
        Wrong(element, key, wrong);
        return;
      }
    }
    texts.push_back(value->get());
  }
  out = std::move(texts);
}

void ConfigReader::Require(absl::string_view key) {
  if (table_ == nullptr || Take(key) != nullptr) return;
  Wrong(*table_, key, "is missing");
}

void ConfigReader::Finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    const std::string_view text = key.str();
    if (known_.find(text) != known_.end()) continue;
    // A key's own position: a table's is that of its header.
    const std::string where = name_.empty() ? "" : absl::StrCat(" in ", name_);
    errors_.Add(
        node, std::string(text),
        absl::StrCat("unknown key \"",
                     absl::string_view(text.data(), text.size()), "\"", where,
                     "; known are: ", absl::StrJoin(known_, ", ")));
    return;
  }
}

}  // namespace usher::daemon
