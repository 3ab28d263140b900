#ifndef USHER_CLIENT_INTERNAL_UPDATE_DATA_H_
#define USHER_CLIENT_INTERNAL_UPDATE_DATA_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/internal/session_core.h"
#include "usher/update.h"
#include "usher/v1/update.pb.h"
#include "usher/v1/update_state.pb.h"

namespace usher::internal {

// The categories of one search. Thread-safe; empty until filled.
class CategoryForest {
 public:
  // Takes the categories; parents may come after children. Call once.
  void Fill(const google::protobuf::RepeatedPtrField<v1::Category>& categories);
  // Lets Category::Updates find the update while it exists.
  void AddUpdate(const std::shared_ptr<UpdateData>& update);

  v1::Category category(size_t index) const;
  std::vector<size_t> Roots() const;
  std::vector<size_t> ChildrenOf(size_t index) const;
  // -1 for a root.
  int ParentOf(size_t index) const;
  // Indices of those ids that are known.
  std::vector<size_t> Find(
      const google::protobuf::RepeatedPtrField<std::string>& ids) const;
  std::vector<std::shared_ptr<UpdateData>> UpdatesOf(size_t index) const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<v1::Category> categories_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::weak_ptr<UpdateData>>> updates_
      ABSL_GUARDED_BY(mutex_);
};

// What is behind an Update. Thread-safe.
class UpdateData {
 public:
  UpdateData(std::shared_ptr<SessionCore> core, v1::Update update,
             std::shared_ptr<CategoryForest> forest);

  const std::shared_ptr<SessionCore>& core() const { return core_; }
  const v1::Update& proto() const { return proto_; }
  const std::shared_ptr<CategoryForest>& forest() const { return forest_; }
  UpdateState state() const;
  // Takes over the state fields of `update`; IsInstalled and IsPresent stay
  // (UAMG-119).
  void SetState(const v1::Update& update);

 private:
  const std::shared_ptr<SessionCore> core_;
  const v1::Update proto_;
  const std::shared_ptr<CategoryForest> forest_;
  mutable absl::Mutex mutex_;
  UpdateState state_ ABSL_GUARDED_BY(mutex_);
};

// BatchGetUpdates, in as many calls as its limit of 256 keys needs.
absl::StatusOr<v1::BatchGetUpdatesResponse> GetUpdates(
    SessionCore& core, const std::vector<v1::UpdateKey>& keys);

// Handles for updates read by GetUpdates.
absl::StatusOr<UpdateCollection> ReadUpdates(
    const std::shared_ptr<SessionCore>& core,
    const std::vector<v1::UpdateKey>& keys, bool read_only);

// The keys of a collection; E_POINTER for an empty handle in it.
absl::StatusOr<std::vector<v1::UpdateKey>> KeysOf(
    const UpdateCollection& updates);

// The same updates, read-only.
UpdateCollection ReadOnlyCopy(const UpdateCollection& updates);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_UPDATE_DATA_H_
