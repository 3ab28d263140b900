// Keys: as JSON in metadata, and as PEM from people.

#include <string>

#include "common/tuf/key.h"
#include "common/tuf/private_key.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  const absl::string_view text = fuzz::Text(data, size);
  if (const auto key = tuf::ParseKey(text); key.ok()) {
    const auto again = tuf::ParseKey(tuf::KeyToJson(*key));
    fuzz::Require(again.ok() && tuf::KeyId(*again) == tuf::KeyId(*key));
    const auto fingerprint = tuf::KeyFingerprint(*key);
    // Nobody signed this.
    fuzz::Require(!tuf::VerifySignature(*key, "message", text).ok());
    if (!fingerprint.ok()) {
      fuzz::Require(!tuf::VerifySignature(*key, "message", "").ok());
    }
  }
  if (const auto key = tuf::PublicKeyFromPem(text); key.ok()) {
    fuzz::Require(tuf::KeyFingerprint(*key).ok());
  }
  static_cast<void>(tuf::PrivateKey::FromPem(text, "passphrase").ok());
  return 0;
}
