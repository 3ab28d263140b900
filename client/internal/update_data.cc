#include "client/internal/update_data.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/internal/request_id.h"
#include "common/error.h"

namespace usher::internal {
namespace {

constexpr size_t kMaxKeysPerCall = 256;

}  // namespace

void CategoryForest::Fill(
    const google::protobuf::RepeatedPtrField<v1::Category>& categories) {
  absl::MutexLock lock(&mutex_);
  for (const v1::Category& category : categories) {
    if (index_.emplace(category.category_id(), categories_.size()).second) {
      categories_.push_back(category);
    }
  }
  std::map<std::string, size_t>& index = index_;
  // A chain of parents that comes back to itself, or names what is not there,
  // would hide its categories from every root: cut it.
  for (v1::Category& category : categories_) {
    std::set<std::string> seen = {category.category_id()};
    const v1::Category* at = &category;
    while (!at->parent_category_id().empty()) {
      const auto parent = index.find(at->parent_category_id());
      if (parent == index.end() ||
          !seen.insert(at->parent_category_id()).second) {
        category.clear_parent_category_id();
        break;
      }
      at = &categories_[parent->second];
    }
  }
}

void CategoryForest::AddUpdate(const std::shared_ptr<UpdateData>& update) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& id : update->proto().category_ids()) {
    updates_[id].push_back(update);
  }
}

v1::Category CategoryForest::category(size_t index) const {
  absl::MutexLock lock(&mutex_);
  return categories_[index];
}

std::vector<size_t> CategoryForest::Roots() const {
  absl::MutexLock lock(&mutex_);
  std::vector<size_t> roots;
  for (size_t i = 0; i < categories_.size(); ++i) {
    if (categories_[i].parent_category_id().empty()) roots.push_back(i);
  }
  const std::vector<v1::Category>& all = categories_;
  std::stable_sort(roots.begin(), roots.end(), [&all](size_t a, size_t b) {
    return all[a].order() < all[b].order();
  });
  return roots;
}

std::vector<size_t> CategoryForest::ChildrenOf(size_t index) const {
  absl::MutexLock lock(&mutex_);
  const std::vector<v1::Category>& all = categories_;
  std::vector<size_t> children;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].parent_category_id() == all[index].category_id()) {
      children.push_back(i);
    }
  }
  std::stable_sort(
      children.begin(), children.end(),
      [&all](size_t a, size_t b) { return all[a].order() < all[b].order(); });
  return children;
}

int CategoryForest::ParentOf(size_t index) const {
  absl::MutexLock lock(&mutex_);
  const auto parent = index_.find(categories_[index].parent_category_id());
  return parent == index_.end() ? -1 : static_cast<int>(parent->second);
}

std::vector<size_t> CategoryForest::Find(
    const google::protobuf::RepeatedPtrField<std::string>& ids) const {
  absl::MutexLock lock(&mutex_);
  std::vector<size_t> found;
  for (const std::string& id : ids) {
    const auto it = index_.find(id);
    if (it != index_.end()) found.push_back(it->second);
  }
  return found;
}

std::vector<std::shared_ptr<UpdateData>> CategoryForest::UpdatesOf(
    size_t index) const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<UpdateData>> alive;
  const auto it = updates_.find(categories_[index].category_id());
  if (it == updates_.end()) return alive;
  for (const std::weak_ptr<UpdateData>& update : it->second) {
    if (std::shared_ptr<UpdateData> data = update.lock()) {
      alive.push_back(std::move(data));
    }
  }
  return alive;
}

UpdateData::UpdateData(std::shared_ptr<SessionCore> core, v1::Update update,
                       std::shared_ptr<CategoryForest> forest)
    : core_(std::move(core)),
      proto_(std::move(update)),
      forest_(std::move(forest)) {
  state_.is_installed = proto_.is_installed();
  state_.is_present = proto_.is_present();
  SetState(proto_);
}

UpdateState UpdateData::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void UpdateData::SetState(const v1::Update& update) {
  absl::MutexLock lock(&mutex_);
  state_.eula_accepted = update.eula_accepted();
  state_.is_downloaded = update.is_downloaded();
  state_.is_hidden = update.is_hidden();
  state_.reboot_required = update.reboot_required();
}

absl::StatusOr<v1::BatchGetUpdatesResponse> GetUpdates(
    SessionCore& core, const std::vector<v1::UpdateKey>& keys) {
  v1::BatchGetUpdatesResponse all;
  const CallRules rules{.request_id = NewRequestId()};
  // The service answers with as many of them as fit into a message.
  for (size_t begin = 0; begin < keys.size();) {
    const size_t end = std::min(keys.size(), begin + kMaxKeysPerCall);
    USHER_ASSIGN_OR_RETURN(
        v1::BatchGetUpdatesResponse part,
        core.Call<v1::BatchGetUpdatesResponse>(
            rules, [&](const Link& link, grpc::ClientContext* context,
                       v1::BatchGetUpdatesResponse* response) {
              v1::BatchGetUpdatesRequest request;
              request.set_session(link.session);
              for (size_t i = begin; i < end; ++i) {
                *request.add_keys() = keys[i];
              }
              return link.states->BatchGetUpdates(context, request, response);
            }));
    if (part.updates().empty() ||
        part.updates_size() + part.unread_keys_size() !=
            static_cast<int>(end - begin)) {
      return Error(hr::kWuEUnexpected,
                   absl::StrCat("the service answered ", part.updates_size(),
                                " updates for ", end - begin, " keys"));
    }
    begin += part.updates_size();
    part.clear_unread_keys();
    all.MergeFrom(part);
  }
  return all;
}

absl::StatusOr<UpdateCollection> ReadUpdates(
    const std::shared_ptr<SessionCore>& core,
    const std::vector<v1::UpdateKey>& keys, bool read_only) {
  USHER_ASSIGN_OR_RETURN(v1::BatchGetUpdatesResponse response,
                         GetUpdates(*core, keys));
  const auto forest = std::make_shared<CategoryForest>();
  forest->Fill(response.categories());
  std::vector<Update> updates;
  for (v1::Update& update : *response.mutable_updates()) {
    auto data = std::make_shared<UpdateData>(core, std::move(update), forest);
    forest->AddUpdate(data);
    updates.emplace_back(std::move(data));
  }
  return UpdateCollection(std::move(updates), read_only);
}

absl::StatusOr<std::vector<v1::UpdateKey>> KeysOf(
    const UpdateCollection& updates) {
  std::vector<v1::UpdateKey> keys;
  for (const Update& update : updates) {
    if (!update) {
      return Error(hr::kEPointer, "the collection holds an empty handle",
                   "updates");
    }
    keys.push_back(update.internal_data()->proto().identity());
  }
  return keys;
}

UpdateCollection ReadOnlyCopy(const UpdateCollection& updates) {
  return UpdateCollection(std::vector<Update>(updates.begin(), updates.end()),
                          /*read_only=*/true);
}

}  // namespace usher::internal
