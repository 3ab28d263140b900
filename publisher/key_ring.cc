#include "publisher/key_ring.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "publisher/platform.h"
#include "publisher/token_key.h"

namespace usher::publisher {
namespace {

constexpr uint64_t kMaxKeyFile = uint64_t{64} * 1024;
constexpr absl::string_view kRoles[] = {"root", "targets", "snapshot",
                                        "timestamp"};

// The first line of `text`.
absl::string_view FirstLine(absl::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

absl::StatusOr<std::string> ReadSecretFile(const std::filesystem::path& path,
                                           absl::string_view what) {
  USHER_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxKeyFile));
  text.resize(FirstLine(text).size());
  if (text.empty()) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("the ", what, " file ", PathToUtf8(path),
                              " has an empty first line"),
                 PathToUtf8(path));
  }
  return text;
}

absl::StatusOr<tuf::PrivateKey> LoadFromToken(absl::string_view text,
                                              const std::filesystem::path& base,
                                              PassphraseSource& passphrases) {
  USHER_ASSIGN_OR_RETURN(const Pkcs11Uri uri,
                         ParsePkcs11Uri(absl::StripAsciiWhitespace(text)));
  USHER_ASSIGN_OR_RETURN(const std::string pin,
                         passphrases.ForToken(uri, base));
  return LoadTokenKey(uri, pin);
}

}  // namespace

absl::Span<const absl::string_view> RoleNames() { return kRoles; }

PassphraseSource::PassphraseSource(std::filesystem::path file, bool ask,
                                   const char* variable)
    : file_(std::move(file)),
      ask_(ask),
      variable_(variable),
      asker_(&ReadSecretFromTerminal) {}

void PassphraseSource::AskNoMore() {
  silent_ = true;
  asker_ = [](absl::string_view prompt) {
    return Error(hr::kWuENoInteractiveUser,
                 absl::StrCat(prompt, ": nobody is asked for it here"));
  };
}

absl::StatusOr<std::vector<std::string>> PassphraseSource::Given() const {
  // Each is tried, and each attempt is made to be slow.
  constexpr size_t kMaxPassphrases = 64;
  std::vector<std::string> given;
  if (!file_.empty()) {
    USHER_ASSIGN_OR_RETURN(const std::string text,
                           ReadFile(file_, kMaxKeyFile));
    for (const absl::string_view line :
         absl::StrSplit(text, absl::ByAnyChar("\r\n"), absl::SkipEmpty())) {
      given.emplace_back(line);
    }
    if (FirstLine(text).empty() || given.size() > kMaxPassphrases) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("the passphrase file ", PathToUtf8(file_),
                                given.size() > kMaxPassphrases
                                    ? " has more than 64 lines"
                                    : " has an empty first line"),
                   PathToUtf8(file_));
    }
    return given;
  }
  const char* variable = std::getenv(variable_);
  if (variable != nullptr && *variable != '\0') given.emplace_back(variable);
  return given;
}

absl::StatusOr<std::string> PassphraseSource::ForNewKey() {
  USHER_ASSIGN_OR_RETURN(const auto given, Given());
  if (!given.empty()) return given.front();
  if (!answered_.empty()) return answered_.back();
  if (!ask_) return "";
  USHER_ASSIGN_OR_RETURN(const std::string first,
                         asker_("Passphrase for the new keys"));
  USHER_ASSIGN_OR_RETURN(const std::string second, asker_("The same again"));
  if (first != second) {
    return Error(hr::kEInvalidarg, "the two passphrases differ; nothing done");
  }
  if (first.empty()) {
    return Error(hr::kEInvalidarg,
                 "the passphrase is empty; leave out --ask-passphrase for "
                 "keys without one");
  }
  answered_.push_back(first);
  return first;
}

absl::StatusOr<tuf::PrivateKey> PassphraseSource::Open(
    const std::filesystem::path& path,
    absl::FunctionRef<absl::StatusOr<tuf::PrivateKey>(absl::string_view)>
        open) {
  const std::string name = PathToUtf8(path);
  USHER_ASSIGN_OR_RETURN(const std::vector<std::string> given, Given());
  std::vector<std::string> known = given;
  known.insert(known.end(), answered_.begin(), answered_.end());
  absl::Status failure;
  for (const std::string& passphrase : known) {
    absl::StatusOr<tuf::PrivateKey> key = open(passphrase);
    if (key.ok()) return key;
    failure = key.status();
  }
  std::string where;
  if (!given.empty()) {
    where = file_.empty() ? absl::StrCat("look at ", variable_)
                          : absl::StrCat("look at ", PathToUtf8(file_),
                                         ", which may have one on each line");
  } else {
    absl::StatusOr<std::string> answer =
        asker_(absl::StrCat("Passphrase of ", name));
    if (!answer.ok()) return Annotate(answer.status(), name);
    absl::StatusOr<tuf::PrivateKey> key = open(*answer);
    if (key.ok()) {
      answered_.push_back(*std::move(answer));
      return key;
    }
    failure = key.status();
    where = "it was typed at the terminal";
  }
  return Error(hr::kEInvalidarg,
               absl::StrCat(name,
                            ": the key is encrypted and the passphrase does "
                            "not open it; ",
                            where, " (", failure.message(), ")"),
               name);
}

