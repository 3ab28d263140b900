#ifndef USHER_PUBLISHER_CATALOG_FILE_H_
#define USHER_PUBLISHER_CATALOG_FILE_H_

// Catalog files: zstd streams of length-delimited CatalogRecord messages
// (proto/usher/repository/v1/catalog.proto).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::v1 {
class Category;
}  // namespace usher::v1
namespace usher::repository::v1 {
class CatalogHeader;
class CatalogRecord;
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::publisher {

// The limits that readers keep to.
inline constexpr uint64_t kMaxRecordBytes = uint64_t{1024} * 1024;
inline constexpr int64_t kMaxRecords = 1'000'000;
inline constexpr uint64_t kMaxCatalogBytes = uint64_t{4} << 30;

// Whether every text in it is UTF-8; readers refuse the whole catalog
// otherwise.
bool HasValidTexts(const repository::v1::UpdateDescription& description);

// The wire form of an update, the same for the same content.
std::string DeterministicWire(
    const repository::v1::UpdateDescription& description);

// Makes a catalog file in memory; only compressed bytes are held. The same
// calls give the same bytes (with the same zstd version). Not thread-safe.
class CatalogEncoder {
 public:
  // `level`: zstd's, 1 (quick) to 19 (small).
  explicit CatalogEncoder(int level);
  ~CatalogEncoder();
  CatalogEncoder(const CatalogEncoder&) = delete;
  CatalogEncoder& operator=(const CatalogEncoder&) = delete;

  // Each fails with WU_E_MAX_CAPACITY_REACHED beyond the limits above.
  absl::Status AddHeader(const repository::v1::CatalogHeader& header);
  absl::Status AddCategory(const usher::v1::Category& category);
  // `wire`: a serialised UpdateDescription.
  absl::Status AddUpdate(absl::string_view wire);
  // Ends the file and returns it; call once.
  absl::StatusOr<std::string> Finish();

 private:
  struct State;
  absl::Status AddField(int field, absl::string_view message);
  std::unique_ptr<State> state_;
};

// Calls `sink` for each record of a catalog file held in memory. An error from
// `sink` ends the work. WU_E_INVALID_UPDATE names the record when the file is
// damaged or beyond the limits.
absl::Status DecodeCatalog(
    absl::string_view file,
    const std::function<absl::Status(const repository::v1::CatalogRecord&)>&
        sink);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_CATALOG_FILE_H_
