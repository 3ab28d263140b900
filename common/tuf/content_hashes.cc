#include "common/tuf/content_hashes.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/evp.h"

namespace usher::tuf {
namespace {

struct Algorithm {
  const char* name;
  const EVP_MD* (*digest)();
  size_t digits;
};

// In the order of preference.
constexpr std::array<Algorithm, 2> kAlgorithms = {{
    {"sha256", EVP_sha256, 64},
    {"sha512", EVP_sha512, 128},
}};

}  // namespace

struct ContentHashes::Stream {
  std::string name;
  std::string expected;
  EvpPtr<EVP_MD_CTX> context;
  bool failed = false;
};

const std::string* KnownHash(const Hashes& hashes) {
  for (const Algorithm& algorithm : kAlgorithms) {
    const auto found = hashes.find(algorithm.name);
    if (found != hashes.end() && found->second.size() == algorithm.digits) {
      return &found->second;
    }
  }
  return nullptr;
}

ContentHashes::ContentHashes(const Hashes& expected) {
  for (const Algorithm& algorithm : kAlgorithms) {
    const auto found = expected.find(algorithm.name);
    if (found == expected.end()) continue;
    auto stream = std::make_unique<Stream>();
    stream->name = algorithm.name;
    stream->expected = found->second;
    stream->context.reset(EVP_MD_CTX_new());
    stream->failed = stream->context == nullptr ||
                     EVP_DigestInit_ex(stream->context.get(),
                                       algorithm.digest(), nullptr) != 1;
    streams_.push_back(std::move(stream));
  }
}

ContentHashes::~ContentHashes() = default;

void ContentHashes::Update(absl::string_view bytes) {
  for (const std::unique_ptr<Stream>& stream : streams_) {
    stream->failed =
        stream->failed || EVP_DigestUpdate(stream->context.get(), bytes.data(),
                                           bytes.size()) != 1;
  }
}

absl::Status ContentHashes::Finish() {
  for (const std::unique_ptr<Stream>& stream : streams_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (stream->failed ||
        EVP_DigestFinal_ex(stream->context.get(), digest.data(), &size) != 1) {
      return Error(hr::kWuEUnexpected, "cannot compute a hash");
    }
    const std::string found = absl::BytesToHexString(
        absl::string_view(reinterpret_cast<char*>(digest.data()), size));
    if (!absl::EqualsIgnoreCase(found, stream->expected)) {
      return Error(
          hr::kWuEMetadataSignatureVerifyFailed,
          absl::StrCat("has the ", stream->name, " ", found, ", not the ",
                       stream->expected, " that its signed parent says"));
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::tuf
