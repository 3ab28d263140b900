#ifndef USHER_SERVICE_CATALOG_RECORD_READER_H_
#define USHER_SERVICE_CATALOG_RECORD_READER_H_

// Reads a catalog file: a zstd stream of length-delimited messages.

#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"

namespace usher::catalog {

// Limits of catalog.proto.
struct RecordLimits {
  size_t record_bytes = 1 << 20;
  int64_t records = 1000000;
  int64_t stream_bytes = int64_t{1} << 32;  // uncompressed
};

// Holds a record and a decompression window in memory (at most 8 MiB: streams
// that ask for a larger window are refused), never the file. Not thread-safe.
class RecordReader {
 public:
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(
      const std::filesystem::path& path, const RecordLimits& limits);
  virtual ~RecordReader() = default;

  // Moves to the next record: false at the end of the stream. Errors:
  // WU_E_OL_INVALID_SCANFILE for a stream that is damaged, cut short or beyond
  // the limits; those of reading a file.
  virtual absl::StatusOr<bool> Next() = 0;
  // The present record, valid until Next().
  virtual absl::string_view record() const = 0;
  // Its number; the first is 1.
  virtual int64_t number() const = 0;
  // SHA-256 of the compressed file. Only after Next() gave false.
  virtual Sha256Digest FileDigest() = 0;
};

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_RECORD_READER_H_
