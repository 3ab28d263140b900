#include "service/catalog/record_reader.h"

#include <zstd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::catalog {
namespace {

// 8 MiB, what compression levels up to 19 use.
constexpr int kWindowLog = 23;
constexpr size_t kInputBytes = size_t{64} * 1024;
constexpr size_t kOutputBytes = size_t{128} * 1024;
constexpr int kMaxVarintBytes = 5;

absl::Status Damaged(absl::string_view reason) {
  return Error(hr::kWuEOlInvalidScanfile,
               absl::StrCat("not a usable catalog: ", reason));
}

class ZstdRecordReader : public RecordReader {
 public:
  ZstdRecordReader(std::ifstream file, std::string name,
                   const RecordLimits& limits)
      : file_(std::move(file)), name_(std::move(name)), limits_(limits) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLog);
  }

  absl::StatusOr<bool> Next() override {
    uint64_t length = 0;
    for (int i = 0;; ++i) {
      USHER_ASSIGN_OR_RETURN(const bool more, Fill(1));
      if (!more) {
        if (i == 0) return false;
        return Damaged("it ends inside a record");
      }
      if (i == kMaxVarintBytes) return Damaged("a record length is malformed");
      const auto byte = static_cast<unsigned char>(buffer_[begin_++]);
      length |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if ((byte & 0x80) == 0) break;
    }
    if (length > limits_.record_bytes) {
      return Damaged(absl::StrCat("record ", number_ + 1, " has ", length,
                                  " bytes, the limit is ",
                                  limits_.record_bytes));
    }
    if (number_ == limits_.records) {
      return Damaged(absl::StrCat("more than ", limits_.records, " records"));
    }
    const auto size = static_cast<size_t>(length);
    USHER_ASSIGN_OR_RETURN(const bool complete, Fill(size));
    if (!complete) return Damaged("it ends inside a record");
    record_ = absl::string_view(buffer_).substr(begin_, size);
    begin_ += size;
    ++number_;
    return true;
  }

  absl::string_view record() const override { return record_; }
  int64_t number() const override { return number_; }
  Sha256Digest FileDigest() override { return hash_.Finish(); }

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  // Makes at least `wanted` bytes available behind begin_; false when the
  // stream ends before.
  absl::StatusOr<bool> Fill(size_t wanted) {
    while (buffer_.size() - begin_ < wanted) {
      if (begin_ > 0) {
        buffer_.erase(0, begin_);
        begin_ = 0;
      }
      USHER_ASSIGN_OR_RETURN(const bool more, Decompress());
      if (!more) return false;
    }
    return true;
  }

  // Appends a piece of the stream to buffer_; false at its end.
  absl::StatusOr<bool> Decompress() {
    const size_t old_size = buffer_.size();
    while (true) {
      // Also with no input left: the decompressor may hold more output.
      if (in_.pos == in_.size && !flush_) {
        USHER_ASSIGN_OR_RETURN(const bool more, ReadInput());
        if (!more) {
          if (in_frame_) return Damaged("the compressed data is cut short");
          return false;
        }
      }
      buffer_.resize(old_size + kOutputBytes);
      ZSTD_outBuffer out{buffer_.data() + old_size, kOutputBytes, 0};
      const size_t left = ZSTD_decompressStream(context_.get(), &out, &in_);
      buffer_.resize(old_size + out.pos);
      if (ZSTD_isError(left)) {
        return Damaged(absl::StrCat("zstd: ", ZSTD_getErrorName(left)));
      }
      in_frame_ = left != 0;
      flush_ = out.pos == kOutputBytes;
      stream_bytes_ += static_cast<int64_t>(out.pos);
      if (stream_bytes_ > limits_.stream_bytes) {
        return Damaged(absl::StrCat("more than ", limits_.stream_bytes,
                                    " bytes uncompressed"));
      }
      if (out.pos > 0) return true;
    }
  }

  absl::StatusOr<bool> ReadInput() {
    input_.resize(kInputBytes);
    file_.read(input_.data(), static_cast<std::streamsize>(input_.size()));
    if (file_.bad()) {
      return Error(hr::kWuEUnexpected, absl::StrCat("cannot read ", name_),
                   name_);
    }
    input_.resize(static_cast<size_t>(file_.gcount()));
    hash_.Update(input_);
    in_ = {input_.data(), input_.size(), 0};
    return !input_.empty();
  }

  std::ifstream file_;
  const std::string name_;
  const RecordLimits limits_;
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context_{ZSTD_createDCtx()};
  Sha256 hash_;
  std::string input_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool in_frame_ = false;
  bool flush_ = false;
  std::string buffer_;
  size_t begin_ = 0;
  absl::string_view record_;
  int64_t number_ = 0;
  int64_t stream_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(
    const std::filesystem::path& path, const RecordLimits& limits) {
  const std::string name = PathToUtf8(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error(hr::kErrorFileNotFound, absl::StrCat("cannot open ", name),
                 name);
  }
  return std::make_unique<ZstdRecordReader>(std::move(file), name, limits);
}

}  // namespace usher::catalog
