#ifndef USHER_CLIENT_INTERNAL_JOB_WATCH_H_
#define USHER_CLIENT_INTERNAL_JOB_WATCH_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>

#include "client/internal/job_data.h"
#include "client/internal/stream_set.h"
#include "usher/v1/job.pb.h"

namespace usher::internal {

// One WatchJob stream that tells a JobData what comes. It keeps itself alive
// until gRPC is done with it, and ends when nobody has the job any more.
class JobWatch : public grpc::ClientReadReactor<v1::JobEvent>, public Stream {
 public:
  static void Start(const std::shared_ptr<JobData>& job, LinkPtr link);

  void Cancel() override { context_.TryCancel(); }
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  JobWatch(const std::shared_ptr<JobData>& job, LinkPtr link)
      : job_(job), streams_(job->core()->streams()), link_(std::move(link)) {}

  const std::weak_ptr<JobData> job_;
  const std::shared_ptr<StreamSet> streams_;
  const LinkPtr link_;
  std::shared_ptr<JobWatch> self_;
  grpc::ClientContext context_;
  v1::WatchJobRequest request_;
  v1::JobEvent event_;
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_JOB_WATCH_H_
