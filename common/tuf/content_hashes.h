#ifndef USHER_COMMON_TUF_CONTENT_HASHES_H_
#define USHER_COMMON_TUF_CONTENT_HASHES_H_

// Content against the hashes that signed metadata gives of it.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/tuf/metadata.h"

namespace usher::tuf {

// One of the hashes that is of a known algorithm and as long as it should be,
// as it was found: SHA-256 if there is one, else SHA-512. Null: none is.
const std::string* KnownHash(const Hashes& hashes);

// Hashes a stream of bytes by every known algorithm that `expected` names.
// Not thread-safe.
class ContentHashes {
 public:
  explicit ContentHashes(const Hashes& expected);
  ~ContentHashes();
  ContentHashes(const ContentHashes&) = delete;
  ContentHashes& operator=(const ContentHashes&) = delete;

  // Whether no algorithm is known; then Finish() says nothing.
  bool empty() const { return streams_.empty(); }
  void Update(absl::string_view bytes);
  // Ends the stream; call once. WU_E_METADATA_SIGNATURE_VERIFY_FAILED with the
  // first hash that differs.
  absl::Status Finish();

 private:
  struct Stream;

  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_CONTENT_HASHES_H_
