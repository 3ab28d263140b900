#include "publisher/key_import.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/key.h"

namespace usher::publisher {
namespace {

constexpr uint64_t kMaxKeyFile = uint64_t{64} * 1024;

absl::Status Refuse(const std::string& name, absl::string_view reason) {
  return Error(hr::kEInvalidarg, absl::StrCat(name, ": ", reason), name);
}

// What the file plainly is, if that is no key that could be read.
absl::Status CheckKind(const std::string& name, absl::string_view text) {
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

absl::StatusOr<tuf::PrivateKey> Read(absl::string_view bytes,
                                     absl::string_view passphrase) {
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
    absl::StatusOr<std::string> passphrase = passphrases.ForKey(path);
    if (HResultOf(passphrase.status()) == hr::kWuENoInteractiveUser) {
      return Error(hr::kWuENoInteractiveUser,
                   absl::StrCat(name,
                                ": the key is encrypted and there is no "
                                "terminal to ask for its passphrase; give "
                                "--from-passphrase-file or set "
                                "USHER_FROM_PASSPHRASE"),
                   name);
    }
    if (!passphrase.ok()) return passphrase.status();
    key = Read(bytes, *passphrase);
    if (!key.ok()) {
      return Refuse(name,
                    absl::StrCat("the key is encrypted and the passphrase does "
                                 "not open it; check --from-passphrase-file or "
                                 "USHER_FROM_PASSPHRASE (",
                                 key.status().message(), ")"));
    }
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
