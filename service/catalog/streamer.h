#ifndef USHER_SERVICE_CATALOG_STREAMER_H_
#define USHER_SERVICE_CATALOG_STREAMER_H_

// Turns rows into serialized usher.v1.Update messages with their present
// state. What the publisher signed lies in the database ready to send, and
// protobuf merges concatenated messages, so nothing is parsed on the way unless
// a translation replaces a list.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "service/catalog/catalog.h"
#include "service/store/database.h"

namespace usher::catalog {

// Some updates, one after another in one buffer.
class UpdateBatch {
 public:
  void Clear();
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return buffer_.size(); }
  absl::string_view operator[](size_t index) const;

  // Where the next update is written, and its end.
  std::string& buffer() { return buffer_; }
  void End() { ends_.push_back(buffer_.size()); }

 private:
  std::string buffer_;
  std::vector<size_t> ends_;
};

// The languages to look for, best first: "de-AT", "de". Empty for no wish.
std::vector<std::string> LanguageChain(absl::string_view locale);

// Fills `batch` with the updates of the first of `rows`, as many as make a good
// piece, and returns how many rows were used; rows that no longer exist are
// used up without giving an update.
absl::StatusOr<size_t> ReadBatch(store::Connection& connection,
                                 absl::Span<const int64_t> rows,
                                 const std::vector<std::string>& languages,
                                 const Catalog::IsCached& is_cached,
                                 UpdateBatch& batch);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_STREAMER_H_
