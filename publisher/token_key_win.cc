#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "publisher/token_key.h"

namespace usher::publisher {

absl::StatusOr<tuf::PrivateKey> LoadTokenKey(const Pkcs11Uri& uri,
                                             absl::string_view /*pin*/) {
  return Error(hr::kEInvalidarg,
               absl::StrCat(uri.name,
                            ": keys in a token are not supported on Windows; "
                            "use a key file, or sign on Linux"),
               uri.name);
}

}  // namespace usher::publisher
