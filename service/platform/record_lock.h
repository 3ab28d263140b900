#ifndef USHER_SERVICE_PLATFORM_RECORD_LOCK_H_
#define USHER_SERVICE_PLATFORM_RECORD_LOCK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cancellation.h"

namespace usher::platform {

// An exclusive record lock on a whole file, of the kind that dpkg and apt take
// on their lock files. Held until destroyed or the process ends; not inherited
// by programs that RunProcess starts. There is no dpkg on Windows, and no twin
// of record_lock_posix.cc.
class RecordLock {
 public:
  // Waits at most `timeout` for the lock; the file is made if it is missing.
  // Errors: WU_E_OPERATIONINPROGRESS when the time is up, WU_E_CALL_CANCELLED.
  static absl::StatusOr<RecordLock> Acquire(const std::filesystem::path& path,
                                            absl::Duration timeout,
                                            const CancellationToken& cancel);
  RecordLock(RecordLock&& other) noexcept;
  RecordLock& operator=(RecordLock&& other) noexcept;
  ~RecordLock();

 private:
  explicit RecordLock(intptr_t handle) : handle_(handle) {}
  intptr_t handle_ = -1;
};

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_RECORD_LOCK_H_
