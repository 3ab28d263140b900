#include "service/session/catalog_header.h"

#include <google/protobuf/io/coded_stream.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::session {
namespace {

// The header holds two short texts; more is no header.
constexpr size_t kMaxHeaderBytes = size_t{64} * 1024;
constexpr int kMaxWindowLog = 27;

absl::Status NoHeader(const std::filesystem::path& path,
                      absl::string_view reason) {
  return Error(hr::kWuEInvalidUpdate,
               absl::StrCat("the catalog has no valid header: ", reason),
               PathToUtf8(path.filename()));
}

// The first bytes of a zstd file, unpacked.
absl::StatusOr<std::string> UnpackStart(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> packed(kMaxHeaderBytes);
  file.read(packed.data(), static_cast<std::streamsize>(packed.size()));
  packed.resize(
      static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(
      ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (context == nullptr) {
    return Error(hr::kEOutofmemory, "no memory to read a catalog");
  }
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  std::string start(kMaxHeaderBytes, '\0');
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  ZSTD_outBuffer out{start.data(), start.size(), 0};
  while (in.pos < in.size && out.pos < out.size) {
    const size_t result = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(result) != 0) {
      return NoHeader(path, ZSTD_getErrorName(result));
    }
    if (result == 0) break;
  }
  start.resize(out.pos);
  return start;
}

}  // namespace

absl::StatusOr<CatalogHeader> ReadCatalogHeader(
    const std::filesystem::path& path) {
  USHER_ASSIGN_OR_RETURN(const std::string start, UnpackStart(path));
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(start.data()),
      static_cast<int>(start.size()));
  uint32_t size = 0;
  repository::v1::CatalogRecord record;
  if (!input.ReadVarint32(&size) ||
      size > start.size() - static_cast<size_t>(input.CurrentPosition()) ||
      !record.ParseFromArray(start.data() + input.CurrentPosition(),
                             static_cast<int>(size)) ||
      !record.has_header()) {
    return NoHeader(path, "the first record is none");
  }
  const absl::StatusOr<std::string> id =
      CanonicalUuid(record.header().service_id());
  if (!id.ok()) return NoHeader(path, "service_id is no UUID");
  return CatalogHeader{*id, record.header().service_name()};
}

}  // namespace usher::session
