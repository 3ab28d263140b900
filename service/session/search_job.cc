#include "service/session/search_job.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/error.h"
#include "service/session/core.h"
#include "spdlog/spdlog.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// A message is closed once it has this many bytes.
constexpr size_t kChunkBytes = size_t{192} * 1024;
// Rows are read in steps that bring about one message; a step that brings far
// more is taken again in smaller ones, so that memory stays bounded.
constexpr size_t kFirstStep = 64;
constexpr size_t kMaxStep = 1024;
constexpr size_t kMaxStepBytes = size_t{2} * 1024 * 1024;

const std::vector<int64_t>& NoRows() {
  static const auto* const none = new std::vector<int64_t>();
  return *none;
}

void AppendTag(int field, size_t length, std::string& out) {
  uint8_t buffer[20];
  uint8_t* end = WireFormatLite::WriteTagToArray(
      field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, buffer);
  end = CodedOutputStream::WriteVarint64ToArray(length, end);
  out.append(reinterpret_cast<const char*>(buffer), end - buffer);
}

// SearchResponse{chunk: Chunk{…}} around the updates' bytes.
std::string WrapChunk(const std::string& updates) {
  std::string message;
  message.reserve(updates.size() + 16);
  AppendTag(v1::SearchResponse::kChunkFieldNumber, updates.size(), message);
  message += updates;
  return message;
}

}  // namespace

SearchJob::SearchJob(Core& core, const v1::Job& initial, std::string session_id,
                     std::string id, SearchPlan plan)
    : Job(core.job_hooks(), initial, std::move(session_id), std::move(id)),
      core_(core),
      plan_(std::move(plan)) {}

SearchJob::~SearchJob() {
  absl::MutexLock lock(&result_mutex_);
  if (rows_ != nullptr) {
    core_.ReturnRows(plan_.caller.user, static_cast<int64_t>(rows_->size()));
  }
}

void SearchJob::Begin() {
  ChangeState(Weight::kVisible,
              [](v1::Job& job) { job.set_state(v1::JOB_STATE_RUNNING); });
  auto self = std::static_pointer_cast<SearchJob>(shared_from_this());
  // An aborted search ends at once; what runs on for it finds nobody.
  cancel().OnCancel([weak = std::weak_ptr<SearchJob>(self)] {
    if (const auto job = weak.lock()) {
      job->Complete(v1::OPERATION_RESULT_CODE_ABORTED, hr::kWuECallCancelled,
                    "the search was aborted");
    }
  });
  if (!plan_.online) {
    core_.work().Post(plan_.caller, [self] { self->Search(); });
    return;
  }
  core_.services().EnsureFresh(
      plan_.query.service_id, {plan_.proxy, request_id()}, core_.network(),
      core_.stop_token(), [self](const absl::Status& refreshed) {
        if (!refreshed.ok()) {
          const absl::StatusOr<v1::UpdateService> service =
              self->core_.services().Get(self->plan_.query.service_id);
          if (!service.ok() || !service->has_last_refresh_time()) {
            self->Fail(refreshed);  // there is nothing to search
            return;
          }
          // What was loaded before is still good to search (UAMG-097).
          absl::MutexLock lock(&self->result_mutex_);
          v1::UpdateException& warning = self->warnings_.emplace_back();
          warning.set_message(absl::StrCat(
              "the service could not be refreshed; the result is that of the "
              "last refresh: ",
              refreshed.message()));
          warning.set_hresult(HResultOf(refreshed));
          warning.set_context(v1::UPDATE_EXCEPTION_CONTEXT_SEARCH_INCOMPLETE);
        }
        self->core_.work().Post(self->plan_.caller, [self] { self->Search(); });
      });
}

void SearchJob::Search() {
  if (completed()) return;
  absl::StatusOr<catalog::SearchResult> result =
      core_.catalog().Search(plan_.query, cancel());
  if (!result.ok()) {
    Fail(result.status());
    return;
  }
  const auto count = static_cast<int64_t>(result->rows.size());
  if (absl::Status status = core_.TakeRows(plan_.caller.user, count);
      !status.ok()) {
    Fail(status);
    return;
  }
  bool warned = false;
  {
    absl::MutexLock lock(&result_mutex_);
    result->rows.shrink_to_fit();
    rows_ =
        std::make_unique<const std::vector<int64_t>>(std::move(result->rows));
    warned = !warnings_.empty();
  }
  Complete(warned ? v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS
                  : v1::OPERATION_RESULT_CODE_SUCCEEDED,
           hr::kSOk, "");
}

