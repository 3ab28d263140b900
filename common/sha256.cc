#include "common/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher {
namespace {

// Hashing fails only when libcrypto has no SHA-256 or no memory; nothing that
// trusts a digest may go on then.
void Require(int result) {
  if (result != 1) std::abort();
}

}  // namespace

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) {
    Require(context != nullptr ? 1 : 0);
    Require(EVP_DigestInit_ex(context, EVP_sha256(), nullptr));
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(absl::string_view bytes) {
  Require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  Require(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr));
  return digest;
}

Sha256Digest Sha256Of(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

std::string ToHex(const Sha256Digest& digest) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

absl::StatusOr<Sha256Digest> ParseSha256Hex(absl::string_view hex) {
  Sha256Digest digest;
  if (hex.size() == 2 * digest.size() &&
      hex.find_first_not_of("0123456789abcdefABCDEF") ==
          absl::string_view::npos) {
    const std::string bytes = absl::HexStringToBytes(hex);
    for (size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<uint8_t>(bytes[i]);
    }
    return digest;
  }
  return Error(hr::kEInvalidarg,
               absl::StrCat("not a SHA-256 digest (64 hexadecimal digits): \"",
                            absl::CEscape(hex.substr(0, 80)), "\""));
}

}  // namespace usher
