#include "publisher/key_ring.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/platform.h"

namespace usher::publisher {
namespace {

constexpr uint64_t kMaxKeyFile = uint64_t{64} * 1024;
constexpr absl::string_view kRoles[] = {"root", "targets", "snapshot",
                                        "timestamp"};

}  // namespace

absl::Span<const absl::string_view> RoleNames() { return kRoles; }

absl::StatusOr<absl::optional<std::string>> PassphraseSource::Given() {
  if (!file_.empty()) {
    USHER_ASSIGN_OR_RETURN(std::string text, ReadFile(file_, kMaxKeyFile));
    text.resize(std::min(text.size(), text.find_first_of("\r\n")));
    if (text.empty()) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("the passphrase file ", PathToUtf8(file_),
                                " has an empty first line"),
                   PathToUtf8(file_));
    }
    return absl::optional<std::string>(std::move(text));
  }
  const char* variable = std::getenv("USHER_PASSPHRASE");
  if (variable != nullptr && *variable != '\0') {
    return absl::optional<std::string>(variable);
  }
  return answered_;
}

absl::StatusOr<std::string> PassphraseSource::ForNewKey() {
  USHER_ASSIGN_OR_RETURN(const auto given, Given());
  if (given.has_value()) return *given;
  if (!ask_) return "";
  USHER_ASSIGN_OR_RETURN(const std::string first,
                         ReadSecretFromTerminal("Passphrase for the new keys"));
  USHER_ASSIGN_OR_RETURN(const std::string second,
                         ReadSecretFromTerminal("The same again"));
  if (first != second) {
    return Error(hr::kEInvalidarg, "the two passphrases differ; nothing done");
  }
  if (first.empty()) {
    return Error(hr::kEInvalidarg,
                 "the passphrase is empty; leave out --ask-passphrase for "
                 "keys without one");
  }
  answered_ = first;
  return first;
}

absl::StatusOr<std::string> PassphraseSource::ForKey(
    const std::filesystem::path& path) {
  USHER_ASSIGN_OR_RETURN(const auto given, Given());
  if (given.has_value()) return *given;
  auto answer =
      ReadSecretFromTerminal(absl::StrCat("Passphrase of ", PathToUtf8(path)));
  if (!answer.ok()) return Annotate(answer.status(), PathToUtf8(path));
  answered_ = *answer;
  return answer;
}

std::filesystem::path KeyPath(const std::filesystem::path& folder,
                              absl::string_view role) {
  return folder / PathFromUtf8(absl::StrCat(role, ".pem"));
}

bool IsEncryptedPem(absl::string_view pem) {
  return absl::StrContains(pem, "BEGIN ENCRYPTED PRIVATE KEY") ||
         absl::StrContains(pem, "Proc-Type: 4,ENCRYPTED");
}

absl::StatusOr<tuf::PrivateKey> LoadKey(const std::filesystem::path& path,
                                        PassphraseSource& passphrases) {
  const std::string name = PathToUtf8(path);
  USHER_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kMaxKeyFile));
  if (!IsEncryptedPem(pem)) {
    auto key = tuf::PrivateKey::FromPem(pem);
    if (!key.ok()) return Annotate(key.status(), name);
    return key;
  }
  USHER_ASSIGN_OR_RETURN(const std::string passphrase,
                         passphrases.ForKey(path));
  auto key = tuf::PrivateKey::FromPem(pem, passphrase);
  if (!key.ok()) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(name,
                              ": the key is encrypted and the passphrase does "
                              "not open it; check --passphrase-file or "
                              "USHER_PASSPHRASE (",
                              key.status().message(), ")"),
                 name);
  }
  return key;
}

namespace {

absl::Status CheckNew(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::OkStatus();
  return Error(hr::kWuEDuplicateItem,
               absl::StrCat(PathToUtf8(path),
                            " exists already; keys are never overwritten"),
               PathToUtf8(path));
}

absl::Status WriteKey(const tuf::PrivateKey& key,
                      const std::filesystem::path& path,
                      absl::string_view passphrase) {
  USHER_ASSIGN_OR_RETURN(const std::string pem, key.ToPem(passphrase));
  USHER_RETURN_IF_ERROR(MakeDirectories(path.parent_path(), Access::kPrivate));
  return WriteFileAtomically(path, pem, Access::kPrivate);
}

// Why a file is no private key in PEM, where that can be told.
absl::Status CheckForm(absl::string_view text, const std::string& name) {
  std::string reason;
  if (absl::StrContains(text, "BEGIN OPENSSH PRIVATE KEY")) {
    reason = absl::StrCat(
        "is in OpenSSH's form; convert a copy of it with \"ssh-keygen -p -m "
        "PKCS8 -f COPY\" (RSA and ECDSA)");
  } else if (absl::StrContains(text, "PRIVATE KEY-----")) {
    return absl::OkStatus();
  } else if (absl::StrContains(text, "PUBLIC KEY-----")) {
    reason = "is the public half of a key; the private one is needed";
  } else {
    reason = absl::StrCat(
        "is no private key in PEM; convert one in DER with \"openssl pkey "
        "-inform DER -in ",
        name, " -out KEY.pem\"");
  }
  return Error(hr::kEInvalidarg, absl::StrCat(name, " ", reason), name);
}

}  // namespace

absl::StatusOr<tuf::PrivateKey> CreateKey(const std::filesystem::path& path,
                                          absl::string_view scheme,
                                          absl::string_view passphrase) {
  USHER_RETURN_IF_ERROR(CheckNew(path));
  USHER_ASSIGN_OR_RETURN(tuf::PrivateKey key,
                         tuf::PrivateKey::Generate(scheme));
  USHER_RETURN_IF_ERROR(WriteKey(key, path, passphrase));
  return key;
}

absl::StatusOr<tuf::PrivateKey> ImportKey(const std::filesystem::path& from,
                                          const std::filesystem::path& to,
                                          PassphraseSource& passphrases,
                                          absl::string_view new_passphrase) {
  USHER_RETURN_IF_ERROR(CheckNew(to));
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(from, kMaxKeyFile));
  USHER_RETURN_IF_ERROR(CheckForm(text, PathToUtf8(from)));
  USHER_ASSIGN_OR_RETURN(tuf::PrivateKey key, LoadKey(from, passphrases));
  USHER_RETURN_IF_ERROR(WriteKey(key, to, new_passphrase));
  return key;
}

}  // namespace usher::publisher
