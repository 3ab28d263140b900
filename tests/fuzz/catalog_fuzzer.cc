// Catalog files: the service's reader beside the publisher's.

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "publisher/catalog_file.h"
#include "service/catalog/record_reader.h"
#include "tests/fuzz/require.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::fuzz {
namespace {

// The records of a file in memory; -1 for a damaged one.
int CountRecords(absl::string_view file) {
  static const int kMemory = memfd_create("catalog", 0);
  Require(kMemory >= 0 && ftruncate(kMemory, 0) == 0);
  Require(pwrite(kMemory, file.data(), file.size(), 0) ==
          static_cast<ssize_t>(file.size()));
  catalog::RecordLimits limits;
  limits.stream_bytes = 1 << 22;
  auto reader = catalog::RecordReader::Open(
      absl::StrCat("/proc/self/fd/", kMemory), limits);
  if (!reader.ok()) return -1;
  while (true) {
    const auto more = (*reader)->Next();
    if (!more.ok()) return -1;
    if (!*more) return static_cast<int>((*reader)->number());
    Require((*reader)->record().size() <= limits.record_bytes);
  }
}

}  // namespace
}  // namespace usher::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  const absl::string_view input = fuzz::Text(data, size);
  // As it is; and as the content of a good zstd stream, which chance would
  // hardly ever make.
  static_cast<void>(fuzz::CountRecords(input));
  publisher::DecodeCatalog(input, [](const auto&) {
    return absl::OkStatus();
  }).IgnoreError();
  publisher::CatalogEncoder encoder(1);
  if (!encoder.AddUpdate(input).ok()) return 0;
  const auto file = encoder.Finish();
  fuzz::Require(file.ok() && fuzz::CountRecords(*file) >= 1);
  return 0;
}
