#ifndef USHER_PUBLISHER_KEY_RING_H_
#define USHER_PUBLISHER_KEY_RING_H_

// The publisher's private keys: one PEM file for each role.

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/tuf/private_key.h"

namespace usher::publisher {

// "root", "targets", "snapshot", "timestamp".
absl::Span<const absl::string_view> RoleNames();

// Where passphrases come from: a file (its first line), the environment
// variable USHER_PASSPHRASE, or the terminal, in this order. Not thread-safe.
class PassphraseSource {
 public:
  // `file`: empty for none. `ask`: ask on the terminal also for new keys.
  PassphraseSource(std::filesystem::path file, bool ask)
      : file_(std::move(file)), ask_(ask) {}

  // The passphrase for a new key: "" when none was asked for, which leaves the
  // key unencrypted. Asked for twice on a terminal.
  absl::StatusOr<std::string> ForNewKey();

  // The passphrase of the existing encrypted key at `path`.
  absl::StatusOr<std::string> ForKey(const std::filesystem::path& path);

 private:
  // From file or environment.
  absl::StatusOr<absl::optional<std::string>> Given();

  std::filesystem::path file_;
  bool ask_;
  absl::optional<std::string> answered_;
};

// "{role}.pem" in `folder`.
std::filesystem::path KeyPath(const std::filesystem::path& folder,
                              absl::string_view role);

// Reads a private key file. E_INVALIDARG names the file and says whether the
// passphrase is wrong; ERROR_FILE_NOT_FOUND.
absl::StatusOr<tuf::PrivateKey> LoadKey(const std::filesystem::path& path,
                                        PassphraseSource& passphrases);

// Makes a key and writes it, readable by its owner only. WU_E_DUPLICATE_ITEM
// when the file exists: keys are never overwritten.
absl::StatusOr<tuf::PrivateKey> CreateKey(const std::filesystem::path& path,
                                          absl::string_view scheme,
                                          absl::string_view passphrase);

// Takes over a key that another tool made: PEM, as PKCS#8 (plain or encrypted),
// PKCS#1 or SEC1. It is written as CreateKey() writes, `passphrases` opens the
// old file. E_INVALIDARG says how to convert what is not read.
absl::StatusOr<tuf::PrivateKey> ImportKey(const std::filesystem::path& from,
                                          const std::filesystem::path& to,
                                          PassphraseSource& passphrases,
                                          absl::string_view new_passphrase);

// Whether PEM text holds an encrypted key.
bool IsEncryptedPem(absl::string_view pem);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_KEY_RING_H_
