#include "service/download/worker_pool.h"

#include <utility>

namespace usher::download {

WorkerPool::WorkerPool(int threads) {
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Run(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

void WorkerPool::Work() {
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &WorkerPool::HasWork));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void Strand::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
  if (!running_) Schedule();
}

void Strand::PostNext(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_front(std::move(task));
  if (!running_) Schedule();
}

void Strand::Schedule() {
  running_ = true;
  pool_.Run([self = shared_from_this()] { self->RunOne(); });
}

void Strand::RunOne() {
  std::function<void()> task;
  {
    absl::MutexLock lock(&mutex_);
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  // Whatever the task holds must be gone before the next one runs.
  task = nullptr;
  absl::MutexLock lock(&mutex_);
  running_ = false;
  if (!tasks_.empty()) Schedule();
}

}  // namespace usher::download
