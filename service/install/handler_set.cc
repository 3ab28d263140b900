#include "service/install/handler_set.h"

#include <utility>

#include "common/error.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {

void HandlerSet::Add(int kind, std::unique_ptr<Handler> handler) {
  handlers_[kind] = std::move(handler);
}

absl::StatusOr<Handler*> HandlerSet::Find(
    const repository::v1::UpdateDescription& description) const {
  const auto found = handlers_.find(description.handler().kind_case());
  if (found != handlers_.end()) return found->second.get();
  return Error(hr::kWuEUhUnknownhandler,
               "this machine has no handler for this kind of update",
               description.update().identity().update_id());
}

}  // namespace usher::install
