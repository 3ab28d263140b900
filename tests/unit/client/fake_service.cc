#include "tests/unit/client/fake_service.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/field_mask_util.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "tests/unit/client/fake_state.h"
#include "usher/v1/downloader.grpc.pb.h"
#include "usher/v1/job.grpc.pb.h"
#include "usher/v1/searcher.grpc.pb.h"
#include "usher/v1/session.grpc.pb.h"
#include "usher/v1/types.pb.h"
#include "usher/v1/update_state.grpc.pb.h"

namespace usher::testing {

using google::protobuf::Empty;
using google::protobuf::util::FieldMaskUtil;
using grpc::ServerContext;
using grpc::Status;

namespace {

using State = FakeService::State;

class Sessions final : public v1::SessionService::Service {
 public:
  explicit Sessions(State& state) : state_(state) {}

  Status OpenSession(ServerContext*, const v1::OpenSessionRequest* request,
                     v1::OpenSessionResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (state_.refuse) return Broken();
    ++state_.opens;
    response->set_attached(!state_.session.name().empty());
    if (!response->attached()) {
      state_.session.set_name(absl::StrCat("sessions/", ++state_.next));
      state_.session.set_client_application_id(
          request->client_application_id());
      state_.session.set_user_locale("en");
      state_.session.set_read_only(request->read_only());
    }
    *response->mutable_session() = state_.Shown();
    return Status::OK;
  }

  Status UpdateSession(ServerContext*, const v1::UpdateSessionRequest* request,
                       v1::Session* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->session().name() != state_.session.name()) {
      return NotFound(request->session().name());
    }
    if (state_.session.read_only()) return NotSupported(state_.session.name());
    FieldMaskUtil::MergeOptions options;
    options.set_replace_message_fields(true);
    options.set_replace_repeated_fields(true);
    FieldMaskUtil::MergeMessageTo(request->session(), request->update_mask(),
                                  options, &state_.session);
    *response = state_.Shown();
    return Status::OK;
  }

  Status ListSessions(ServerContext*, const v1::ListSessionsRequest* request,
                      v1::ListSessionsResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    *response->add_sessions() = state_.Shown();
    if (request->all_callers()) {
      v1::Session* other = response->add_sessions();
      other->set_name("sessions/other");
      other->set_owner("uid:4711");
    }
    return Status::OK;
  }

  Status CloseSession(ServerContext*, const v1::CloseSessionRequest* request,
                      Empty*) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->name() != state_.session.name()) {
      return NotFound(request->name());
    }
    state_.Forget();
    return Status::OK;
  }

  Status WatchSession(ServerContext*, const v1::WatchSessionRequest* request,
                      grpc::ServerWriter<v1::SessionEvent>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->name() != state_.session.name()) {
      return NotFound(request->name());
    }
    v1::SessionEvent event;
    event.set_kind(v1::SessionEvent::KIND_ATTACHED);
    writer->Write(event);
    ++state_.session_watchers;
    state_.mutex.Await(absl::Condition(&state_.stopping));
    --state_.session_watchers;
    return Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  }

 private:
  State& state_;
};

class Searchers final : public v1::SearcherService::Service {
 public:
  explicit Searchers(State& state) : state_(state) {}

