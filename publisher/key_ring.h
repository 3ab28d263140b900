#ifndef USHER_PUBLISHER_KEY_RING_H_
#define USHER_PUBLISHER_KEY_RING_H_

// The publisher's private keys: one PEM file for each role, or a file with the
// PKCS#11 URI of a key that stays in a token.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/tuf/key.h"
#include "common/tuf/private_key.h"
#include "publisher/pkcs11_uri.h"

namespace usher::publisher {

// "root", "targets", "snapshot", "timestamp".
absl::Span<const absl::string_view> RoleNames();

// Where passphrases come from: a file (one on each line), an environment
// variable, or the terminal, in this order. Not thread-safe.
class PassphraseSource {
 public:
  // Asks a person for a secret: ReadSecretFromTerminal().
  using Asker = std::function<absl::StatusOr<std::string>(absl::string_view)>;

  // `file`: empty for none. `ask`: ask on the terminal also for new keys.
  PassphraseSource(std::filesystem::path file, bool ask,
                   const char* variable = "USHER_PASSPHRASE");
  // For tests.
  void set_asker(Asker asker) { asker_ = std::move(asker); }

  // From now on only what is known already is used: nobody is asked.
  void AskNoMore();

  // The passphrase for a new key: "" when none was asked for, which leaves the
  // key unencrypted. Asked for twice on a terminal.
  absl::StatusOr<std::string> ForNewKey();

  // Opens the existing encrypted key at `path`: `open` is called with each
  // passphrase of the file, or the variable's, or those that were typed before
  // and then the one that is asked for now, until it gives a key. The keys of a
  // repository may have different ones. E_INVALIDARG names the key and where
  // its passphrase was looked for.
  absl::StatusOr<tuf::PrivateKey> Open(
      const std::filesystem::path& path,
      absl::FunctionRef<
          absl::StatusOr<tuf::PrivateKey>(absl::string_view passphrase)>
          open);

  // The PIN of the token that holds `uri`'s key: from the URI, or from
  // USHER_PKCS11_PIN, or asked for at the terminal, once for each token; ""
  // when there is none of these. `base`: where a relative pin-source counts
  // from.
  absl::StatusOr<std::string> ForToken(const Pkcs11Uri& uri,
                                       const std::filesystem::path& base);

 private:
  // From file or environment; nothing if neither is given.
  absl::StatusOr<std::vector<std::string>> Given() const;

  std::filesystem::path file_;
  bool ask_;
  const char* variable_;
  Asker asker_;
  bool silent_ = false;
  std::vector<std::string> answered_;
  std::map<std::string, std::string> pins_;  // by token
};

// "{role}.pem" in `folder`; "{role}.uri" if only that is there.
std::filesystem::path KeyPath(const std::filesystem::path& folder,
                              absl::string_view role);

// How messages name a key that a person named by `path`: the path, or, for a
// PKCS#11 URI, the URI without its PIN.
std::string KeyName(const std::filesystem::path& path);

// Reads a private key file. A file whose first line is a PKCS#11 URI, or such a
// URI in place of a path, stands for the key in the token. E_INVALIDARG names
// the file and says whether the passphrase is wrong; ERROR_FILE_NOT_FOUND.
absl::StatusOr<tuf::PrivateKey> LoadKey(const std::filesystem::path& path,
                                        PassphraseSource& passphrases);

// The public half that a file holds: alone, or with its private half, as for
// LoadKey().
absl::StatusOr<tuf::Key> LoadPublicKey(const std::filesystem::path& path,
                                       PassphraseSource& passphrases);

// Makes a key and writes it, readable by its owner only. WU_E_DUPLICATE_ITEM
// when the file exists: keys are never overwritten.
absl::StatusOr<tuf::PrivateKey> CreateKey(const std::filesystem::path& path,
                                          absl::string_view scheme,
                                          absl::string_view passphrase);

// OK if a new key may be written to `path`: WU_E_DUPLICATE_ITEM when something
// is there.
absl::Status CheckNewKeyPath(const std::filesystem::path& path);

// Writes `key`, readable by its owner only, encrypted if `passphrase` is not
// empty. As CheckNewKeyPath().
absl::Status WriteNewKey(const std::filesystem::path& path,
                         const tuf::PrivateKey& key,
                         absl::string_view passphrase);

// Whether PEM text holds an encrypted key.
bool IsEncryptedPem(absl::string_view pem);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_KEY_RING_H_
