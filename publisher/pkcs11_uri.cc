#include "publisher/pkcs11_uri.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"

namespace usher::publisher {
namespace {

constexpr absl::string_view kScheme = "pkcs11:";
constexpr size_t kMaxBytes = 4096;
constexpr absl::string_view kPathNames[] = {
    "token", "serial", "manufacturer", "model", "object", "id", "type"};
constexpr absl::string_view kQueryNames[] = {"pin-value", "pin-source",
                                             "module-path"};

using Attributes = std::map<std::string, std::string>;

absl::Status BadUri(absl::string_view reason) {
  return Error(
      hr::kEInvalidarg,
      absl::StrCat(
          "the PKCS#11 URI ", reason,
          "; it should look like \"pkcs11:token=LABEL;object=LABEL\""));
}

absl::StatusOr<std::string> Decode(absl::string_view name,
                                   absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      // What no URI may hold; a label with a blank is written with %20.
      if (!absl::ascii_isgraph(static_cast<unsigned char>(text[i]))) {
        return BadUri(absl::StrCat("has a character in \"", name,
                                   "\" that must be written as %XX"));
      }
      decoded.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return BadUri(absl::StrCat("has a % without two hexadecimal digits in \"",
                                 name, "\""));
    }
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  // They become texts of C's.
  if (name != "id" && absl::StrContains(decoded, absl::string_view("\0", 1))) {
    return BadUri(absl::StrCat("has a zero byte in \"", name, "\""));
  }
  return decoded;
}

absl::StatusOr<Attributes> ReadAttributes(
    absl::string_view text, char separator,
    absl::Span<const absl::string_view> known) {
  Attributes attributes;
  if (text.empty()) return attributes;
  for (const absl::string_view part : absl::StrSplit(text, separator)) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    const std::string name(pair.first);
    if (!absl::c_linear_search(known, pair.first)) {
      return BadUri(absl::StrCat("has the attribute \"",
                                 absl::Utf8SafeCEscape(name),
                                 "\", which is not supported here (there are ",
                                 absl::StrJoin(known, ", "), ")"));
    }
    USHER_ASSIGN_OR_RETURN(std::string value, Decode(name, pair.second));
    if (value.empty()) return BadUri(absl::StrCat("has an empty ", name));
    if (!attributes.emplace(name, std::move(value)).second) {
      return BadUri(absl::StrCat("has ", name, " twice"));
    }
  }
  return attributes;
}

}  // namespace

bool IsPkcs11Uri(absl::string_view text) {
  return absl::StartsWith(text, kScheme);
}

absl::StatusOr<Pkcs11Uri> ParsePkcs11Uri(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kScheme)) {
    return BadUri("does not begin with \"pkcs11:\"");
  }
  if (text.size() > kMaxBytes) return BadUri("is too long");
  const size_t mark = text.find('?');
  const absl::string_view path = text.substr(0, mark);
  const absl::string_view query =
      mark == absl::string_view::npos ? "" : text.substr(mark + 1);
  USHER_ASSIGN_OR_RETURN(Attributes key, ReadAttributes(path, ';', kPathNames));
  USHER_ASSIGN_OR_RETURN(Attributes how,
                         ReadAttributes(query, '&', kQueryNames));
  if (!key.contains("token") && !key.contains("serial")) {
    return BadUri("names no token (token or serial)");
  }
  if (!key.contains("object") && !key.contains("id")) {
    return BadUri("names no key (object or id)");
  }
  if (key.contains("type") && key["type"] != "private") {
    return BadUri("must have type=private, or no type");
  }
  if (how.contains("pin-value") && how.contains("pin-source")) {
    return BadUri("has both pin-value and pin-source");
  }
  Pkcs11Uri uri;
  uri.name =
      absl::StrCat(kScheme, path, key.contains("type") ? "" : ";type=private");
  uri.token = key["token"];
  uri.serial = key["serial"];
  uri.pin_value = how["pin-value"];
  uri.pin_source = how["pin-source"];
  uri.module_path = how["module-path"];
  return uri;
}

}  // namespace usher::publisher