  Status CreateSearcher(ServerContext*,
                        const v1::CreateSearcherRequest* request,
                        v1::Searcher* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->parent() != state_.session.name()) {
      return NotFound(request->parent());
    }
    response->set_online(true);
    FieldMaskUtil::MergeMessageTo(request->searcher(), request->update_mask(),
                                  FieldMaskUtil::MergeOptions(), response);
    response->set_name(state_.Name("searchers"));
    state_.searchers[response->name()] = *response;
    return Status::OK;
  }

  Status UpdateSearcher(ServerContext*,
                        const v1::UpdateSearcherRequest* request,
                        v1::Searcher* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.searchers.find(request->searcher().name());
    if (it == state_.searchers.end()) {
      return NotFound(request->searcher().name());
    }
    FieldMaskUtil::MergeMessageTo(request->searcher(), request->update_mask(),
                                  FieldMaskUtil::MergeOptions(), &it->second);
    *response = it->second;
    return Status::OK;
  }

  Status DeleteSearcher(ServerContext*,
                        const v1::DeleteSearcherRequest* request,
                        Empty*) override {
    absl::MutexLock lock(&state_.mutex);
    state_.searchers.erase(request->name());
    return Status::OK;
  }

  Status Search(ServerContext*, const v1::SearchRequest* request,
                grpc::ServerWriter<v1::SearchResponse>* writer) override {
    {
      absl::MutexLock lock(&state_.mutex);
      if (state_.searchers.count(request->searcher()) == 0) {
        return NotFound(request->searcher());
      }
      ++state_.searches;
    }
    if (request->criteria() == "bad") return BadCriteria();
    return Send("job", writer);
  }

  Status BeginSearch(ServerContext*, const v1::SearchRequest* request,
                     v1::Job* response) override {
    if (request->criteria() == "bad") return BadCriteria();
    absl::MutexLock lock(&state_.mutex);
    if (state_.searchers.count(request->searcher()) == 0) {
      return NotFound(request->searcher());
    }
    *response = state_.Begin(v1::JOB_KIND_SEARCH, {});
    return Status::OK;
  }

  Status EndSearch(ServerContext*, const v1::EndSearchRequest* request,
                   grpc::ServerWriter<v1::SearchResponse>* writer) override {
    {
      absl::MutexLock lock(&state_.mutex);
      ++state_.searches;
      if (Status ended = state_.End(request->job()); !ended.ok()) return ended;
    }
    return Send(request->job(), writer);
  }

 private:
  static Status BadCriteria() {
    return Failure(grpc::StatusCode::INVALID_ARGUMENT, hr::kWuEInvalidCriteria,
                   "position 0", "criteria");
  }

  // Writes what every search finds.
  Status Send(const std::string& job_name,
              grpc::ServerWriter<v1::SearchResponse>* writer) {
    std::vector<v1::Update> updates;
    bool break_now = false;
    bool break_later = false;
    {
      absl::MutexLock lock(&state_.mutex);
      updates = state_.updates;
      break_now = state_.break_searches && !state_.break_after_first;
      break_later = state_.break_searches && state_.break_after_first;
      // A stream that broke before its summary has not ended the job.
      const auto it = state_.jobs.find(job_name);
      if (state_.break_searches && it != state_.jobs.end()) {
        it->second.set_ended(false);
      }
    }
    v1::SearchResponse job;
    job.mutable_job()->set_name(job_name);
    writer->Write(job);
    if (break_now) return Broken();
    for (const v1::Update& update : updates) {
      v1::SearchResponse chunk;
      *chunk.mutable_chunk()->add_updates() = update;
      writer->Write(chunk);
      if (break_later) return Broken();
    }
    // Apart, as the service may send them.
    v1::SearchResponse product;
    product.mutable_chunk()->add_categories()->set_category_id("p");
    product.mutable_chunk()->mutable_categories(0)->set_parent_category_id("c");
    writer->Write(product);
    v1::SearchResponse company;
    company.mutable_chunk()->add_categories()->set_category_id("c");
    writer->Write(company);
    v1::SearchResponse end;
    end.mutable_summary()->set_result_code(v1::OPERATION_RESULT_CODE_SUCCEEDED);
    writer->Write(end);
    return Status::OK;
  }

  State& state_;
};

class Downloaders final : public v1::DownloaderService::Service {
 public:
  explicit Downloaders(State& state) : state_(state) {}

  Status CreateDownloader(ServerContext*,
                          const v1::CreateDownloaderRequest* request,
                          v1::Downloader* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (state_.session.read_only()) return AccessDenied();
    *response = request->downloader();
    response->set_name(state_.Name("downloaders"));
    state_.downloaders[response->name()] = *response;
    return Status::OK;
  }

  Status UpdateDownloader(ServerContext*,
                          const v1::UpdateDownloaderRequest* request,
                          v1::Downloader* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.downloaders.find(request->downloader().name());
    if (it == state_.downloaders.end()) {
      return NotFound(request->downloader().name());
    }
    FieldMaskUtil::MergeMessageTo(request->downloader(), request->update_mask(),
                                  FieldMaskUtil::MergeOptions(), &it->second);
    *response = it->second;
    return Status::OK;
  }

  Status DeleteDownloader(ServerContext*, const v1::DeleteDownloaderRequest*,
                          Empty*) override {
    return Status::OK;
  }

