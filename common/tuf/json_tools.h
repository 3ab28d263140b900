#ifndef USHER_COMMON_TUF_JSON_TOOLS_H_
#define USHER_COMMON_TUF_JSON_TOOLS_H_

// Strict reading of JSON, for this layer's sources only.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace usher::tuf {

// WU_E_METADATA_SIGNATURE_VERIFY_FAILED: "malformed: {problem}".
absl::Status Malformed(absl::string_view problem);

// Reads `text` into `value`. Refuses what canonical JSON cannot hold: numbers
// that are not 64-bit integers; also duplicate members and deep nesting.
absl::Status ReadJson(absl::string_view text, nlohmann::json& value);

// The canonical form of a value that ReadJson() would accept.
std::string Canonicalize(const nlohmann::json& value);

// Takes an object apart. The first error goes to `status`, shared by the
// readers of one document; from then on every call returns a default value, so
// that a caller checks once at its end.
class ObjectReader {
 public:
  // `where` names the object in errors: "signed.roles.root".
  ObjectReader(const nlohmann::json& value, std::string where,
               absl::Status& status);

  // A member, or null when absent. Required() reports absence.
  const nlohmann::json* Optional(const char* name);
  const nlohmann::json* Required(const char* name);

  std::string String(const char* name, size_t max_bytes);
  int64_t Integer(const char* name, int64_t min, int64_t max);
  bool Bool(const char* name);
  std::vector<std::string> Strings(const char* name, size_t max_count,
                                   size_t max_bytes);
  // Calls `take` for each member of the object `name`.
  void ForEach(const char* name, size_t max_count,
               const std::function<void(const std::string& key,
                                        const nlohmann::json& value)>& take);
  // The members not asked for, as a JSON object; "" for none.
  std::string Rest() const;

  bool ok() const { return status_.ok(); }
  // Reports that the member `name` is wrong.
  void Fail(absl::string_view name, absl::string_view problem);
  std::string Where(absl::string_view name) const;

 private:
  const nlohmann::json& value_;
  std::string where_;
  absl::Status& status_;
  std::set<std::string> known_;
};

// Adds the members of the JSON object `text` that `object` does not have yet;
// "" adds nothing. E_INVALIDARG when it is not an object.
absl::Status AddUnknownFields(absl::string_view text, nlohmann::json& object);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_JSON_TOOLS_H_
