#ifndef USHER_CLIENT_INTERNAL_SERIAL_QUEUE_H_
#define USHER_CLIENT_INTERNAL_SERIAL_QUEUE_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/time/time.h"

namespace usher::internal {

// One thread that runs tasks one after the other, in the order of their time.
// Thread-safe. Tasks must not throw.
class SerialQueue {
 public:
  SerialQueue();
  // Stops as Stop() does.
  ~SerialQueue();
  SerialQueue(const SerialQueue&) = delete;
  SerialQueue& operator=(const SerialQueue&) = delete;

  // Runs `task` after `delay`; drops it when stopped.
  void Post(std::function<void()> task,
            absl::Duration delay = absl::ZeroDuration());

  // Drops waiting tasks and waits for the running one, unless called by it.
  void Stop();

  // True on the queue's own thread.
  bool OnThread() const;

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
  std::thread::id id_;
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_SERIAL_QUEUE_H_
