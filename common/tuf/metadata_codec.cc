#include "common/tuf/metadata_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "common/tuf/json_tools.h"
#include "common/tuf/metadata_reader.h"
#include "common/tuf/metadata_writer.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {
namespace {

using nlohmann::json;

constexpr size_t kMaxSignatures = 1024;
constexpr size_t kMaxSignatureBytes = size_t{16} * 1024;

std::vector<Signature> ReadSignatures(const json& list, absl::Status& status) {
  std::vector<Signature> signatures;
  if (!list.is_array() || list.size() > kMaxSignatures) {
    status = Malformed(
        absl::StrCat("signatures is not a list of at most ", kMaxSignatures));
    return signatures;
  }
  std::set<std::string> ids;
  for (const json& element : list) {
    ObjectReader reader(
        element, absl::StrCat("signatures[", signatures.size(), "]"), status);
    Signature signature;
    signature.key_id = reader.String("keyid", kMaxKeyIdBytes);
    // Section 4.2.1, even where the others are enough.
    if (!ids.insert(signature.key_id).second && status.ok()) {
      status = Malformed("signatures names a key twice");
    }
    signature.signature = reader.String("sig", kMaxSignatureBytes);
    signature.unknown_fields = reader.Rest();
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

// JSON text of a value made from a caller's strings, which may not be UTF-8.
absl::StatusOr<std::string> Dump(const json& value) {
  try {
    return value.dump();
  } catch (const std::exception&) {
    return Error(hr::kEInvalidarg, "metadata has text that is not UTF-8");
  }
}

absl::Status WriteSignature(const Signature& signature, json& out) {
  out = json{{"keyid", signature.key_id}, {"sig", signature.signature}};
  return AddUnknownFields(signature.unknown_fields, out);
}

}  // namespace

template <typename Body>
absl::StatusOr<Metadata<Body>> Parse(absl::string_view text) {
  json value;
  USHER_RETURN_IF_ERROR(ReadJson(text, value));
  absl::Status status;
  Metadata<Body> metadata;
  ObjectReader reader(value, "", status);
  const json* body = reader.Required("signed");
  const json* signatures = reader.Required("signatures");
  if (!status.ok()) return status;
  metadata.signatures = ReadSignatures(*signatures, status);
  ReadBody(*body, metadata.body, status);
  metadata.unknown_fields = reader.Rest();
  if (!status.ok()) return status;
  metadata.signed_bytes = Canonicalize(*body);
  return metadata;
}

template <typename Body>
absl::StatusOr<std::string> Serialize(const Metadata<Body>& metadata) {
  json out = json::object();
  USHER_RETURN_IF_ERROR(WriteBody(metadata.body, out["signed"]));
  json& signatures = out["signatures"] = json::array();
  for (const Signature& signature : metadata.signatures) {
    signatures.push_back(nullptr);
    USHER_RETURN_IF_ERROR(WriteSignature(signature, signatures.back()));
  }
  USHER_RETURN_IF_ERROR(AddUnknownFields(metadata.unknown_fields, out));
  USHER_ASSIGN_OR_RETURN(std::string text, Dump(out));
  // Nothing is published that a client would refuse.
  if (const auto parsed = Parse<Body>(text); !parsed.ok()) {
    return Error(hr::kEInvalidarg, parsed.status().message());
  }
  text.push_back('\n');
  return text;
}

template <typename Body>
absl::StatusOr<std::string> SignedBytes(const Body& body) {
  json out;
  USHER_RETURN_IF_ERROR(WriteBody(body, out));
  USHER_RETURN_IF_ERROR(Dump(out).status());
  return Canonicalize(out);
}

template <typename Body>
absl::Status Sign(Metadata<Body>& metadata, const std::vector<PrivateKey>& keys,
                  bool keep_others) {
  USHER_ASSIGN_OR_RETURN(std::string bytes, SignedBytes(metadata.body));
  std::vector<Signature> signatures;
  if (keep_others) {
    std::copy_if(
        metadata.signatures.begin(), metadata.signatures.end(),
        std::back_inserter(signatures), [&keys](const Signature& signature) {
          return std::none_of(keys.begin(), keys.end(),
                              [&signature](const PrivateKey& key) {
                                return key.key_id() == signature.key_id;
                              });
        });
  }
  std::set<std::string> ids;
  for (const PrivateKey& key : keys) {
    if (!ids.insert(key.key_id()).second) continue;  // given twice
    USHER_ASSIGN_OR_RETURN(const std::string raw, key.Sign(bytes));
    signatures.push_back({key.key_id(), absl::BytesToHexString(raw), ""});
  }
  metadata.signatures = std::move(signatures);
  metadata.signed_bytes = std::move(bytes);
  return absl::OkStatus();
}

// One set for each document type. A type cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define USHER_INSTANTIATE_CODEC(Body)                                         \
  template absl::StatusOr<Metadata<Body>> Parse<Body>(absl::string_view);     \
  template absl::StatusOr<std::string> Serialize(const Metadata<Body>&);      \
  template absl::StatusOr<std::string> SignedBytes(const Body&);              \
  template absl::Status Sign(Metadata<Body>&, const std::vector<PrivateKey>&, \
                             bool)
USHER_INSTANTIATE_CODEC(Root);
USHER_INSTANTIATE_CODEC(Timestamp);
USHER_INSTANTIATE_CODEC(Snapshot);
USHER_INSTANTIATE_CODEC(Targets);
#undef USHER_INSTANTIATE_CODEC
// NOLINTEND(bugprone-macro-parentheses)

MetaFile DescribeMetadata(int64_t version, absl::string_view serialized) {
  MetaFile meta;
  meta.version = version;
  meta.length = static_cast<int64_t>(serialized.size());
  meta.hashes["sha256"] = ToHex(Sha256Of(serialized));
  return meta;
}

}  // namespace usher::tuf
