#include "publisher/catalog_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <zstd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using ::google::protobuf::io::CodedOutputStream;
using ::google::protobuf::io::StringOutputStream;

// A reader must be able to hold the window: 8 MiB.
constexpr int kMaxWindowLog = 23;

void AppendVarint(uint32_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::string Deterministic(const google::protobuf::MessageLite& message) {
  std::string wire;
  {
    StringOutputStream stream(&wire);
    CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return wire;
}

absl::Status Damaged(int64_t record, absl::string_view reason) {
  return Error(hr::kWuEInvalidUpdate,
               absl::StrCat("catalog record ", record, ": ", reason));
}

}  // namespace

std::string DeterministicWire(
    const repository::v1::UpdateDescription& description) {
  return Deterministic(description);
}

bool HasValidTexts(const repository::v1::UpdateDescription& description) {
  // Protocol Buffers' own check; what it would print says less than we can.
  const google::protobuf::LogSilencer silencer;
  return repository::v1::UpdateDescription().ParseFromString(
      Deterministic(description));
}

struct CatalogEncoder::State {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::string output;
  int64_t records = 0;
  uint64_t bytes = 0;

  absl::Status Compress(absl::string_view bytes_in, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes_in.data(), bytes_in.size(), 0};
    std::array<char, size_t{128} * 1024> buffer;
    while (true) {
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const size_t left = ZSTD_compressStream2(context.get(), &out, &in, end);
      if (ZSTD_isError(left)) {
        return Error(hr::kWuEUnexpected,
                     absl::StrCat("zstd: ", ZSTD_getErrorName(left)));
      }
      output.append(buffer.data(), out.pos);
      if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) break;
    }
    return absl::OkStatus();
  }
};

CatalogEncoder::CatalogEncoder(int level) : state_(std::make_unique<State>()) {
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_checksumFlag, 1);
}

CatalogEncoder::~CatalogEncoder() = default;

absl::Status CatalogEncoder::AddField(int field, absl::string_view message) {
  std::string record;
  record.reserve(message.size() + 16);
  AppendVarint(static_cast<uint32_t>(field << 3 | 2), record);
  AppendVarint(static_cast<uint32_t>(message.size()), record);
  record.append(message.data(), message.size());
  if (record.size() > kMaxRecordBytes) {
    return Error(hr::kWuEMaxCapacityReached,
                 absl::StrCat("an update's description has ", record.size(),
                              " bytes, more than the 1 MiB that readers "
                              "accept; shorten its texts"));
  }
  std::string prefix;
  AppendVarint(static_cast<uint32_t>(record.size()), prefix);
  state_->bytes += prefix.size() + record.size();
  if (++state_->records > kMaxRecords || state_->bytes > kMaxCatalogBytes) {
    return Error(hr::kWuEMaxCapacityReached,
                 "the catalog is larger than readers accept (1,000,000 "
                 "records, 4 GiB); split it into several repositories");
  }
  USHER_RETURN_IF_ERROR(state_->Compress(prefix, ZSTD_e_continue));
  return state_->Compress(record, ZSTD_e_continue);
}

absl::Status CatalogEncoder::AddHeader(
    const repository::v1::CatalogHeader& header) {
  return AddField(repository::v1::CatalogRecord::kHeaderFieldNumber,
                  Deterministic(header));
}

absl::Status CatalogEncoder::AddCategory(const usher::v1::Category& category) {
  return AddField(repository::v1::CatalogRecord::kCategoryFieldNumber,
                  Deterministic(category));
}

absl::Status CatalogEncoder::AddUpdate(absl::string_view wire) {
  return AddField(repository::v1::CatalogRecord::kUpdateFieldNumber, wire);
}

absl::StatusOr<std::string> CatalogEncoder::Finish() {
  USHER_RETURN_IF_ERROR(state_->Compress("", ZSTD_e_end));
  return std::move(state_->output);
}

namespace {

// Takes whole records off the front of `pending` and hands them over.
class RecordReader {
 public:
  explicit RecordReader(
      const std::function<absl::Status(const repository::v1::CatalogRecord&)>&
          sink)
      : sink_(sink) {}

  absl::Status Feed(absl::string_view bytes) {
    total_ += bytes.size();
    if (total_ > kMaxCatalogBytes) {
      return Damaged(records_, "the catalog is larger than 4 GiB");
    }
    pending_.append(bytes.data(), bytes.size());
    size_t start = 0;
    while (true) {
      const absl::string_view rest = absl::string_view(pending_).substr(start);
      uint32_t size = 0;
      size_t prefix = 0;
      USHER_ASSIGN_OR_RETURN(const bool whole, ReadPrefix(rest, size, prefix));
      if (!whole || rest.size() - prefix < size) break;
      USHER_RETURN_IF_ERROR(Emit(rest.substr(prefix, size)));
      start += prefix + size;
    }
    pending_.erase(0, start);
    return absl::OkStatus();
  }

  absl::Status Finish() const {
    return pending_.empty() ? absl::OkStatus()
                            : Damaged(records_ + 1, "cut off");
  }

 private:
  // False when the prefix is not complete yet.
  absl::StatusOr<bool> ReadPrefix(absl::string_view bytes, uint32_t& size,
                                  size_t& prefix) const {
    for (prefix = 0; prefix < bytes.size() && prefix < 4; ++prefix) {
      const auto byte = static_cast<unsigned char>(bytes[prefix]);
      size |= static_cast<uint32_t>(byte & 0x7F) << (7 * prefix);
      if ((byte & 0x80) != 0) continue;
      ++prefix;
      if (size > kMaxRecordBytes) {
        return Damaged(records_ + 1, "larger than 1 MiB");
      }
      return true;
    }
    if (prefix == 4) return Damaged(records_ + 1, "has a damaged length");
    return false;
  }

  absl::Status Emit(absl::string_view bytes) {
    if (++records_ > kMaxRecords) {
      return Damaged(records_, "more than 1,000,000 records");
    }
    if (!record_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return Damaged(records_, "is not a CatalogRecord");
    }
    return sink_(record_);
  }

  const std::function<absl::Status(const repository::v1::CatalogRecord&)>&
      sink_;
  repository::v1::CatalogRecord record_;
  std::string pending_;
  int64_t records_ = 0;
  uint64_t total_ = 0;
};

}  // namespace

absl::Status DecodeCatalog(
    absl::string_view file,
    const std::function<absl::Status(const repository::v1::CatalogRecord&)>&
        sink) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  RecordReader reader(sink);
  ZSTD_inBuffer in{file.data(), file.size(), 0};
  std::array<char, size_t{128} * 1024> buffer;
  size_t hint = 1;
  while (true) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const size_t before = in.pos;
    hint = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(hint)) {
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("the catalog is damaged: zstd: ",
                                ZSTD_getErrorName(hint)));
    }
    USHER_RETURN_IF_ERROR(
        reader.Feed(absl::string_view(buffer.data(), out.pos)));
    if (in.pos == in.size && (hint == 0 || out.pos < buffer.size())) break;
    if (in.pos == before && out.pos == 0) break;
  }
  if (hint != 0 || in.pos != in.size) {
    return Error(hr::kWuEInvalidUpdate, "the catalog is cut off");
  }
  return reader.Finish();
}

}  // namespace usher::publisher