void SearchJob::Fail(const absl::Status& status) {
  {
    absl::MutexLock lock(&result_mutex_);
    status_ = status;
  }
  Complete(v1::OPERATION_RESULT_CODE_FAILED, HResultOf(status),
           status.message());
}

absl::Status SearchJob::status() const {
  absl::MutexLock lock(&result_mutex_);
  return status_;
}

const std::vector<int64_t>& SearchJob::rows() const {
  absl::MutexLock lock(&result_mutex_);
  return rows_ == nullptr ? NoRows() : *rows_;
}

std::vector<v1::UpdateException> SearchJob::warnings() const {
  absl::MutexLock lock(&result_mutex_);
  return warnings_;
}

SearchReader::SearchReader(Core& core, std::shared_ptr<SearchJob> job)
    : core_(core), job_(std::move(job)), step_(kFirstStep) {}

SearchReader::~SearchReader() = default;

absl::Status SearchReader::Next(std::vector<std::string>& messages) {
  USHER_RETURN_IF_ERROR(NextRows(messages));
  return messages.empty() ? NextCategories(messages) : absl::OkStatus();
}

absl::Status SearchReader::NextCategories(std::vector<std::string>& messages) {
  if (!categories_.has_value()) {
    USHER_ASSIGN_OR_RETURN(categories_, core_.catalog().CategoriesOf(
                                            job_->rows(), job_->locale()));
  }
  if (next_category_ == categories_->size()) return absl::OkStatus();
  v1::SearchResponse response;
  v1::SearchResponse::Chunk& chunk = *response.mutable_chunk();
  for (size_t bytes = 0;
       next_category_ < categories_->size() && bytes < kChunkBytes;) {
    v1::Category& category = (*categories_)[next_category_++];
    bytes += category.ByteSizeLong();
    *chunk.add_categories() = std::move(category);
  }
  messages.push_back(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status SearchReader::NextRows(std::vector<std::string>& messages) {
  const size_t total = job_->rows().size();
  // A step whose rows have all gone meanwhile brings nothing: take another.
  while (position_ < total && messages.empty()) {
    const size_t count = std::min(step_, total - position_);
    size_t bytes = 0;
    bool too_much = false;
    USHER_RETURN_IF_ERROR(Read(count, messages, bytes, too_much));
    if (too_much) {
      step_ = std::max<size_t>(1, count / 8);
      continue;
    }
    position_ += count;
    step_ = std::clamp(bytes == 0 ? kMaxStep : count * kChunkBytes / bytes,
                       size_t{1}, kMaxStep);
  }
  return absl::OkStatus();
}

absl::Status SearchReader::Read(size_t count,
                                std::vector<std::string>& messages,
                                size_t& bytes, bool& too_much) {
  std::string updates;
  int64_t read = 0;
  const auto sink = [&](absl::string_view wire) -> absl::Status {
    AppendTag(v1::SearchResponse::Chunk::kUpdatesFieldNumber, wire.size(),
              updates);
    updates.append(wire.data(), wire.size());
    bytes += wire.size();
    ++read;
    if (bytes > kMaxStepBytes && count > 1) {
      too_much = true;
      return absl::CancelledError("too much for one step");
    }
    if (updates.size() >= kChunkBytes) {
      messages.push_back(WrapChunk(updates));
      updates.clear();
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<int64_t> left_out = core_.catalog().Stream(
      absl::MakeConstSpan(job_->rows()).subspan(position_, count),
      job_->locale(), sink);
  if (too_much) {
    messages.clear();
    return absl::OkStatus();
  }
  USHER_RETURN_IF_ERROR(left_out.status());
  if (!updates.empty()) messages.push_back(WrapChunk(updates));
  sent_ += read;
  return absl::OkStatus();
}

absl::Status SearchReader::Summary(v1::SearchResponse& response) {
  v1::Job state;
  job_->Read(state);
  v1::SearchResponse::Summary& summary = *response.mutable_summary();
  summary.set_result_code(state.result_code());
  summary.set_update_count(sent_);
  for (v1::UpdateException& warning : job_->warnings()) {
    *summary.add_warnings() = std::move(warning);
  }
  return absl::OkStatus();
}

}  // namespace usher::session
