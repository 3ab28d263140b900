#ifndef USHER_SERVICE_SESSION_SEARCH_JOB_H_
#define USHER_SERVICE_SESSION_SEARCH_JOB_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "service/catalog/catalog.h"
#include "service/repository/repository.h"
#include "service/session/authority.h"
#include "service/session/job.h"

namespace usher::v1 {
class Category;
class SearchResponse;
class UpdateException;
}  // namespace usher::v1

namespace usher::session {

class Core;

// What a search was asked.
struct SearchPlan {
  catalog::Query query;  // service_id is resolved
  std::string locale;
  // Refresh the service first if it is due.
  bool online = true;
  repository::ProxySettings proxy;
  // Who asked: whose turn of the threads and whose share of kept rows it takes.
  Caller caller;
};

// One search. Its result is kept until the job is dropped.
class SearchJob : public Job {
 public:
  SearchJob(Core& core, const v1::Job& initial, std::string session_id,
            std::string id, SearchPlan plan);
  ~SearchJob() override;

  void Begin();

  // The result of a completed job; the error of a failed one.
  absl::Status status() const;
  // Empty until completed. Valid as long as the job.
  const std::vector<int64_t>& rows() const;
  std::vector<v1::UpdateException> warnings() const;
  const std::string& locale() const { return plan_.locale; }

 private:
  void Search();
  void Fail(const absl::Status& status);

  Core& core_;
  const SearchPlan plan_;

  mutable absl::Mutex result_mutex_;
  absl::Status status_ ABSL_GUARDED_BY(result_mutex_);
  // Set once, before the job completes.
  std::unique_ptr<const std::vector<int64_t>> rows_
      ABSL_GUARDED_BY(result_mutex_);
  std::vector<v1::UpdateException> warnings_ ABSL_GUARDED_BY(result_mutex_);
};

// Reads the result of a completed search piece by piece, as serialized
// usher.v1.SearchResponse messages. Not thread-safe.
class SearchReader {
 public:
  SearchReader(Core& core, std::shared_ptr<SearchJob> job);

  ~SearchReader();

  // Appends the messages of the next rows, and behind the last one those of
  // their categories, each of at most about 256 KiB unless a single update or
  // category is larger; none at the end. Blocks on the database.
  absl::Status Next(std::vector<std::string>& messages);
  // The last message.
  absl::Status Summary(v1::SearchResponse& response);

 private:
  absl::Status NextRows(std::vector<std::string>& messages);
  absl::Status NextCategories(std::vector<std::string>& messages);
  absl::Status Read(size_t count, std::vector<std::string>& messages,
                    size_t& bytes, bool& too_much);

  Core& core_;
  const std::shared_ptr<SearchJob> job_;
  size_t position_ = 0;
  size_t step_;
  int64_t sent_ = 0;
  // Read when the rows are through.
  std::optional<std::vector<v1::Category>> categories_;
  size_t next_category_ = 0;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SEARCH_JOB_H_
