#ifndef USHER_PUBLISHER_DRAFT_H_
#define USHER_PUBLISHER_DRAFT_H_

// What the next publication will contain: the updates and categories of a
// repository as their author last left them.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/category_set.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {

// One update, in its newest revision; a repository offers no older ones.
struct DraftEntry {
  std::string update_id;
  int32_t revision = 0;
  std::string name;
  std::string version;
  // Serialised UpdateDescription.
  std::string wire;
  bool is_bundle = false;

  repository::v1::UpdateDescription Parse() const;
};

// What Put() did.
enum class DraftChange { kAdded, kRevised, kUnchanged };

// Not thread-safe. Holds descriptions serialised: some 1 KB an update.
class Draft {
 public:
  CategorySet& categories() { return categories_; }
  const CategorySet& categories() const { return categories_; }

  // How Put() treats an update that is there with other content.
  enum class Revisions {
    // The description must have a greater revision:
    // WU_E_DS_DUPLICATEUPDATEID otherwise.
    kExplicit,
    // It gets the next revision.
    kAutomatic,
  };

  // Adds an update or replaces its older revision. An update without a
  // last_deployment_change_time gets `now`, which is no difference by itself.
  // WU_E_INVALID_UPDATE when the description is not right.
  absl::StatusOr<DraftChange> Put(repository::v1::UpdateDescription description,
                                  Revisions revisions, absl::Time now);

  // Replaces what is said of an update's deployment without a new revision:
  // machines that have it need not install it again. Its
  // last_deployment_change_time becomes `now`. The update must be there in this
  // very revision: WU_E_DS_NODATA_NOSUCHREVISION.
  absl::Status Redeploy(repository::v1::UpdateDescription description,
                        absl::Time now);

  // Removes an update. `revision` 0 means whatever it is; another one must be
  // the present one. WU_E_DS_NODATA_NOSUCHREVISION.
  absl::Status Remove(absl::string_view update_id, int32_t revision);

  // Null when there is none. The pointer is good until the next change.
  const DraftEntry* Find(absl::string_view update_id) const;
  // The update of that UpdateID ("ID" or "ID:REVISION"), or the only one of
  // that name. WU_E_DS_NODATA_NOSUCHREVISION; E_INVALIDARG lists those of one
  // name.
  absl::StatusOr<const DraftEntry*> FindOne(absl::string_view reference) const;
  // All updates of that name.
  std::vector<const DraftEntry*> Named(absl::string_view name) const;
  // All, in the order of publication: by name, version, id.
  std::vector<const DraftEntry*> Sorted() const;
  // The bundles, by id.
  std::vector<const DraftEntry*> Bundles() const;
  size_t size() const { return by_id_.size(); }

  // As one catalog file with all its categories, for storing it.
  absl::StatusOr<std::string> Encode(absl::string_view service_id,
                                     absl::string_view service_name,
                                     int level) const;
  static absl::StatusOr<Draft> Decode(absl::string_view file);

 private:
  // What clients, and the other updates of the draft, would refuse.
  absl::Status Check(
      const repository::v1::UpdateDescription& description) const;
  void Store(DraftEntry entry);

  CategorySet categories_;
  std::map<std::string, DraftEntry> by_id_;
  std::multimap<std::string, std::string> ids_by_name_;
};

// A catalog file of these updates. `level` is zstd's. A publication has the
// categories that they use, and the header's time is that of the newest update,
// so that the same content gives the same bytes. With `all_categories`, for a
// draft, it has those too that none of them uses, and no time.
absl::StatusOr<std::string> EncodeCatalog(
    const std::vector<const DraftEntry*>& entries,
    const CategorySet& categories, absl::string_view service_id,
    absl::string_view service_name, bool all_categories, int level);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_DRAFT_H_
