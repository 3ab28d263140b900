#include "tests/unit/install/fakes.h"

#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"

namespace usher::install::test {
namespace {

absl::Status NotFaked() {
  return Error(hr::kENotimpl, "the fake has no such thing");
}

std::string Prefix(const catalog::UpdateKey& key) {
  return absl::StrCat(key.service_id, "/", key.update_id, "/");
}

std::string Name(const catalog::UpdateKey& key) {
  return absl::StrCat(Prefix(key), key.revision);
}

class FakeFile : public download::CachedFile {
 public:
  explicit FakeFile(std::string content) : content_(std::move(content)) {}
  int64_t size() const override {
    return static_cast<int64_t>(content_.size());
  }
  absl::Status CopyTo(const std::filesystem::path& destination) override {
    return WriteFileAtomically(destination, content_);
  }

 private:
  std::string content_;
};

}  // namespace

std::string FakeCache::Add(const std::string& content) {
  const Sha256Digest digest = Sha256Of(content);
  content_[digest] = content;
  return std::string(digest.begin(), digest.end());
}

bool FakeCache::Contains(const Sha256Digest& digest) const {
  return content_.count(digest) != 0;
}

absl::StatusOr<std::unique_ptr<download::CachedFile>> FakeCache::Open(
    const Sha256Digest& digest) {
  const auto found = content_.find(digest);
  if (found == content_.end()) {
    return Error(hr::kWuEDmNotdownloaded, "not in the cache", ToHex(digest));
  }
  return std::make_unique<FakeFile>(found->second);
}

std::filesystem::path FakeCache::PartialPath(const Sha256Digest& /*digest*/) {
  return {};
}
absl::Status FakeCache::Commit(const Sha256Digest& /*digest*/,
                               int64_t /*size*/) {
  return NotFaked();
}
absl::Status FakeCache::Remove(const Sha256Digest& digest) {
  content_.erase(digest);
  return absl::OkStatus();
}
int64_t FakeCache::TotalBytes() const { return 0; }

void FakeCatalog::Add(const repository::v1::UpdateDescription& description) {
  const auto& identity = description.update().identity();
  updates_[{identity.service_id(), identity.update_id(),
            identity.revision_number()}] = description;
}

std::set<std::string> FakeCatalog::ReadReceipts() {
  const auto text = ReadFile(receipts_, 1 << 20);
  if (!text.ok()) return {};
  return absl::StrSplit(*text, '\n', absl::SkipEmpty());
}

absl::Status FakeCatalog::WriteReceipts(const std::set<std::string>& receipts) {
  if (fail_records_) return Error(hr::kErrorDiskFull, "the disk is full");
  return WriteFileAtomically(receipts_, absl::StrJoin(receipts, "\n"));
}

int32_t FakeCatalog::ReceiptOf(const catalog::UpdateKey& key) {
  const absl::MutexLock lock(&mutex_);
  int32_t revision = 0;
  for (const std::string& receipt : ReadReceipts()) {
    absl::string_view rest = receipt;
    if (absl::ConsumePrefix(&rest, Prefix(key))) {
      EXPECT_TRUE(absl::SimpleAtoi(rest, &revision)) << receipt;
    }
  }
  return revision;
}

absl::Status FakeCatalog::WriteReceipt(const catalog::UpdateKey& key,
                                       bool installed) {
  const absl::MutexLock lock(&mutex_);
  std::set<std::string> receipts = ReadReceipts();
  std::erase_if(receipts, [&key](const std::string& receipt) {
    return absl::StartsWith(receipt, Prefix(key));
  });
  if (installed) receipts.insert(Name(key));
  return WriteReceipts(receipts);
}

bool FakeCatalog::HasReceipt(const catalog::UpdateKey& key) {
  const absl::MutexLock lock(&mutex_);
  return ReadReceipts().count(Name(key)) != 0;
}

absl::StatusOr<catalog::LoadSummary> FakeCatalog::Load(
    absl::string_view /*service_id*/, absl::string_view /*base_url*/,
    absl::Span<const catalog::CatalogFile> /*files*/,
    const CancellationToken& /*cancel*/) {
  return NotFaked();
}
absl::Status FakeCatalog::Remove(absl::string_view /*service_id*/) {
  return NotFaked();
}
absl::Status FakeCatalog::CheckCriteria(absl::string_view /*criteria*/) {
  return NotFaked();
}
absl::StatusOr<catalog::SearchResult> FakeCatalog::Search(
    const catalog::Query& /*query*/, const CancellationToken& /*cancel*/) {
  return NotFaked();
}
absl::StatusOr<int64_t> FakeCatalog::Stream(
    absl::Span<const int64_t> /*rows*/, absl::string_view /*locale*/,
    absl::FunctionRef<absl::Status(absl::string_view)> /*sink*/) {
  return NotFaked();
}

absl::StatusOr<std::vector<v1::Category>> FakeCatalog::CategoriesOf(
    absl::Span<const int64_t> rows, absl::string_view /*locale*/) {
  std::vector<v1::Category> categories(rows.size());
  for (v1::Category& category : categories) category.set_name("Tests");
  return categories;
}

absl::StatusOr<int64_t> FakeCatalog::Row(const catalog::UpdateKey& key) {
  return updates_.contains(key) ? absl::StatusOr<int64_t>(1) : NotFaked();
}

absl::StatusOr<repository::v1::UpdateDescription> FakeCatalog::Describe(
    const catalog::UpdateKey& key) {
  const auto found = updates_.find(key);
  if (found != updates_.end()) return found->second;
  return Error(hr::kWuEDsNodataNosuchrevision, "no such update", key.update_id);
}

absl::StatusOr<v1::Update> FakeCatalog::Get(const catalog::UpdateKey& key,
                                            absl::string_view /*locale*/) {
  USHER_ASSIGN_OR_RETURN(const auto description, Describe(key));
  v1::Update update = description.update();
  update.set_eula_accepted(declined_.count(key.update_id) == 0);
  return update;
}

absl::StatusOr<catalog::Catalog::Applicability> FakeCatalog::Evaluate(
    const catalog::UpdateKey& key) {
  USHER_ASSIGN_OR_RETURN(const auto description, Describe(key));
  Applicability state;
  state.receipt = ReceiptOf(key);
  const auto& rule = description.is_installed();
  switch (rule.kind_case()) {
    case repository::v1::Rule::kConstant:
      state.is_installed = rule.constant();
      break;
    case repository::v1::Rule::kFile:
      state.is_installed = std::filesystem::exists(rule.file().path());
      break;
    default:
      state.is_installed = state.receipt >= key.revision;
      state.is_present = state.receipt > 0;
  }
  state.is_present |= state.is_installed;
  state.is_installable = !description.has_is_installable() ||
                         description.is_installable().constant();
  return state;
}

absl::Status FakeCatalog::SetHidden(const catalog::UpdateKey& /*key*/,
                                    bool /*hidden*/) {
  return NotFaked();
}
absl::Status FakeCatalog::AcceptEula(const catalog::UpdateKey& key) {
  declined_.erase(key.update_id);
  return absl::OkStatus();
}

absl::Status FakeCatalog::RecordInstalled(const catalog::UpdateKey& key,
                                          bool /*reboot_required*/) {
  return WriteReceipt(key, true);
}

absl::Status FakeCatalog::RecordUninstalled(const catalog::UpdateKey& key,
                                            bool /*reboot_required*/) {
  return WriteReceipt(key, false);
}

absl::StatusOr<int64_t> FakeCatalog::UpdateCount(
    absl::string_view /*service_id*/) {
  return static_cast<int64_t>(updates_.size());
}

absl::StatusOr<std::vector<std::string>> FakeCatalog::LoadedServices() {
  return std::vector<std::string>();
}

}  // namespace usher::install::test
