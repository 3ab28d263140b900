#include "client/internal/search_stream.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/internal/convert.h"
#include "client/internal/request_id.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher::internal {
namespace {

using Reader = std::unique_ptr<grpc::ClientReader<v1::SearchResponse>>;
using Categories = google::protobuf::RepeatedPtrField<v1::Category>;
using OpenStream = std::function<Reader(const Link&, grpc::ClientContext*)>;

// How often a search is asked in all when its connection breaks. Whoever stops
// the service breaks it once, perhaps twice; a search that loses it each time
// may be what brings the service down, and must not do so for ever.
constexpr int kMaxAttempts = 3;

// Takes what a stream brings.
class Sink {
 public:
  virtual ~Sink() = default;
  // False to stop.
  virtual bool Take(v1::Update update) = 0;
  // Behind the updates.
  void TakeCategories(const Categories& categories) {
    categories_.MergeFrom(categories);
  }
  // The stream starts again; false if what was taken cannot be taken back.
  virtual bool Restart() = 0;

 protected:
  // What came so far.
  Categories categories_;
};

// Reads a stream to its summary, again from its start when the connection
// breaks. A refresh may be part of a search, so there is no deadline.
absl::StatusOr<v1::SearchResponse::Summary> ReadStream(
    SessionCore& core, const std::string& request_id, const OpenStream& open,
    Sink& sink) {
  const CallRules rules{.deadline = absl::InfiniteDuration(),
                        .request_id = request_id};
  for (int attempt = 1;; ++attempt) {
    USHER_ASSIGN_OR_RETURN(const LinkPtr link, core.Connected());
    grpc::ClientContext context;
    SessionCore::Prepare(context, rules);
    const Reader reader = open(*link, &context);
    v1::SearchResponse response;
    v1::SearchResponse::Summary summary;
    bool complete = false;
    bool stopped = false;
    while (reader->Read(&response)) {
      if (stopped) continue;
      sink.TakeCategories(response.chunk().categories());
      for (v1::Update& update : *response.mutable_chunk()->mutable_updates()) {
        if (!sink.Take(std::move(update))) {
          stopped = true;
          context.TryCancel();
          break;
        }
      }
      if (response.has_summary()) {
        summary = std::move(*response.mutable_summary());
        complete = true;
      }
    }
    const grpc::Status status = reader->Finish();
    if (stopped) {
      summary.set_result_code(v1::OPERATION_RESULT_CODE_ABORTED);
      return summary;
    }
    if (status.ok() && complete) return summary;
    if (status.ok()) {
      return Error(hr::kWuEUnexpected,
                   "the service ended a search without its summary");
    }
    USHER_RETURN_IF_ERROR(core.AfterFailure(
        status, link, rules, absl::Now() + core.options().reconnect_timeout));
    if (attempt == kMaxAttempts) {
      return Error(
          hr::kWuENoService,
          absl::StrCat("the connection to the service broke during "
                       "the search, ",
                       kMaxAttempts, " times in turn; its log may say why"));
    }
    if (!sink.Restart()) {
      return Error(hr::kWuENoService,
                   "the connection to the service broke during the search; "
                   "search again");
    }
  }
}

// Keeps everything.
class Collector : public Sink {
 public:
  explicit Collector(std::shared_ptr<SessionCore> core)
      : core_(std::move(core)) {}
  bool Take(v1::Update update) override {
    auto data = std::make_shared<UpdateData>(core_, std::move(update), forest_);
    forest_->AddUpdate(data);
    updates_.emplace_back(std::move(data));
    return true;
  }
  bool Restart() override {
    updates_.clear();
    categories_.Clear();
    forest_ = std::make_shared<CategoryForest>();
    return true;
  }
  SearchResult Finish(const v1::SearchResponse::Summary& summary) {
    forest_->Fill(categories_);
    std::vector<UpdateException> warnings;
    for (const v1::UpdateException& warning : summary.warnings()) {
      warnings.push_back(ToException(warning));
    }
    return SearchResult(
        static_cast<OperationResultCode>(summary.result_code()),
        UpdateCollection(std::move(updates_), /*read_only=*/true), forest_,
        std::move(warnings));
  }