  Status BeginDownload(ServerContext*, const v1::BeginDownloadRequest* request,
                       v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.downloaders.find(request->downloader());
    if (it == state_.downloaders.end()) return NotFound(request->downloader());
    *response = state_.Begin(v1::JOB_KIND_DOWNLOAD, it->second.updates());
    if (std::exchange(state_.lose_begin, false)) {
      return Broken();
    }
    return Status::OK;
  }

  Status EndDownload(ServerContext*, const v1::EndDownloadRequest* request,
                     v1::DownloadResult* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (Status ended = state_.End(request->job()); !ended.ok()) return ended;
    const v1::Job& job = state_.jobs[request->job()];
    response->set_result_code(job.result_code());
    *response->mutable_update_results() = job.update_results();
    if (std::exchange(state_.lose_end, false)) {
      return Broken();
    }
    return Status::OK;
  }

 private:
  State& state_;
};

class Jobs final : public v1::JobService::Service {
 public:
  explicit Jobs(State& state) : state_(state) {}

  Status GetJob(ServerContext*, const v1::GetJobRequest* request,
                v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.jobs.find(request->name());
    if (it == state_.jobs.end()) return NotFound(request->name());
    *response = it->second;
    return Status::OK;
  }

  // Two on a page.
  Status ListJobs(ServerContext* context, const v1::ListJobsRequest* request,
                  v1::ListJobsResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto id = context->client_metadata().find("x-usher-request-id");
    state_.list_ids.emplace_back(
        id == context->client_metadata().end()
            ? ""
            : std::string(id->second.data(), id->second.size()));
    for (auto it = state_.jobs.upper_bound(request->page_token());
         it != state_.jobs.end(); ++it) {
      if (response->jobs_size() == 2) {
        response->set_next_page_token(response->jobs(1).name());
        break;
      }
      *response->add_jobs() = it->second;
    }
    if (!request->page_token().empty() &&
        std::exchange(state_.lose_list, false)) {
      return Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
    }
    return Status::OK;
  }

  Status WatchJob(ServerContext*, const v1::WatchJobRequest* request,
                  grpc::ServerWriter<v1::JobEvent>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    ++state_.job_watchers;
    std::string sent;
    for (;;) {
      const auto it = state_.jobs.find(request->name());
      if (it == state_.jobs.end()) {
        --state_.job_watchers;
        return NotFound(request->name());
      }
      v1::JobEvent event;
      *event.mutable_job() = it->second;
      event.mutable_job()->clear_updates();
      sent = event.SerializeAsString();
      writer->Write(event);
      if (it->second.state() == v1::JOB_STATE_COMPLETED) {
        --state_.job_watchers;
        return Status::OK;
      }
      const auto changed = [&] {
        const auto now = state_.jobs.find(request->name());
        if (state_.stopping || now == state_.jobs.end()) return true;
        v1::JobEvent next;
        *next.mutable_job() = now->second;
        next.mutable_job()->clear_updates();
        return next.SerializeAsString() != sent;
      };
      state_.mutex.Await(absl::Condition(&changed));
      if (state_.stopping) {
        --state_.job_watchers;
        return Status(grpc::StatusCode::UNAVAILABLE, "stopping");
      }
    }
  }

  Status RequestAbort(ServerContext*, const v1::RequestAbortRequest* request,
                      v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.jobs.find(request->name());
    if (it == state_.jobs.end()) return NotFound(request->name());
    it->second.set_abort_requested(true);
    it->second.set_state(v1::JOB_STATE_COMPLETED);
    it->second.set_result_code(v1::OPERATION_RESULT_CODE_ABORTED);
    *response = it->second;
    return Status::OK;
  }

  Status CleanUpJob(ServerContext*, const v1::CleanUpJobRequest* request,
                    Empty*) override {
    absl::MutexLock lock(&state_.mutex);
    return state_.jobs.erase(request->name()) == 1 ? Status::OK
                                                   : NotFound(request->name());
  }

 private:
  State& state_;
};

class States final : public v1::UpdateStateService::Service {
 public:
  explicit States(State& state) : state_(state) {}

  Status BatchGetUpdates(ServerContext*,
                         const v1::BatchGetUpdatesRequest* request,
                         v1::BatchGetUpdatesResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    ++state_.batches;
    for (const v1::UpdateKey& key : request->keys()) {
      // Two in one answer.
      if (response->updates_size() == 2) {
        *response->add_unread_keys() = key;
        continue;
      }
      for (const v1::Update& update : state_.updates) {
        if (update.identity().update_id() == key.update_id()) {
          *response->add_updates() = update;
        }
      }
    }
    return Status::OK;
  }

