#ifndef USHER_SERVICE_REPOSITORY_TAR_READER_H_
#define USHER_SERVICE_REPOSITORY_TAR_READER_H_

// Reads tar files in the formats ustar and pax that nobody has verified yet: of
// their headers no more than name, kind and size, and strictly. A library for
// archives reads far more, in code that only a signed archive should reach.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::repository {

struct TarMember {
  // As it stands there: any bytes but NUL.
  std::string name;
  bool is_regular_file = false;
  int64_t size = 0;
};

// Not thread-safe. After an error nothing more can be read. All errors but
// those of the source are WU_E_OL_INVALID_SCANFILE.
class TarReader {
 public:
  // Gives the next bytes of the file: at most `length`, 0 at its end.
  using Source =
      absl::FunctionRef<absl::StatusOr<size_t>(char* buffer, size_t length)>;

  // `source` must outlive the reader.
  explicit TarReader(Source source) : source_(source) {}

  // The next member, behind what was left of the one before. None at the end
  // of the file, which must be marked as one and have nothing behind it.
  absl::StatusOr<std::optional<TarMember>> Next();
  // The next part of the member's content, valid until the next call; "" at
  // its end.
  absl::StatusOr<absl::string_view> Read();

 private:
  static constexpr size_t kBlock = 512;
  using Block = std::array<char, kBlock>;

  // What a pax header says of the member behind it.
  struct Extension {
    std::optional<std::string> name;
    std::optional<int64_t> size;
  };

  absl::StatusOr<size_t> Take(char* buffer, size_t length);
  absl::Status TakeAll(char* buffer, size_t length);
  absl::Status SkipRest();
  absl::Status CheckEnd();
  absl::StatusOr<Extension> ReadExtension(int64_t size);

  const Source source_;
  std::vector<char> buffer_ = std::vector<char>(size_t{64} * 1024);
  bool begun_ = false;
  int64_t left_ = 0;     // of the member's content
  int64_t padding_ = 0;  // behind it, up to the next block
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_TAR_READER_H_
