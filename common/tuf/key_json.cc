#include "common/tuf/key_json.h"

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "common/error.h"
#include "common/sha256.h"
#include "common/tuf/json_tools.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {
namespace {

using nlohmann::json;

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxPublicKeyBytes = size_t{16} * 1024;

// Whether keys of this type have a "public"; of others nothing is known.
bool IsKnownType(absl::string_view type) {
  return type == "ed25519" || type == "ecdsa" || type == kEcdsaP256 ||
         type == "rsa";
}

// The members that make up the key's identity.
json Essence(const Key& key) {
  json out = {{"keytype", key.type},
              {"scheme", key.scheme},
              {"keyval", json::object()}};
  json& keyval = out["keyval"];
  if (IsKnownType(key.type)) {
    keyval["public"] = key.public_key;
  } else {
    // What is not JSON was never read from any.
    AddUnknownFields(key.unknown_keyval_fields, keyval).IgnoreError();
  }
  return out;
}

}  // namespace

Key ReadKey(const json& value, const std::string& where, absl::Status& status) {
  Key key;
  ObjectReader reader(value, where, status);
  key.type = reader.String("keytype", kMaxNameBytes);
  key.scheme = reader.String("scheme", kMaxNameBytes);
  const json* keyval = reader.Required("keyval");
  if (keyval == nullptr) return key;
  ObjectReader keyval_reader(*keyval, reader.Where("keyval"), status);
  // A kind that is not known, Sigstore's identities for one, is no reason to
  // refuse the keys beside it; it is kept as it stands and signs nothing.
  if (IsKnownType(key.type)) {
    key.public_key = keyval_reader.String("public", kMaxPublicKeyBytes);
  }
  key.unknown_keyval_fields = keyval_reader.Rest();
  key.unknown_fields = reader.Rest();
  return key;
}

absl::Status WriteKey(const Key& key, json& out) {
  out = Essence(key);
  USHER_RETURN_IF_ERROR(
      AddUnknownFields(key.unknown_keyval_fields, out["keyval"]));
  return AddUnknownFields(key.unknown_fields, out);
}

std::string KeyToJson(const Key& key) {
  json out;
  // Unknown fields that are not JSON were never read from any; what is left
  // then is the key itself.
  if (!WriteKey(key, out).ok()) out = Essence(key);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::StatusOr<Key> ParseKey(absl::string_view text) {
  json value;
  USHER_RETURN_IF_ERROR(ReadJson(text, value));
  absl::Status status;
  Key key = ReadKey(value, "key", status);
  if (!status.ok()) return status;
  return key;
}

std::string KeyId(const Key& key) {
  return ToHex(Sha256Of(Canonicalize(Essence(key))));
}

}  // namespace usher::tuf
