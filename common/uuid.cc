#include "common/uuid.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/error.h"

namespace usher {
namespace {

using Bytes = std::array<uint8_t, 16>;

bool IsDashPosition(size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDashPosition(i)
            ? text[i] != '-'
            : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  return true;
}

std::string ToHexText(const Bytes& bytes) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string Format(Bytes bytes, uint8_t version) {
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);
  const std::string hex = ToHexText(bytes);
  const absl::string_view view = hex;
  return absl::StrCat(view.substr(0, 8), "-", view.substr(8, 4), "-",
                      view.substr(12, 4), "-", view.substr(16, 4), "-",
                      view.substr(20));
}

// Without randomness names could be guessed, so there is no going on.
Bytes RandomBytes() {
  Bytes bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    std::abort();
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> CanonicalUuid(absl::string_view text) {
  if (!IsUuid(text)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("not a UUID (8-4-4-4-12 hexadecimal digits): \"",
                              absl::CEscape(text.substr(0, 64)), "\""));
  }
  return absl::AsciiStrToLower(text);
}

std::string RandomUuid() { return Format(RandomBytes(), 4); }

std::string NamedUuid(absl::string_view name_space, absl::string_view name) {
  // RFC 4122, section 4.3: SHA-1 of the namespace's bytes and the name.
  const std::string input = absl::StrCat(
      absl::HexStringToBytes(absl::StrReplaceAll(name_space, {{"-", ""}})),
      name);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest;
  if (EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(),
                 nullptr) != 1) {
    std::abort();
  }
  Bytes bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = digest[i];
  return Format(bytes, 5);
}

std::string RandomResourceId() { return ToHexText(RandomBytes()); }

}  // namespace usher
