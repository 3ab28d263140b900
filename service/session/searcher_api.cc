#include "service/session/searcher_api.h"

#include <google/protobuf/empty.pb.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/uuid.h"
#include "service/catalog/catalog.h"
#include "service/session/begin_job.h"
#include "service/session/core.h"
#include "service/session/field_mask.h"
#include "service/session/lookup.h"
#include "service/session/names.h"
#include "service/session/search_job.h"
#include "service/session/text.h"
#include "usher/v1/searcher.pb.h"

namespace usher::session {
namespace {

constexpr size_t kMaxSearchTextBytes = 256;

constexpr absl::string_view kWritable[] = {
    "client_application_id",
    "can_automatically_upgrade_service",
    "include_potentially_superseded_updates",
    "server_selection",
    "service_id",
    "online",
    "ignore_download_priority",
    "search_scope"};

absl::Status CheckSearcher(const v1::Searcher& searcher) {
  USHER_RETURN_IF_ERROR(CheckText(searcher.client_application_id(),
                                  kMaxApplicationIdBytes,
                                  "searcher.client_application_id"));
  if (!v1::ServerSelection_IsValid(searcher.server_selection())) {
    return Error(hr::kEInvalidarg, "server_selection must be 0 to 3",
                 "searcher.server_selection");
  }
  if (!v1::SearchScope_IsValid(searcher.search_scope())) {
    return Error(hr::kEInvalidarg, "search_scope must be 0 to 5",
                 "searcher.search_scope");
  }
  return CheckOptionalUuid(searcher.service_id(), "searcher.service_id");
}

absl::Status CheckSearch(Core& core, const v1::Searcher& searcher,
                         const v1::SearchRequest& request) {
  if (searcher.search_scope() >= v1::SEARCH_SCOPE_MACHINE_AND_CURRENT_USER) {
    return Error(hr::kWuEUnsupportedSearchscope,
                 "search_scope 3, 4 and 5 cannot be searched (UAMG-094)",
                 "searcher.search_scope");
  }
  if (request.criteria().size() >
      static_cast<size_t>(core.limits().criteria_bytes)) {
    return Error(hr::kWuEInvalidCriteria,
                 absl::StrCat("criteria have ", request.criteria().size(),
                              " bytes; limits.criteria_bytes allows ",
                              core.limits().criteria_bytes),
                 "criteria");
  }
  USHER_RETURN_IF_ERROR(core.catalog().CheckCriteria(request.criteria()));
  USHER_RETURN_IF_ERROR(CheckText(request.text(), kMaxSearchTextBytes, "text"));
  if (request.max_results() < 0) {
    return Error(hr::kEInvalidarg, "max_results must not be negative",
                 "max_results");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateSearcher(Core& core, const Call& call,
                            const v1::CreateSearcherRequest& request,
                            v1::Searcher& response) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.parent()));
  auto searcher = std::make_shared<v1::Searcher>();
  searcher->set_client_application_id(session->key().client_application_id);
  searcher->set_user_locale(session->user_locale());
  searcher->set_online(true);  // the rest is false or 0 (UAMG-025 … 031)
  USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(), EmptyMask::kNothing,
                                  kWritable, request.searcher(), *searcher));
  USHER_RETURN_IF_ERROR(CheckSearcher(*searcher));
  const std::string id = RandomResourceId();
  searcher->set_name(ChildName(session->key().id, kSearchers, id));
  response = *searcher;
  return session->AddObject(kSearchers, id, std::move(searcher));
}

absl::Status GetSearcher(Core& core, const Call& call,
                         const v1::GetSearcherRequest& request,
                         v1::Searcher& response) {
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kSearchers));
  response = static_cast<const v1::Searcher&>(*found.object);
  return absl::OkStatus();
}

absl::Status UpdateSearcher(Core& core, const Call& call,
                            const v1::UpdateSearcherRequest& request,
                            v1::Searcher& response) {
  USHER_ASSIGN_OR_RETURN(
      const FoundObject found,
      FindObject(core, call, request.searcher().name(), kSearchers));
  USHER_ASSIGN_OR_RETURN(
      const Session::Object changed,
      found.session->ChangeObject(
          kSearchers, found.id,
          [&request](google::protobuf::Message& message) -> absl::Status {
            USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(),
                                            EmptyMask::kRefused, kWritable,
                                            request.searcher(), message));
            return CheckSearcher(static_cast<const v1::Searcher&>(message));
          }));
  response = static_cast<const v1::Searcher&>(*changed);
  return absl::OkStatus();
}

absl::Status DeleteSearcher(Core& core, const Call& call,
                            const v1::DeleteSearcherRequest& request,
                            google::protobuf::Empty& /*response*/) {
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kSearchers));
  found.session->RemoveObject(kSearchers, found.id);
  return absl::OkStatus();
}

absl::StatusOr<BegunSearch> StartSearch(Core& core, const Call& call,
                                        const v1::SearchRequest& request) {
  USHER_ASSIGN_OR_RETURN(
      const FoundObject found,
      FindObject(core, call, request.searcher(), kSearchers));
  const auto& searcher = static_cast<const v1::Searcher&>(*found.object);
  USHER_RETURN_IF_ERROR(CheckSearch(core, searcher, request));
  SearchPlan plan;
  USHER_ASSIGN_OR_RETURN(plan.query.service_id,
                         core.services().Resolve(searcher.server_selection(),
                                                 searcher.service_id()));
  plan.query.criteria = request.criteria();
  plan.query.text = request.text();
  plan.query.include_superseded =
      searcher.include_potentially_superseded_updates();
  plan.query.ignore_download_priority = searcher.ignore_download_priority();
  plan.query.search_scope = searcher.search_scope();
  plan.query.max_results = request.max_results();
  plan.locale = searcher.user_locale();
  plan.online = searcher.online();
  // What a search refreshes is everybody's: by the way of those who may
  // refresh it at any time, else by the service's own.
  if (Authorize(call.caller, Right::kManageServices, core.policy()).ok()) {
    plan.proxy = found.session->Proxy();
  }
  plan.caller = call.caller;

  const std::string id = RandomResourceId();
  v1::Job initial;
  FillNewJob(core, call, *found.session, v1::JOB_KIND_SEARCH, id,
             searcher.name(), searcher.client_application_id(), initial);
  auto job = std::make_shared<SearchJob>(core, initial, found.session->key().id,
                                         id, std::move(plan));
  USHER_RETURN_IF_ERROR(AdmitJob(core, call, found.session, job, nullptr));
  job->Begin();
  return BegunSearch{found.session, std::move(job)};
}

absl::Status BeginSearch(Core& core, const Call& call,
                         const v1::SearchRequest& request, v1::Job& response) {
  USHER_ASSIGN_OR_RETURN(const BegunSearch search,
                         StartSearch(core, call, request));
  search.job->Read(response);
  return absl::OkStatus();
}

absl::StatusOr<BegunSearch> ClaimSearch(Core& core, const Call& call,
                                        const v1::EndSearchRequest& request) {
  USHER_ASSIGN_OR_RETURN(FoundJob found, FindJob(core, call, request.job()));
  USHER_RETURN_IF_ERROR(found.job->BeginEnd(v1::JOB_KIND_SEARCH));
  return BegunSearch{std::move(found.session),
                     std::static_pointer_cast<SearchJob>(found.job)};
}

}  // namespace usher::session
