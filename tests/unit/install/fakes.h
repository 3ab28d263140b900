#ifndef USHER_TESTS_UNIT_INSTALL_FAKES_H_
#define USHER_TESTS_UNIT_INSTALL_FAKES_H_

// A catalog and a content cache without a repository behind them.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/sha256.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/download/content_pins.h"
#include "usher/repository/v1/catalog.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::install::test {

// Content in memory. Thread-safe as far as the engine needs it: filled before
// the engine starts.
class FakeCache : public download::ContentCache {
 public:
  // Adds content; returns its digest as bytes.
  std::string Add(const std::string& content);

  bool Contains(const Sha256Digest& digest) const override;
  absl::StatusOr<std::unique_ptr<download::CachedFile>> Open(
      const Sha256Digest& digest) override;
  std::filesystem::path PartialPath(const Sha256Digest& digest) override;
  absl::Status Commit(const Sha256Digest& digest, int64_t size) override;
  absl::Status Remove(const Sha256Digest& digest) override;
  download::ContentPin Pin(const Sha256Digest& digest) override {
    return pins_->Pin(digest);
  }
  bool IsPinned(const std::string& content) const {
    return pins_->IsPinned(Sha256Of(content));
  }
  int64_t MaxBytes() const override { return 0; }
  int64_t TotalBytes() const override;

 private:
  const std::shared_ptr<download::ContentPins> pins_ =
      std::make_shared<download::ContentPins>();
  std::map<Sha256Digest, std::string> content_;
};

// Updates given by tests; receipts kept in a file, as the real one keeps them
// in the database. is_installed: a constant or a file rule decides, else the
// receipt, which names the last revision.
class FakeCatalog : public catalog::Catalog {
 public:
  explicit FakeCatalog(std::filesystem::path receipts)
      : receipts_(std::move(receipts)) {}

  void Add(const repository::v1::UpdateDescription& description);
  void Forget(const catalog::UpdateKey& key) { updates_.erase(key); }
  void DeclineEula(const catalog::UpdateKey& key) {
    declined_.insert(key.update_id);
  }
  bool HasReceipt(const catalog::UpdateKey& key);
  // Makes RecordInstalled and RecordUninstalled fail.
  void FailRecords(bool fail) { fail_records_ = fail; }

  absl::StatusOr<catalog::LoadSummary> Load(
      absl::string_view service_id, absl::string_view base_url,
      absl::Span<const catalog::CatalogFile> files,
      const CancellationToken& cancel) override;
  absl::Status Remove(absl::string_view service_id) override;
  absl::Status CheckCriteria(absl::string_view criteria) override;
  absl::StatusOr<catalog::SearchResult> Search(
      const catalog::Query& query, const CancellationToken& cancel) override;
  absl::StatusOr<int64_t> Stream(
      absl::Span<const int64_t> rows, absl::string_view locale,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override;
  absl::StatusOr<std::vector<v1::Category>> CategoriesOf(
      absl::Span<const int64_t> rows, absl::string_view locale) override;
  absl::StatusOr<v1::Update> Get(const catalog::UpdateKey& key,
                                 absl::string_view locale) override;
  absl::StatusOr<int64_t> Row(const catalog::UpdateKey& key) override;
  absl::StatusOr<repository::v1::UpdateDescription> Describe(
      const catalog::UpdateKey& key) override;
  absl::StatusOr<Applicability> Evaluate(
      const catalog::UpdateKey& key) override;
  absl::Status SetHidden(const catalog::UpdateKey& key, bool hidden) override;
  absl::Status AcceptEula(const catalog::UpdateKey& key) override;
  absl::Status RecordInstalled(const catalog::UpdateKey& key,
                               bool reboot_required) override;
  absl::Status RecordUninstalled(const catalog::UpdateKey& key,
                                 bool reboot_required) override;
  absl::StatusOr<int64_t> UpdateCount(absl::string_view service_id) override;
  absl::StatusOr<std::vector<std::string>> LoadedServices() override;

 private:
  std::set<std::string> ReadReceipts();
  // The revision that the receipt for the update names, or 0.
  int32_t ReceiptOf(const catalog::UpdateKey& key);
  // Replaces the update's receipt; by none if `installed` is false.
  absl::Status WriteReceipt(const catalog::UpdateKey& key, bool installed);
  absl::Status WriteReceipts(const std::set<std::string>& receipts);

  std::filesystem::path receipts_;
  absl::flat_hash_map<catalog::UpdateKey, repository::v1::UpdateDescription>
      updates_;
  std::set<std::string> declined_;
  bool fail_records_ = false;
  absl::Mutex mutex_;
};

}  // namespace usher::install::test

#endif  // USHER_TESTS_UNIT_INSTALL_FAKES_H_
