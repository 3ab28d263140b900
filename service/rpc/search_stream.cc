#include "service/rpc/search_stream.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "service/rpc/pooled_stream.h"
#include "service/session/begin_job.h"
#include "service/session/search_job.h"
#include "usher/v1/searcher.pb.h"

namespace usher::rpc {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& wire) {
  const grpc::Slice slice(wire);
  return grpc::ByteBuffer(&slice, 1);
}

class SearchStream : public PooledStream<grpc::ByteBuffer> {
 public:
  SearchStream(session::Core& core, const CallRecord& record, SearchEnd end,
               absl::StatusOr<session::BegunSearch> search)
      : PooledStream(record, core.work()),
        core_(core),
        end_(end),
        search_(std::move(search)) {}

 private:
  enum class Phase { kJob, kWait, kRows, kSummary, kDone };

  Step Produce(grpc::ByteBuffer& message) override {
    if (!search_.ok()) return {Step::kFinish, search_.status()};
    switch (phase_) {
      case Phase::kJob: {
        phase_ = Phase::kWait;
        v1::SearchResponse first;
        search_->job->Read(*first.mutable_job());
        message = ToBuffer(first.SerializeAsString());
        return {Step::kMessage, {}};
      }
      case Phase::kWait: {
        const absl::Status status = search_->job->status();
        if (!status.ok()) return {Step::kFinish, status};
        reader_.emplace(core_, search_->job);
        phase_ = Phase::kRows;
        [[fallthrough]];
      }
      case Phase::kRows:
        if (next_ == messages_.size()) {
          messages_.clear();
          next_ = 0;
          const absl::Status status = reader_->Next(messages_);
          if (!status.ok()) return {Step::kFinish, status};
        }
        if (!messages_.empty()) {
          message = ToBuffer(messages_[next_++]);
          return {Step::kMessage, {}};
        }
        phase_ = Phase::kSummary;
        [[fallthrough]];
      case Phase::kSummary: {
        v1::SearchResponse last;
        const absl::Status status = reader_->Summary(last);
        if (!status.ok()) return {Step::kFinish, status};
        message = ToBuffer(last.SerializeAsString());
        phase_ = Phase::kDone;
        return {Step::kMessage, {}};
      }
      case Phase::kDone:
        return {Step::kFinish, absl::OkStatus()};
    }
    return {Step::kFinish, absl::OkStatus()};
  }

  void Written() override {
    if (phase_ != Phase::kWait) {
      Post();
      return;
    }
    std::weak_ptr<PooledStream> weak = weak_from_this();
    waiting_ = true;
    callback_ = search_->job->OnSettled([weak, this] {
      if (const auto self = weak.lock()) Resume();
    });
    if (cancel().cancelled()) Resume();
  }

  // Takes the turn back once, after the job is settled or the client gone.
  void Resume() {
    if (waiting_.exchange(false)) Post();
  }

  void Cancelled() override {
    if (search_.ok() && end_ == SearchEnd::kDropJob) {
      search_->job->RequestAbort();
    }
    Resume();
  }

  void Ending(const absl::Status& status) override {
    if (!search_.ok()) return;
    search_->job->Forget(callback_);
    if (end_ == SearchEnd::kDropJob) {
      search_->job->RequestAbort();
      session::DiscardJob(core_, *search_->session, *search_->job);
      return;
    }
    // A result that was not seen whole was not taken; one that is an error
    // was.
    if (status.ok() || !search_->job->status().ok()) {
      search_->job->FinishEnd();
    } else {
      search_->job->AbandonEnd();
    }
  }

  session::Core& core_;
  const SearchEnd end_;
  const absl::StatusOr<session::BegunSearch> search_;
  // Belong to whoever has the turn.
  Phase phase_ = Phase::kJob;
  std::optional<session::SearchReader> reader_;
  std::vector<std::string> messages_;
  size_t next_ = 0;
  std::atomic<bool> waiting_{false};
  std::atomic<uint64_t> callback_{0};
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StreamSearch(
    session::Core& core, const CallRecord& record, SearchEnd end,
    absl::StatusOr<session::BegunSearch> search) {
  auto stream =
      std::make_shared<SearchStream>(core, record, end, std::move(search));
  SearchStream* const reactor = stream.get();
  stream->Begin();
  return reactor;
}

}  // namespace usher::rpc
