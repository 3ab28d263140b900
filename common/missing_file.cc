#include "common/missing_file.h"

#include "common/error.h"

namespace usher {

bool IsMissingFile(const absl::Status& status) {
  switch (HResultOf(status)) {
    case hr::kErrorFileNotFound:
    case hr::kErrorPathNotFound:
    case hr::kWuEPtHttpStatusNotFound:
    case hr::kWuEPtHttpStatusGone:
    // Object stores answer so for a file that is not there.
    case hr::kWuEPtHttpStatusForbidden:
      return true;
    default:
      return false;
  }
}

}  // namespace usher
