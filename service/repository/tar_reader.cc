#include "service/repository/tar_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"

namespace usher::repository {
namespace {

// POSIX: where the fields of a header are.
constexpr size_t kNameAt = 0;
constexpr size_t kNameBytes = 100;
constexpr size_t kSizeAt = 124;
constexpr size_t kSizeBytes = 12;
constexpr size_t kChecksumAt = 148;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kTypeAt = 156;
constexpr size_t kMagicAt = 257;
constexpr absl::string_view kMagic(
    "ustar\0"
    "00",
    8);
constexpr size_t kPrefixAt = 345;
constexpr size_t kPrefixBytes = 155;

constexpr int64_t kMaxExtensionBytes = int64_t{64} * 1024;
constexpr size_t kMaxLengthDigits = 8;

absl::Status Damaged(absl::string_view reason) {
  return Error(hr::kWuEOlInvalidScanfile,
               absl::StrCat("not a usable scan package: ", reason));
}

absl::Status NoTar() {
  return Damaged(
      "it is no uncompressed tar file in the format ustar or pax, or damaged");
}

absl::Status CutShort() {
  return Damaged("it is cut short: the end of the tar file is missing");
}

bool IsZero(const char* bytes, size_t length) {
  return std::all_of(bytes, bytes + length, [](char c) { return c == '\0'; });
}

// A field up to its NUL, if it has one.
std::string TextOf(absl::string_view block, size_t at, size_t bytes) {
  const absl::string_view field = block.substr(at, bytes);
  return std::string(field.substr(0, field.find('\0')));
}

// A number in octal digits, with spaces or NULs behind it.
std::optional<int64_t> NumberOf(absl::string_view block, size_t at,
                                size_t bytes) {
  absl::string_view field = block.substr(at, bytes);
  while (!field.empty() && (field.back() == '\0' || field.back() == ' ')) {
    field.remove_suffix(1);
  }
  field = absl::StripLeadingAsciiWhitespace(field);
  if (field.empty()) return std::nullopt;
  int64_t number = 0;
  for (const char c : field) {
    if (c < '0' || c > '7') return std::nullopt;
    number = number * 8 + (c - '0');
  }
  return number;
}

bool HasItsChecksum(absl::string_view block) {
  int64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kChecksumBytes;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return NumberOf(block, kChecksumAt, kChecksumBytes) == sum;
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

int64_t PaddingOf(int64_t size, int64_t block) {
  return (block - size % block) % block;
}

}  // namespace

absl::StatusOr<std::optional<TarMember>> TarReader::Next() {
  USHER_RETURN_IF_ERROR(SkipRest());
  Extension extension;
  bool extended = false;
  while (true) {
    Block bytes;
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           Take(bytes.data(), bytes.size()));
    if (count < bytes.size()) return begun_ ? CutShort() : NoTar();
    begun_ = true;
    if (IsZero(bytes.data(), bytes.size())) {
      if (extended) return Damaged("a pax header stands before nothing");
      USHER_RETURN_IF_ERROR(CheckEnd());
      return std::nullopt;
    }
    const absl::string_view block(bytes.data(), bytes.size());
    const std::optional<int64_t> size = NumberOf(block, kSizeAt, kSizeBytes);
    if (!HasItsChecksum(block) ||
        block.substr(kMagicAt, kMagic.size()) != kMagic || !size.has_value()) {
      return NoTar();
    }
    const char type = block[kTypeAt];
    if (type == 'x') {
      if (extended) return Damaged("a pax header stands before another");
      USHER_ASSIGN_OR_RETURN(extension, ReadExtension(*size));
      extended = true;
      continue;
    }
    TarMember member;
    member.name = TextOf(block, kPrefixAt, kPrefixBytes);
    if (!member.name.empty()) member.name.push_back('/');
    member.name += TextOf(block, kNameAt, kNameBytes);
    if (extension.name.has_value()) member.name = *std::move(extension.name);
    member.size = extension.size.value_or(*size);
    member.is_regular_file = type == '0' || type == '\0';
    left_ = member.size;
    padding_ = PaddingOf(member.size, kBlock);
    return member;
  }
}

absl::StatusOr<absl::string_view> TarReader::Read() {
  if (left_ == 0) return absl::string_view();
  const size_t wanted = static_cast<size_t>(
      std::min(left_, static_cast<int64_t>(buffer_.size())));
  USHER_ASSIGN_OR_RETURN(const size_t count, Take(buffer_.data(), wanted));
  if (count == 0) return CutShort();
  left_ -= static_cast<int64_t>(count);
  return absl::string_view(buffer_.data(), count);
}

// Fewer than `length` bytes only at the end of the file.
absl::StatusOr<size_t> TarReader::Take(char* buffer, size_t length) {
  size_t taken = 0;
  while (taken < length) {
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           source_(buffer + taken, length - taken));
    if (count == 0) break;
    taken += count;
  }
  return taken;
}