absl::StatusOr<std::string> PassphraseSource::ForToken(
    const Pkcs11Uri& uri, const std::filesystem::path& base) {
  if (!uri.pin_value.empty()) return uri.pin_value;
  if (!uri.pin_source.empty()) {
    absl::string_view file = uri.pin_source;
    absl::ConsumePrefix(&file, "file://");
    absl::ConsumePrefix(&file, "file:");
    return ReadSecretFile(base / PathFromUtf8(file), "PIN");
  }
  const char* given = std::getenv("USHER_PKCS11_PIN");
  if (given != nullptr && *given != '\0') return std::string(given);
  const std::string token = absl::StrCat(uri.token, "\n", uri.serial);
  const auto known = pins_.find(token);
  if (known != pins_.end()) return known->second;
  const absl::string_view name = uri.token.empty() ? uri.serial : uri.token;
  if (silent_) {
    return Error(hr::kWuENoInteractiveUser,
                 absl::StrCat("the PIN of the token ", name,
                              " is not known, and nobody is asked here"));
  }
  absl::StatusOr<std::string> answer =
      asker_(absl::StrCat("PIN of the token ", name));
  // A token may have a keypad of its own, or ask for nothing.
  pins_[token] = answer.ok() ? *answer : "";
  return pins_[token];
}

std::filesystem::path KeyPath(const std::filesystem::path& folder,
                              absl::string_view role) {
  std::filesystem::path pem = folder / PathFromUtf8(absl::StrCat(role, ".pem"));
  std::filesystem::path uri = folder / PathFromUtf8(absl::StrCat(role, ".uri"));
  std::error_code error;
  return !std::filesystem::exists(pem, error) &&
                 std::filesystem::exists(uri, error)
             ? uri
             : pem;
}

std::string KeyName(const std::filesystem::path& path) {
  std::string name = PathToUtf8(path);
  if (IsPkcs11Uri(name)) name.resize(std::min(name.size(), name.find('?')));
  return name;
}

bool IsEncryptedPem(absl::string_view pem) {
  return absl::StrContains(pem, "BEGIN ENCRYPTED PRIVATE KEY") ||
         absl::StrContains(pem, "Proc-Type: 4,ENCRYPTED");
}

absl::StatusOr<tuf::PrivateKey> LoadKey(const std::filesystem::path& path,
                                        PassphraseSource& passphrases) {
  const std::string name = PathToUtf8(path);
  if (IsPkcs11Uri(name)) {
    return LoadFromToken(name, std::filesystem::path(), passphrases);
  }
  USHER_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kMaxKeyFile));
  if (IsPkcs11Uri(pem)) {
    auto key = LoadFromToken(FirstLine(pem), path.parent_path(), passphrases);
    if (!key.ok()) return Annotate(key.status(), name);
    return key;
  }
  if (!IsEncryptedPem(pem)) {
    auto key = tuf::PrivateKey::FromPem(pem);
    if (!key.ok()) return Annotate(key.status(), name);
    return key;
  }
  return passphrases.Open(path, [&pem](absl::string_view passphrase) {
    return tuf::PrivateKey::FromPem(pem, passphrase);
  });
}

absl::StatusOr<tuf::Key> LoadPublicKey(const std::filesystem::path& path,
                                       PassphraseSource& passphrases) {
  const std::string name = PathToUtf8(path);
  if (!IsPkcs11Uri(name)) {
    USHER_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kMaxKeyFile));
    if (absl::StrContains(pem, "BEGIN PUBLIC KEY")) {
      absl::StatusOr<tuf::Key> key = tuf::PublicKeyFromPem(pem);
      if (!key.ok()) return Annotate(key.status(), name);
      return key;
    }
  }
  USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key, LoadKey(path, passphrases));
  return key.public_key();
}

absl::Status CheckNewKeyPath(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return Error(hr::kWuEDuplicateItem,
                 absl::StrCat(PathToUtf8(path),
                              " exists already; keys are never overwritten"),
                 PathToUtf8(path));
  }
  if (IsPkcs11Uri(PathToUtf8(path))) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(KeyName(path),
                              " is no file; make keys in a token with the "
                              "token's own tools (pkcs11-tool --keypairgen)"),
                 KeyName(path));
  }
  return absl::OkStatus();
}

absl::Status WriteNewKey(const std::filesystem::path& path,
                         const tuf::PrivateKey& key,
                         absl::string_view passphrase) {
  USHER_RETURN_IF_ERROR(CheckNewKeyPath(path));
  USHER_ASSIGN_OR_RETURN(const std::string pem, key.ToPem(passphrase));
  USHER_RETURN_IF_ERROR(MakeDirectories(path.parent_path(), Access::kPrivate));
  std::filesystem::path fresh = path;
  fresh += PathFromUtf8(absl::StrCat(".", RandomResourceId(), ".new"));
  const auto remove =
      absl::MakeCleanup([&fresh] { RemoveTree(fresh).IgnoreError(); });
  USHER_RETURN_IF_ERROR(WriteFileAtomically(fresh, pem, Access::kPrivate));
  // Unlike a rename it takes nobody's place: another program may have made a
  // key here since we looked.
  std::error_code error;
  std::filesystem::create_hard_link(fresh, path, error);
  if (!error) {
    return SyncDirectory(path.has_parent_path() ? path.parent_path()
                                                : std::filesystem::path("."));
  }
  USHER_RETURN_IF_ERROR(CheckNewKeyPath(path));
  // A file system without links.
  return RenameDurably(fresh, path);
}

absl::StatusOr<tuf::PrivateKey> CreateKey(const std::filesystem::path& path,
                                          absl::string_view scheme,
                                          absl::string_view passphrase) {
  USHER_RETURN_IF_ERROR(CheckNewKeyPath(path));
  USHER_ASSIGN_OR_RETURN(tuf::PrivateKey key,
                         tuf::PrivateKey::Generate(scheme));
  USHER_RETURN_IF_ERROR(WriteNewKey(path, key, passphrase));
  return key;
}

}  // namespace usher::publisher
