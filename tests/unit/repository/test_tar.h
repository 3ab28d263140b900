#ifndef USHER_TESTS_UNIT_REPOSITORY_TEST_TAR_H_
#define USHER_TESTS_UNIT_REPOSITORY_TEST_TAR_H_

// Tar files byte by byte, so that they can be wrong in any way.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace usher::repository {

class TestTar {
 public:
  // Appends a ustar member; `type` is its typeflag, `declared` the size that
  // its header tells if not that of `content`.
  TestTar& Add(absl::string_view name, absl::string_view content,
               char type = '0', absl::string_view link = "",
               int64_t declared = -1) {
    std::string header(kBlock, '\0');
    header.replace(0, name.size(), name.data(), name.size());
    header.replace(100, 7, "0000644");
    header.replace(108, 7, "0000000");
    header.replace(116, 7, "0000000");
    header.replace(
        124, 11,
        absl::StrFormat("%011o", declared >= 0
                                     ? declared
                                     : static_cast<int64_t>(content.size())));
    header.replace(136, 11, "00000000000");
    header.replace(148, 8, "        ");
    header[156] = type;
    header.replace(157, link.size(), link.data(), link.size());
    header.replace(257, 5, "ustar");
    header.replace(263, 2, "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    header.replace(148, 7, absl::StrFormat("%06o%c", sum, '\0'));
    absl::StrAppend(&bytes_, header, content);
    bytes_.resize((bytes_.size() + kBlock - 1) / kBlock * kBlock, '\0');
    return *this;
  }

  // Appends a pax header that gives the next member a name.
  TestTar& AddPaxName(absl::string_view name) {
    // "LENGTH path=NAME\n", where LENGTH counts itself, here three digits.
    const std::string record = absl::StrCat(" path=", name, "\n");
    return Add("PaxHeader", absl::StrCat(record.size() + 3, record), 'x');
  }

  // The file so far, with the blocks that end one.
  std::string Bytes() const { return bytes_ + std::string(2 * kBlock, '\0'); }

 private:
  static constexpr size_t kBlock = 512;
  std::string bytes_;
};

}  // namespace usher::repository

#endif  // USHER_TESTS_UNIT_REPOSITORY_TEST_TAR_H_