absl::Status TarReader::TakeAll(char* buffer, size_t length) {
  USHER_ASSIGN_OR_RETURN(const size_t count, Take(buffer, length));
  return count == length ? absl::OkStatus() : CutShort();
}

absl::Status TarReader::SkipRest() {
  left_ += std::exchange(padding_, 0);
  while (left_ > 0) USHER_RETURN_IF_ERROR(Read().status());
  return absl::OkStatus();
}

// A second block of zeros, then at most more of them: tar files are filled up.
absl::Status TarReader::CheckEnd() {
  Block bytes;
  USHER_RETURN_IF_ERROR(TakeAll(bytes.data(), bytes.size()));
  size_t count = bytes.size();
  bool zero = IsZero(bytes.data(), count);
  while (zero && count > 0) {
    USHER_ASSIGN_OR_RETURN(count, Take(buffer_.data(), buffer_.size()));
    zero = count % kBlock == 0 && IsZero(buffer_.data(), count);
  }
  return zero ? absl::OkStatus()
              : Damaged("something stands behind the end of the tar file");
}

// Records of the form "LENGTH KEY=VALUE\n"; LENGTH counts the whole record.
absl::StatusOr<TarReader::Extension> TarReader::ReadExtension(int64_t size) {
  if (size > kMaxExtensionBytes) return Damaged("a pax header is too large");
  std::string text(static_cast<size_t>(size + PaddingOf(size, kBlock)), '\0');
  USHER_RETURN_IF_ERROR(TakeAll(text.data(), text.size()));
  text.resize(static_cast<size_t>(size));
  Extension extension;
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t space = rest.find(' ');
    size_t length = 0;
    if (space > kMaxLengthDigits ||  // also when there is none
        !IsDigits(rest.substr(0, space)) ||
        !absl::SimpleAtoi(rest.substr(0, space), &length) ||
        length <= space + 1 || length > rest.size() ||
        rest[length - 1] != '\n') {
      return Damaged("a pax header is malformed");
    }
    const absl::string_view record = rest.substr(space + 1, length - space - 2);
    rest.remove_prefix(length);
    const size_t equals = record.find('=');
    if (equals == absl::string_view::npos) {
      return Damaged("a pax header is malformed");
    }
    const absl::string_view key = record.substr(0, equals);
    const absl::string_view value = record.substr(equals + 1);
    if (key == "path") {
      if (value.find('\0') != absl::string_view::npos) {
        return Damaged("a pax header has a malformed path");
      }
      extension.name = std::string(value);
    } else if (key == "size") {
      constexpr size_t kMaxDigits = 18;
      int64_t number = 0;
      if (value.size() > kMaxDigits || !IsDigits(value) ||
          !absl::SimpleAtoi(value, &number)) {
        return Damaged("a pax header has a malformed size");
      }
      extension.size = number;
    } else if (absl::StartsWith(key, "GNU.sparse.")) {
      return Damaged("it has a sparse file in it");
    }
    // The rest is about times, owners and the like, which are not taken over.
  }
  return extension;
}

}  // namespace usher::repository
