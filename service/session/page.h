#ifndef USHER_SERVICE_SESSION_PAGE_H_
#define USHER_SERVICE_SESSION_PAGE_H_

// Lists in pages (AIP-158): no answer grows with what it lists.

#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::session {

// A page ends before it has more bytes than this, but has one entry at least.
inline constexpr size_t kPageBytes = size_t{512} * 1024;

// One entry of a list, for the place where the next page begins: its id, and a
// number that does not decrease along the list, to go on by when the entry has
// gone meanwhile.
struct PageEntry {
  int64_t number = 0;
  std::string id;
};

// Where a page begins and how many entries it may have.
struct PagePlan {
  size_t begin = 0;
  size_t count = 0;
};

// Finds the page that is asked for in a list of `size` entries. E_INVALIDARG
// for a negative `page_size` and for a `page_token` that is none.
absl::StatusOr<PagePlan> PlanPage(
    int32_t page_size, absl::string_view page_token, size_t size,
    absl::FunctionRef<PageEntry(size_t index)> entry);

// The token of the page that begins behind `last`.
std::string PageToken(const PageEntry& last);

// Fills one page of a list. `read` makes the message of an entry. `token` stays
// empty when nothing is left.
template <typename Message>
absl::Status FillPage(
    int32_t page_size, absl::string_view page_token, size_t size,
    absl::FunctionRef<PageEntry(size_t index)> entry,
    absl::FunctionRef<void(size_t index, Message& message)> read,
    google::protobuf::RepeatedPtrField<Message>& page, std::string& token) {
  const absl::StatusOr<PagePlan> plan =
      PlanPage(page_size, page_token, size, entry);
  if (!plan.ok()) return plan.status();
  const size_t end = plan->begin + plan->count;
  size_t bytes = 0;
  size_t next = plan->begin;
  for (; next < end; ++next) {
    read(next, *page.Add());
    const size_t more = page.rbegin()->ByteSizeLong();
    if (next > plan->begin && bytes + more > kPageBytes) {
      page.RemoveLast();
      break;
    }
    bytes += more;
  }
  if (next < size) token = PageToken(entry(next - 1));
  return absl::OkStatus();
}

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_PAGE_H_
