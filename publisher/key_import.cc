#include "publisher/key_import.h"

#include <cstddef>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/key.h"
#include "nlohmann/json.hpp"

namespace usher::publisher {
namespace {

constexpr uint64_t kMaxKeyFile = uint64_t{64} * 1024;

absl::Status Refuse(const std::string& name, absl::string_view reason) {
  return Error(hr::kEInvalidarg, absl::StrCat(name, ": ", reason), name);
}

// What the file plainly is, if that is no key that could be read.
absl::Status CheckKind(const std::string& name, absl::string_view text) {
  if (absl::StartsWith(text, "{")) return absl::OkStatus();
  if (absl::StrContains(text, "@@@@")) {
    return Refuse(name,
                  "a key that securesystemslib has encrypted in its own way; "
                  "docs/publishing.md shows how to convert it");
  }
  if (absl::StrContains(text, "BEGIN OPENSSH PRIVATE KEY")) {
    return Refuse(name,
                  "a key in OpenSSH's own format. An RSA or ECDSA key is "
                  "converted in place, so work on a copy: ssh-keygen -p -m "
                  "PKCS8 -f COPY. ssh-keygen keeps ed25519 keys in its own "
                  "format; docs/publishing.md shows another way");
  }
  if (absl::StrContains(text, "BEGIN PUBLIC KEY") ||
      absl::StrContains(text, "BEGIN RSA PUBLIC KEY") ||
      absl::StartsWith(text, "ssh-")) {
    return Refuse(name,
                  "a public key; its holder's private key is needed to sign. "
                  "\"usher-publish root add-key\" takes public keys");
  }
  if (absl::StrContains(text, "BEGIN CERTIFICATE")) {
    return Refuse(name, "a certificate, which holds no private key");
  }
  if (absl::StartsWith(text, "pkcs11:")) {
    return Refuse(name,
                  "the URI of a key in a token, which does not leave it; use "
                  "the URI itself in place of a key file");
  }
  return absl::OkStatus();
}

// The text `object` has as `name`; "" if it has none.
std::string Text(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : std::string();
}

// The key file of TUF's reference implementation (securesystemslib) and of
// go-tuf: an object as in metadata, with "private" beside "public": PEM, or an
// ed25519 key's 32 bytes, in go-tuf's followed by the public key's.
absl::StatusOr<tuf::PrivateKey> ReadJson(absl::string_view text) {
  const absl::Status unknown = Error(
      hr::kEInvalidarg,
      "a JSON text that is no unencrypted key of securesystemslib or go-tuf");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return unknown;
  const auto keyval = json.find("keyval");
  if (keyval == json.end() || !keyval->is_object()) return unknown;
  const std::string value = Text(*keyval, "private");
  if (absl::StrContains(value, "-----BEGIN ")) {
    return tuf::PrivateKey::FromPem(value);
  }
  constexpr size_t kSeedDigits = 64;
  if ((value.size() != kSeedDigits && value.size() != 2 * kSeedDigits) ||
      !absl::c_all_of(value, absl::ascii_isxdigit) ||
      Text(json, "keytype") != tuf::kEd25519) {
    return unknown;
  }
  // What comes before the 32 bytes in PKCS#8 (RFC 8410).
  constexpr absl::string_view kPkcs8 = "302e020100300506032b657004220420";
  absl::StatusOr<tuf::PrivateKey> key =
      tuf::PrivateKey::FromDer(absl::HexStringToBytes(
          absl::StrCat(kPkcs8, value.substr(0, kSeedDigits))));
  if (key.ok() && !absl::EqualsIgnoreCase(key->public_key().public_key,
                                          Text(*keyval, "public"))) {
    return Error(hr::kEInvalidarg,
                 "the key is damaged: its halves do not belong together");
  }
  return key;
}

absl::StatusOr<tuf::PrivateKey> Read(absl::string_view bytes,
                                     absl::string_view passphrase) {
  if (absl::StartsWith(bytes, "{")) return ReadJson(bytes);
  return absl::StrContains(bytes, "-----BEGIN ")
             ? tuf::PrivateKey::FromPem(bytes, passphrase)
             : tuf::PrivateKey::FromDer(bytes, passphrase);
}

// Encrypted DER says so only when it is read.
bool IsLocked(const absl::Status& status) {
  return absl::StrContains(status.message(), "it is encrypted");
}

}  // namespace

absl::StatusOr<tuf::PrivateKey> ReadForeignKey(
    const std::filesystem::path& path, PassphraseSource& passphrases) {
  const std::string name = PathToUtf8(path);
  USHER_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxKeyFile));
  USHER_RETURN_IF_ERROR(CheckKind(name, bytes));
  absl::StatusOr<tuf::PrivateKey> key = Read(bytes, "");
  if (!key.ok() && IsLocked(key.status())) {
    key = passphrases.Open(path, [&bytes](absl::string_view passphrase) {
      return Read(bytes, passphrase);
    });
    if (HResultOf(key.status()) == hr::kWuENoInteractiveUser) {
      return Error(hr::kWuENoInteractiveUser,
                   absl::StrCat(name,
                                ": the key is encrypted and there is no "
                                "terminal to ask for its passphrase; give "
                                "--from-passphrase-file or set "
                                "USHER_FROM_PASSPHRASE"),
                   name);
    }
    if (!key.ok()) return key.status();
  }
  if (!key.ok()) {
    return Refuse(
        name,
        absl::StrCat(key.status().message(),
                     ". An ed25519, ECDSA P-256 or RSA (2048 bits or more) "
                     "private key in PEM or DER is wanted; \"openssl pkey -in "
                     "FILE -text -noout\" shows what it is"));
  }
  // Nothing may be signed with a key whose halves do not belong together.
  absl::StatusOr<std::string> signature = key->Sign(name);
  if (!signature.ok() ||
      !tuf::VerifySignature(key->public_key(), name, *signature).ok()) {
    return Refuse(name,
                  "the key is damaged: its public half does not verify what "
                  "its private half signs");
  }
  return key;
}

}  // namespace usher::publisher
