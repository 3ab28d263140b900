#include "service/session/page.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"

namespace usher::session {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;
constexpr size_t kMaxIdBytes = 64;

absl::StatusOr<PageEntry> ReadToken(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  PageEntry last;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &last.number) ||
      parts[1].empty() || parts[1].size() > kMaxIdBytes ||
      !std::all_of(parts[1].begin(), parts[1].end(), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-';
      })) {
    return Error(hr::kEInvalidarg,
                 "page_token is none that an earlier page of this list gave; "
                 "leave it empty for the first page",
                 "page_token");
  }
  last.id = std::string(parts[1]);
  return last;
}

}  // namespace

absl::StatusOr<PagePlan> PlanPage(
    int32_t page_size, absl::string_view page_token, size_t size,
    absl::FunctionRef<PageEntry(size_t index)> entry) {
  if (page_size < 0) {
    return Error(hr::kEInvalidarg, "page_size must not be negative",
                 "page_size");
  }
  PagePlan plan;
  if (!page_token.empty()) {
    USHER_ASSIGN_OR_RETURN(const PageEntry last, ReadToken(page_token));
    size_t after = size;
    bool found = false;
    for (size_t i = 0; i < size && !found; ++i) {
      const PageEntry known = entry(i);
      found = known.id == last.id;
      // If that one has gone, others of its number are told twice rather than
      // not at all.
      if (found) {
        after = i + 1;
      } else if (after == size && known.number >= last.number) {
        after = i;
      }
    }
    plan.begin = after;
  }
  const int32_t wanted =
      page_size == 0 ? kDefaultPageSize : std::min(page_size, kMaxPageSize);
  plan.count = std::min(size - plan.begin, static_cast<size_t>(wanted));
  return plan;
}

std::string PageToken(const PageEntry& last) {
  return absl::StrCat(last.number, ".", last.id);
}

}  // namespace usher::session
