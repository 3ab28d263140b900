#ifndef USHER_SERVICE_DOWNLOAD_TRANSFER_H_
#define USHER_SERVICE_DOWNLOAD_TRANSFER_H_

// What the engine knows about one file under way. Engine's thread only.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/sha256.h"
#include "service/download/download_engine.h"
#include "service/download/http_transfer.h"
#include "service/download/transfer_job.h"

namespace usher::download {

// One call of Fetch.
struct Waiter {
  FileRequest request;
  std::shared_ptr<FileObserver> observer;
  CancellationToken cancel;
  uint64_t cancel_id = 0;
  std::string host;  // "" for a file: URL
};

// Whether both fetch the same bytes in the same way, so that a fault of the
// one's source is one of the other's.
bool SameSource(const FileRequest& a, const FileRequest& b);

// Tells a waiter its end.
void Deliver(Waiter& waiter, const absl::Status& status);

struct Transfer {
  enum class State {
    kWaiting,    // for its turn, or for the end of a pause
    kPreparing,  // the job looks at what is there
    kReceiving,  // `http` is in the multi handle
    kFinishing,  // the job copies, verifies, commits
    kClosing,    // the job ends
  };

  uint64_t id = 0;
  Sha256Digest digest{};
  State state = State::kWaiting;
  std::vector<std::shared_ptr<Waiter>> waiters;
  // Those who will be told `failure` when the job has ended.
  std::vector<std::shared_ptr<Waiter>> failed;
  absl::Status failure;
  // The waiter whose URL and proxy are in use; it may have left.
  std::shared_ptr<Waiter> source;
  std::shared_ptr<TransferJob> job;
  std::unique_ptr<HttpTransfer> http;
  absl::Time not_before = absl::InfinitePast();
  // Attempts that failed in a row, each without much progress.
  int failures = 0;
  int64_t start = 0;     // where in the file this attempt begins
  int64_t received = 0;  // bytes, in this attempt
  // How much of the file the best attempt had when progress last counted.
  int64_t furthest = 0;
  // Bytes from an earlier attempt are part of the file.
  bool resumed = false;
  bool restarted = false;
  int64_t reported = 0;
  absl::Time report_after = absl::InfinitePast();

  int Priority() const;
  bool Busy() const {
    return state != State::kWaiting && state != State::kClosing;
  }
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_TRANSFER_H_
