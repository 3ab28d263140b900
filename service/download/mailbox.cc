#include "service/download/mailbox.h"

#include <curl/curl.h>

#include <utility>

namespace usher::download {

void Mailbox::Post(std::function<void()> letter) {
  absl::MutexLock lock(&mutex_);
  if (multi_ == nullptr) return;
  letters_.push_back(std::move(letter));
  // One wake-up is enough for all that wait.
  if (letters_.size() == 1) curl_multi_wakeup(multi_);
}

std::vector<std::function<void()>> Mailbox::Take() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(letters_, {});
}

void Mailbox::Close() {
  std::vector<std::function<void()>> dropped;
  absl::MutexLock lock(&mutex_);
  multi_ = nullptr;
  dropped.swap(letters_);
}

}  // namespace usher::download