 private:
  State& state_;
};

}  // namespace

FakeService::FakeService() : state_(std::make_unique<State>()) {
  char folder[] = "/tmp/usher-client-XXXXXX";
  folder_ = mkdtemp(folder);
  address_ = folder_ + "/s";
  services_.push_back(std::make_unique<Sessions>(*state_));
  services_.push_back(std::make_unique<Searchers>(*state_));
  services_.push_back(std::make_unique<Downloaders>(*state_));
  services_.push_back(std::make_unique<Jobs>(*state_));
  services_.push_back(std::make_unique<States>(*state_));
  services_.push_back(MakeInstallers(*state_));
  services_.push_back(MakeHistory(*state_));
}

FakeService::~FakeService() {
  Stop();
  unlink(address_.c_str());
  rmdir(folder_.c_str());
}

void FakeService::Start() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = false;
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + address_,
                           grpc::InsecureServerCredentials());
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
}

void FakeService::Stop() {
  if (server_ == nullptr) return;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_ = nullptr;
}

void FakeService::ForgetSessions() {
  absl::MutexLock lock(&state_->mutex);
  state_->Forget();
}

void FakeService::SetUpdates(std::vector<v1::Update> updates) {
  absl::MutexLock lock(&state_->mutex);
  state_->updates = std::move(updates);
}

void FakeService::SetProgress(const std::string& job, int percent) {
  absl::MutexLock lock(&state_->mutex);
  state_->jobs[job].mutable_download_progress()->set_percent_complete(percent);
}

void FakeService::Complete(const std::string& job) {
  absl::MutexLock lock(&state_->mutex);
  state_->Complete(state_->jobs[job]);
}

void FakeService::CompleteJobsAtOnce() {
  absl::MutexLock lock(&state_->mutex);
  state_->complete_at_once = true;
}

void FakeService::SetHistory(std::vector<v1::UpdateHistoryEntry> entries) {
  absl::MutexLock lock(&state_->mutex);
  state_->history = std::move(entries);
}

void FakeService::ForgetProxyPassword() {
  absl::MutexLock lock(&state_->mutex);
  state_->session.mutable_web_proxy()->clear_password();
}

void FakeService::SetProxy(const v1::WebProxy& proxy) {
  absl::MutexLock lock(&state_->mutex);
  *state_->session.mutable_web_proxy() = proxy;
}

void FakeService::BreakSearches(bool after_first_update) {
  absl::MutexLock lock(&state_->mutex);
  state_->break_searches = true;
  state_->break_after_first = after_first_update;
}

void FakeService::RefuseConnections() {
  absl::MutexLock lock(&state_->mutex);
  state_->refuse = true;
}

void FakeService::LoseNextEnd() {
  absl::MutexLock lock(&state_->mutex);
  state_->lose_end = true;
}

void FakeService::LoseNextBegin() {
  absl::MutexLock lock(&state_->mutex);
  state_->lose_begin = true;
}

void FakeService::LoseNextList() {
  absl::MutexLock lock(&state_->mutex);
  state_->lose_list = true;
}

std::vector<std::string> FakeService::list_ids() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->list_ids;
}

int FakeService::batch_count() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->batches;
}

int FakeService::open_count() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->opens;
}

int FakeService::search_count() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->searches;
}

std::vector<std::string> FakeService::searchers() const {
  absl::MutexLock lock(&state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, searcher] : state_->searchers) names.push_back(name);
  return names;
}

v1::Searcher FakeService::searcher(const std::string& name) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->searchers.at(name);
}

v1::Session FakeService::session() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->session;
}

v1::Installer FakeService::installer() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->installer;
}

v1::QueryHistoryRequest FakeService::history_request() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->history_request;
}

bool FakeService::has_job(const std::string& name) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->jobs.count(name) == 1;
}

bool FakeService::WaitForWatchers(int sessions, int jobs) const {
  absl::MutexLock lock(&state_->mutex);
  const auto there = [&] {
    return state_->session_watchers == sessions && state_->job_watchers == jobs;
  };
  return state_->mutex.AwaitWithTimeout(absl::Condition(&there),
                                        absl::Seconds(20));
}

}  // namespace usher::testing
