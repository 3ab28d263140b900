#include "service/download/transfer.h"

#include <algorithm>

namespace usher::download {

bool SameSource(const FileRequest& a, const FileRequest& b) {
  return a.url == b.url && a.size == b.size &&
         a.proxy.auto_detect == b.proxy.auto_detect &&
         a.proxy.address == b.proxy.address &&
         a.proxy.bypass_list == b.proxy.bypass_list &&
         a.proxy.bypass_on_local == b.proxy.bypass_on_local &&
         a.proxy.user_name == b.proxy.user_name &&
         a.proxy.password == b.proxy.password;
}

void Deliver(Waiter& waiter, const absl::Status& status) {
  waiter.cancel.Forget(waiter.cancel_id);
  waiter.observer->OnDone(status);
}

int Transfer::Priority() const {
  int priority = 0;
  for (const std::shared_ptr<Waiter>& waiter : waiters) {
    priority = std::max(priority, waiter->request.priority);
  }
  return priority;
}

}  // namespace usher::download