 private:
  const std::shared_ptr<SessionCore> core_;
  std::shared_ptr<CategoryForest> forest_ = std::make_shared<CategoryForest>();
  std::vector<Update> updates_;
};

// Hands each update on and keeps none.
class Visitor : public Sink {
 public:
  Visitor(std::shared_ptr<SessionCore> core,
          const std::function<bool(Update)>& visit)
      : core_(std::move(core)),
        visit_(visit),
        forest_(std::make_shared<CategoryForest>()) {}
  bool Take(v1::Update update) override {
    ++count_;
    return visit_(Update(
        std::make_shared<UpdateData>(core_, std::move(update), forest_)));
  }
  bool Restart() override {
    categories_.Clear();
    return count_ == 0;
  }
  int64_t count() const { return count_; }
  // All categories are there.
  void Finish() { forest_->Fill(categories_); }

 private:
  const std::shared_ptr<SessionCore> core_;
  const std::function<bool(Update)>& visit_;
  const std::shared_ptr<CategoryForest> forest_;
  int64_t count_ = 0;
};

// The Search call of `searcher`, which is made again once if it was lost.
absl::StatusOr<v1::SearchResponse::Summary> RunSearch(
    SearcherObject& searcher, v1::SearchRequest& request, Sink& sink) {
  const std::string request_id = NewRequestId();
  for (bool again = true;; again = false) {
    USHER_ASSIGN_OR_RETURN(const std::string name, searcher.Name());
    request.set_searcher(name);
    absl::StatusOr<v1::SearchResponse::Summary> summary = ReadStream(
        *searcher.core(), request_id,
        [&](const Link& link, grpc::ClientContext* context) {
          return link.searchers->Search(context, request);
        },
        sink);
    if (summary.ok() || !again ||
        !searcher.ForgetIfLost(summary.status(), name) || !sink.Restart()) {
      return summary;
    }
  }
}

}  // namespace

absl::StatusOr<SearchResult> SearchAll(SearcherObject& searcher,
                                       v1::SearchRequest request) {
  Collector collector(searcher.core());
  USHER_ASSIGN_OR_RETURN(const v1::SearchResponse::Summary summary,
                         RunSearch(searcher, request, collector));
  return collector.Finish(summary);
}

absl::StatusOr<SearchSummary> SearchEach(
    SearcherObject& searcher, v1::SearchRequest request,
    const std::function<bool(Update)>& visit) {
  Visitor visitor(searcher.core(), visit);
  USHER_ASSIGN_OR_RETURN(const v1::SearchResponse::Summary summary,
                         RunSearch(searcher, request, visitor));
  visitor.Finish();
  SearchSummary result;
  result.result_code = static_cast<OperationResultCode>(summary.result_code());
  result.update_count = visitor.count();
  for (const v1::UpdateException& warning : summary.warnings()) {
    result.warnings.push_back(ToException(warning));
  }
  return result;
}

absl::StatusOr<SearchResult> EndSearchJob(const std::shared_ptr<JobData>& job) {
  if (job == nullptr) return Error(hr::kEPointer, "the job is empty", "job");
  USHER_RETURN_IF_ERROR(job->ClaimEnd(v1::JOB_KIND_SEARCH));
  Collector collector(job->core());
  absl::StatusOr<v1::SearchResponse::Summary> summary = ReadStream(
      *job->core(), NewRequestId(),
      [&](const Link& link, grpc::ClientContext* context) {
        v1::EndSearchRequest request;
        request.set_job(job->name());
        return link.searchers->EndSearch(context, request);
      },
      collector);
  if (!summary.ok()) {
    job->GiveBackEnd();
    return summary.status();
  }
  job->DropEnded();
  return collector.Finish(*summary);
}

}  // namespace usher::internal
