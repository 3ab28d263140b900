#include "usher/update_searcher.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"
#include "client/internal/job_data.h"
#include "client/internal/objects.h"
#include "client/internal/query_history.h"
#include "client/internal/search_stream.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher {
namespace {

v1::SearchRequest MakeRequest(absl::string_view criteria,
                              const SearchOptions& options) {
  v1::SearchRequest request;
  request.set_criteria(std::string(criteria));
  request.set_text(options.text);
  request.set_max_results(options.max_results);
  return request;
}

}  // namespace

SearchResult::SearchResult(OperationResultCode result_code,
                           UpdateCollection updates,
                           std::shared_ptr<internal::CategoryForest> forest,
                           std::vector<UpdateException> warnings)
    : result_code_(result_code),
      updates_(std::move(updates)),
      forest_(std::move(forest)),
      warnings_(std::move(warnings), /*read_only=*/true) {}

Collection<Category> SearchResult::RootCategories() const {
  std::vector<Category> roots;
  if (forest_ != nullptr) {
    for (const size_t index : forest_->Roots()) {
      roots.emplace_back(forest_, index);
    }
  }
  return Collection<Category>(std::move(roots), /*read_only=*/true);
}

UpdateSearcher::UpdateSearcher(std::shared_ptr<internal::SearcherObject> object)
    : object_(std::move(object)) {}

absl::StatusOr<SearchResult> UpdateSearcher::Search(
    absl::string_view criteria, const SearchOptions& options) const {
  return internal::SearchAll(*object_, MakeRequest(criteria, options));
}

absl::StatusOr<SearchSummary> UpdateSearcher::SearchEach(
    absl::string_view criteria, const std::function<bool(Update)>& visit,
    const SearchOptions& options) const {
  return internal::SearchEach(*object_, MakeRequest(criteria, options), visit);
}

absl::StatusOr<SearchJob> UpdateSearcher::BeginSearch(
    absl::string_view criteria, SearchCompletedCallback completed,
    std::any async_state, const SearchOptions& options) const {
  USHER_ASSIGN_OR_RETURN(
      v1::Job job,
      object_->Call<v1::Job>(
          {.repeatable = false},
          [&](const internal::Link& link, const std::string& name,
              grpc::ClientContext* context, v1::Job* response) {
            v1::SearchRequest request = MakeRequest(criteria, options);
            request.set_searcher(name);
            return link.searchers->BeginSearch(context, request, response);
          }));
  auto data = std::make_shared<internal::JobData>(
      object_->core(), std::move(job), std::move(async_state),
      UpdateCollection({}, /*read_only=*/true));
  internal::JobData::CompletedFunction done;
  if (completed) {
    done = [completed = std::move(completed)](
               const std::shared_ptr<internal::JobData>& of) {
      completed(SearchJob(of));
    };
  }
  data->Start(nullptr, std::move(done));
  return SearchJob(std::move(data));
}

absl::StatusOr<SearchResult> UpdateSearcher::EndSearch(
    const SearchJob& job) const {
  return internal::EndSearchJob(job.internal_data());
}

std::string UpdateSearcher::EscapeString(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '\'' || c == '[' || c == ']') {
      escaped.append({'[', c, ']'});
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

absl::StatusOr<UpdateHistoryEntryCollection> UpdateSearcher::QueryHistory(
    int32_t start_index, int32_t count) const {
  return internal::QueryHistory(*object_->core(), "", start_index, count);
}

absl::StatusOr<int32_t> UpdateSearcher::GetTotalHistoryCount() const {
  USHER_ASSIGN_OR_RETURN(
      const v1::GetTotalHistoryCountResponse response,
      object_->core()->Call<v1::GetTotalHistoryCountResponse>(
          {}, [](const internal::Link& link, grpc::ClientContext* context,
                 v1::GetTotalHistoryCountResponse* out) {
            return link.history->GetTotalHistoryCount(
                context, v1::GetTotalHistoryCountRequest(), out);
          }));
  return response.count();
}

std::string UpdateSearcher::ClientApplicationID() const {
  return object_->message().client_application_id();
}

absl::Status UpdateSearcher::SetClientApplicationID(absl::string_view value) {
  return object_->Write("client_application_id", [&](auto& message) {
    message.set_client_application_id(std::string(value));
  });
}

bool UpdateSearcher::CanAutomaticallyUpgradeService() const {
  return object_->message().can_automatically_upgrade_service();
}

absl::Status UpdateSearcher::SetCanAutomaticallyUpgradeService(bool value) {
  return object_->Write("can_automatically_upgrade_service",
                        [&](auto& message) {
                          message.set_can_automatically_upgrade_service(value);
                        });
}

bool UpdateSearcher::IncludePotentiallySupersededUpdates() const {
  return object_->message().include_potentially_superseded_updates();
}

absl::Status UpdateSearcher::SetIncludePotentiallySupersededUpdates(
    bool value) {
  return object_->Write(
      "include_potentially_superseded_updates", [&](auto& message) {
        message.set_include_potentially_superseded_updates(value);
      });
}

enum ServerSelection UpdateSearcher::ServerSelection() const {
  return static_cast<enum ServerSelection>(
      object_->message().server_selection());
}

absl::Status UpdateSearcher::SetServerSelection(enum ServerSelection value) {
  return object_->Write("server_selection", [&](auto& message) {
    message.set_server_selection(static_cast<v1::ServerSelection>(value));
  });
}

std::string UpdateSearcher::ServiceID() const {
  return object_->message().service_id();
}

absl::Status UpdateSearcher::SetServiceID(absl::string_view value) {
  return object_->Write("service_id", [&](auto& message) {
    message.set_service_id(std::string(value));
  });
}

bool UpdateSearcher::Online() const { return object_->message().online(); }

absl::Status UpdateSearcher::SetOnline(bool value) {
  return object_->Write("online",
                        [&](auto& message) { message.set_online(value); });
}

bool UpdateSearcher::IgnoreDownloadPriority() const {
  return object_->message().ignore_download_priority();
}

absl::Status UpdateSearcher::SetIgnoreDownloadPriority(bool value) {
  return object_->Write("ignore_download_priority", [&](auto& message) {
    message.set_ignore_download_priority(value);
  });
}

enum SearchScope UpdateSearcher::SearchScope() const {
  return static_cast<enum SearchScope>(object_->message().search_scope());
}

absl::Status UpdateSearcher::SetSearchScope(enum SearchScope value) {
  return object_->Write("search_scope", [&](auto& message) {
    message.set_search_scope(static_cast<v1::SearchScope>(value));
  });
}

}  // namespace usher
