#ifndef USHER_COMMON_SHA256_H_
#define USHER_COMMON_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher {

using Sha256Digest = std::array<uint8_t, 32>;

// Hashes a stream of bytes. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view bytes);
  // Ends the stream; call once.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest Sha256Of(absl::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string ToHex(const Sha256Digest& digest);

// Accepts 64 hexadecimal digits of either case; E_INVALIDARG otherwise.
absl::StatusOr<Sha256Digest> ParseSha256Hex(absl::string_view hex);

}  // namespace usher

#endif  // USHER_COMMON_SHA256_H_
