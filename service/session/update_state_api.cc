#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/catalog/catalog.h"
#include "service/session/core.h"
#include "service/session/lookup.h"
#include "service/session/machine_api.h"
#include "service/session/update_keys.h"
#include "usher/v1/update_state.pb.h"

namespace usher::session {
namespace {

constexpr int kMaxKeys = 256;
// One update may have up to 3 MiB; with as much as this of others and of
// categories a message stays below 4 MiB.
constexpr size_t kBatchBytes = size_t{512} * 1024;

// What both setters begin with.
absl::StatusOr<std::shared_ptr<Session>> FindWritable(Core& core,
                                                      const Call& call,
                                                      const std::string& name) {
  USHER_RETURN_IF_ERROR(Authorize(call.caller, Right::kDecide, core.policy()));
  USHER_ASSIGN_OR_RETURN(std::shared_ptr<Session> session,
                         FindSession(core, call, name));
  USHER_RETURN_IF_ERROR(session->CheckWritable());
  return session;
}

}  // namespace

absl::Status BatchGetUpdates(Core& core, const Call& call,
                             const v1::BatchGetUpdatesRequest& request,
                             v1::BatchGetUpdatesResponse& response,
                             const CancellationToken& /*cancel*/) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.session()));
  if (request.keys_size() > kMaxKeys) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("at most ", kMaxKeys, " keys at a time"), "keys");
  }
  const std::string locale = session->user_locale();
  // All keys are looked up before anything is read: an unknown one fails the
  // call, whatever else fits into the answer.
  std::vector<catalog::UpdateKey> keys;
  std::vector<int64_t> rows;
  for (const v1::UpdateKey& wanted : request.keys()) {
    USHER_ASSIGN_OR_RETURN(keys.emplace_back(), ToUpdateKey(wanted, "keys"));
    USHER_ASSIGN_OR_RETURN(rows.emplace_back(),
                           core.catalog().Row(keys.back()));
  }
  size_t bytes = 0;
  size_t read = 0;
  for (; read < keys.size(); ++read) {
    USHER_ASSIGN_OR_RETURN(v1::Update update,
                           core.catalog().Get(keys[read], locale));
    const size_t more = update.ByteSizeLong();
    if (read > 0 && bytes + more > kBatchBytes) break;
    bytes += more;
    *response.add_updates() = std::move(update);
  }
  rows.resize(read);
  for (size_t i = read; i < keys.size(); ++i) {
    *response.add_unread_keys() = request.keys(static_cast<int>(i));
  }
  USHER_ASSIGN_OR_RETURN(std::vector<v1::Category> categories,
                         core.catalog().CategoriesOf(rows, locale));
  bytes = 0;
  for (v1::Category& category : categories) {
    bytes += category.ByteSizeLong();
    if (bytes > kBatchBytes) break;
    *response.add_categories() = std::move(category);
  }
  return absl::OkStatus();
}

absl::Status SetUpdateHidden(Core& core, const Call& call,
                             const v1::SetUpdateHiddenRequest& request,
                             v1::Update& response,
                             const CancellationToken& /*cancel*/) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindWritable(core, call, request.session()));
  USHER_ASSIGN_OR_RETURN(const catalog::UpdateKey key,
                         ToUpdateKey(request.key(), "key"));
  USHER_ASSIGN_OR_RETURN(response,
                         core.catalog().Get(key, session->user_locale()));
  // A mandatory update stays visible, and so does one with a deadline
  // (UAMG-121, 122).
  if (request.hidden() &&
      (response.is_mandatory() || response.has_deadline())) {
    return Error(hr::kWuEDsDeclinenotallowed,
                 "an update that is mandatory or has a deadline cannot be "
                 "hidden",
                 key.update_id);
  }
  USHER_RETURN_IF_ERROR(core.catalog().SetHidden(key, request.hidden()));
  USHER_ASSIGN_OR_RETURN(response,
                         core.catalog().Get(key, session->user_locale()));
  return absl::OkStatus();
}

absl::Status AcceptEula(Core& core, const Call& call,
                        const v1::AcceptEulaRequest& request,
                        v1::Update& response,
                        const CancellationToken& /*cancel*/) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindWritable(core, call, request.session()));
  USHER_ASSIGN_OR_RETURN(const catalog::UpdateKey key,
                         ToUpdateKey(request.key(), "key"));
  USHER_ASSIGN_OR_RETURN(response,
                         core.catalog().Get(key, session->user_locale()));
  if (response.eula_text().empty()) {  // UAMG-128
    return Error(hr::kWuEEulaUnavailable, "the update has no licence terms",
                 key.update_id);
  }
  USHER_RETURN_IF_ERROR(core.catalog().AcceptEula(key));
  USHER_ASSIGN_OR_RETURN(response,
                         core.catalog().Get(key, session->user_locale()));
  return absl::OkStatus();
}

}  // namespace usher::session
