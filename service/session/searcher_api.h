#ifndef USHER_SERVICE_SESSION_SEARCHER_API_H_
#define USHER_SERVICE_SESSION_SEARCHER_API_H_

// usher.v1.SearcherService: what each call does. None of them blocks.

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/session/authority.h"
#include "service/session/session.h"

namespace google::protobuf {
class Empty;
}  // namespace google::protobuf
namespace usher::v1 {
class CreateSearcherRequest;
class DeleteSearcherRequest;
class EndSearchRequest;
class GetSearcherRequest;
class Job;
class SearchRequest;
class Searcher;
class UpdateSearcherRequest;
}  // namespace usher::v1

namespace usher::session {

class Core;
class SearchJob;

absl::Status CreateSearcher(Core& core, const Call& call,
                            const v1::CreateSearcherRequest& request,
                            v1::Searcher& response);
absl::Status GetSearcher(Core& core, const Call& call,
                         const v1::GetSearcherRequest& request,
                         v1::Searcher& response);
absl::Status UpdateSearcher(Core& core, const Call& call,
                            const v1::UpdateSearcherRequest& request,
                            v1::Searcher& response);
absl::Status DeleteSearcher(Core& core, const Call& call,
                            const v1::DeleteSearcherRequest& request,
                            google::protobuf::Empty& response);
absl::Status BeginSearch(Core& core, const Call& call,
                         const v1::SearchRequest& request, v1::Job& response);

// A search job together with its session.
struct BegunSearch {
  std::shared_ptr<Session> session;
  std::shared_ptr<SearchJob> job;
};
// Begins a search for Search, which ends and drops it itself.
absl::StatusOr<BegunSearch> StartSearch(Core& core, const Call& call,
                                        const v1::SearchRequest& request);
// Claims a search job for EndSearch: Job::FinishEnd or AbandonEnd follows.
absl::StatusOr<BegunSearch> ClaimSearch(Core& core, const Call& call,
                                        const v1::EndSearchRequest& request);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SEARCHER_API_H_
