#include "common/tuf/json_tools.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 32;

std::string Shown(absl::string_view text) {
  constexpr size_t kShownBytes = 80;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, kShownBytes)),
                      "\"");
}

// Builds the value and stops at the first thing that is not wanted. Returning
// false from a handler ends the parse.
class StrictBuilder : public nlohmann::json_sax<json> {
 public:
  explicit StrictBuilder(json& root) : root_(root) {}

  const std::string& problem() const { return problem_; }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Stop("a number does not fit in 64 bits");
    }
    return Add(static_cast<int64_t>(value));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return Stop(absl::StrCat("the number ", Shown(text),
                             " is not an integer of 64 bits"));
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return Stop("binary value"); }
  bool start_object(size_t /*count*/) override { return Open(json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(size_t /*count*/) override { return Open(json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    json& object = *open_.back();
    if (object.contains(name)) {
      return Stop(absl::StrCat("the member ", Shown(name), " stands twice"));
    }
    member_ = &object[name];
    return true;
  }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return Stop(absl::StrCat("not JSON at byte ", position));
  }

 private:
  bool Stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  json* Place(json value) {
    json* place = &root_;
    if (!open_.empty()) {
      if (open_.back()->is_array()) {
        open_.back()->push_back(nullptr);
        place = &open_.back()->back();
      } else {
        place = member_;
      }
    }
    *place = std::move(value);
    return place;
  }

  bool Add(json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(json value) {
    if (open_.size() == kMaxDepth) return Stop("nested too deeply");
    open_.push_back(Place(std::move(value)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  json& root_;
  // The containers not closed yet. A container does not move while it is open:
  // its parent takes no other element until it is closed.
  std::vector<json*> open_;
  json* member_ = nullptr;
  std::string problem_;
};

void AppendString(const std::string& text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

void AppendCanonical(const json& value, std::string& out) {
  switch (value.type()) {
    case json::value_t::object: {
      // The map's order is that of bytes, which in UTF-8 is that of code
      // points, as canonical JSON wants it.
      char separator = '{';
      for (const auto& [name, member] : value.items()) {
        out.push_back(separator);
        separator = ',';
        AppendString(name, out);
        out.push_back(':');
        AppendCanonical(member, out);
      }
      out.append(value.empty() ? "{}" : "}");
      return;
    }
    case json::value_t::array: {
      char separator = '[';
      for (const json& element : value) {
        out.push_back(separator);
        separator = ',';
        AppendCanonical(element, out);
      }
      out.append(value.empty() ? "[]" : "]");
      return;
    }
    case json::value_t::string:
      AppendString(value.get_ref<const std::string&>(), out);
      return;
    default:
      out.append(value.dump());
      return;
  }
}

}  // namespace

absl::Status Malformed(absl::string_view problem) {
  return Error(hr::kWuEMetadataSignatureVerifyFailed,
               absl::StrCat("malformed: ", problem));
}

absl::Status ReadJson(absl::string_view text, json& value) {
  StrictBuilder builder(value);
  // The SAX interface reports errors by its handler; what is left to throw is
  // std::bad_alloc.
  if (!json::sax_parse(text.begin(), text.end(), &builder)) {
    return Malformed(builder.problem());
  }
  return absl::OkStatus();
}

std::string Canonicalize(const json& value) {
  std::string out;
  AppendCanonical(value, out);
  return out;
}

ObjectReader::ObjectReader(const json& value, std::string where,
                           absl::Status& status)
    : value_(value), where_(std::move(where)), status_(status) {
  if (status_.ok() && !value_.is_object()) {
    status_ = Malformed(absl::StrCat(where_, " is not an object"));
  }
}

std::string ObjectReader::Where(absl::string_view name) const {
  return absl::StrCat(where_, where_.empty() ? "" : ".",
                      absl::Utf8SafeCEscape(name));
}

void ObjectReader::Fail(absl::string_view name, absl::string_view problem) {
  if (status_.ok()) {
    status_ = Malformed(absl::StrCat(Where(name), " ", problem));
  }
}

const json* ObjectReader::Optional(const char* name) {
  if (!ok()) return nullptr;
  known_.insert(name);
  const auto it = value_.find(name);
  return it == value_.end() ? nullptr : &*it;
}

const json* ObjectReader::Required(const char* name) {
  const json* member = Optional(name);
  if (member == nullptr) Fail(name, "is missing");
  return member;
}

std::string ObjectReader::String(const char* name, size_t max_bytes) {
  const json* member = Required(name);
  if (member == nullptr) return "";
  if (!member->is_string()) {
    Fail(name, "is not a string");
    return "";
  }
  const auto& text = member->get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    Fail(name, absl::StrCat("is longer than ", max_bytes, " bytes"));
    return "";
  }
  return text;
}

int64_t ObjectReader::Integer(const char* name, int64_t min, int64_t max) {
  const json* member = Required(name);
  if (member == nullptr) return min;
  if (!member->is_number_integer()) {
    Fail(name, "is not an integer");
    return min;
  }
  const int64_t number = member->get<int64_t>();
  if (number < min || number > max) {
    Fail(name, absl::StrCat("is ", number, ", not from ", min, " to ", max));
    return min;
  }
  return number;
}

bool ObjectReader::Bool(const char* name) {
  const json* member = Required(name);
  if (member == nullptr) return false;
  if (!member->is_boolean()) {
    Fail(name, "is not true or false");
    return false;
  }
  return member->get<bool>();
}

std::vector<std::string> ObjectReader::Strings(const char* name,
                                               size_t max_count,
                                               size_t max_bytes) {
  std::vector<std::string> strings;
  const json* member = Required(name);
  if (member == nullptr) return strings;
  if (!member->is_array()) {
    Fail(name, "is not a list");
    return strings;
  }
  if (member->size() > max_count) {
    Fail(name, absl::StrCat("has more than ", max_count, " elements"));
    return strings;
  }
  strings.reserve(member->size());
  for (const json& element : *member) {
    if (!element.is_string() ||
        element.get_ref<const std::string&>().size() > max_bytes) {
      Fail(name, absl::StrCat("has an element that is not a string of at most ",
                              max_bytes, " bytes"));
      return {};
    }
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

void ObjectReader::ForEach(
    const char* name, size_t max_count,
    const std::function<void(const std::string&, const json&)>& take) {
  const json* member = Required(name);
  if (member == nullptr) return;
  if (!member->is_object()) return Fail(name, "is not an object");
  if (member->size() > max_count) {
    return Fail(name, absl::StrCat("has more than ", max_count, " members"));
  }
  for (auto it = member->begin(); it != member->end() && ok(); ++it) {
    take(it.key(), it.value());
  }
}

std::string ObjectReader::Rest() const {
  if (!ok()) return "";
  json rest = json::object();
  for (auto it = value_.begin(); it != value_.end(); ++it) {
    if (!known_.contains(it.key())) rest[it.key()] = it.value();
  }
  return rest.empty() ? "" : rest.dump();
}

absl::Status AddUnknownFields(absl::string_view text, json& object) {
  if (text.empty()) return absl::OkStatus();
  json unknown;
  const absl::Status status = ReadJson(text, unknown);
  if (!status.ok() || !unknown.is_object()) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("not a JSON object: ", Shown(text)));
  }
  for (auto it = unknown.begin(); it != unknown.end(); ++it) {
    if (!object.contains(it.key())) object[it.key()] = it.value();
  }
  return absl::OkStatus();
}

}  // namespace usher::tuf
