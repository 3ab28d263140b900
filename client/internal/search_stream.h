#ifndef USHER_CLIENT_INTERNAL_SEARCH_STREAM_H_
#define USHER_CLIENT_INTERNAL_SEARCH_STREAM_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "client/internal/job_data.h"
#include "client/internal/objects.h"
#include "usher/update_searcher.h"
#include "usher/v1/searcher.pb.h"

namespace usher::internal {

// Run a search on the calling thread; `request` without its searcher. See
// UpdateSearcher::Search and SearchEach.
absl::StatusOr<SearchResult> SearchAll(SearcherObject& searcher,
                                       v1::SearchRequest request);
absl::StatusOr<SearchSummary> SearchEach(
    SearcherObject& searcher, v1::SearchRequest request,
    const std::function<bool(Update)>& visit);

// See UpdateSearcher::EndSearch. E_POINTER for null.
absl::StatusOr<SearchResult> EndSearchJob(const std::shared_ptr<JobData>& job);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_SEARCH_STREAM_H_
