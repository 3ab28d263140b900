#ifndef USHER_CLIENT_INTERNAL_PAGES_H_
#define USHER_CLIENT_INTERNAL_PAGES_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/internal/request_id.h"
#include "client/internal/session_core.h"
#include "common/error.h"

namespace usher::internal {

// Reads a list to its end, page by page, under one request id, and gathers the
// pages in one message. `call(link, context, page token, response)` reads one.
template <typename Response, typename Function>
absl::StatusOr<Response> ReadPages(SessionCore& core, const Function& call) {
  const CallRules rules{.request_id = NewRequestId()};
  Response all;
  std::string token;
  do {
    USHER_ASSIGN_OR_RETURN(
        const Response page,
        core.Call<Response>(rules,
                            [&](const Link& link, grpc::ClientContext* context,
                                Response* response) {
                              return call(link, context, token, response);
                            }));
    if (!token.empty() && page.next_page_token() == token) {
      return Error(hr::kWuEUnexpected,
                   "the service answered with the same page again");
    }
    token = page.next_page_token();
    all.MergeFrom(page);
  } while (!token.empty());
  return all;
}

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_PAGES_H_
