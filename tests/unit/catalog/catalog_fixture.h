#ifndef USHER_TESTS_UNIT_CATALOG_CATALOG_FIXTURE_H_
#define USHER_TESTS_UNIT_CATALOG_CATALOG_FIXTURE_H_

// A catalog in a folder of its own, on a machine whose facts the test writes.

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "gtest/gtest.h"
#include "service/catalog/catalog.h"
#include "service/catalog/facts.h"
#include "service/store/database.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {

inline constexpr char kService[] = "11111111-0000-4000-8000-000000000001";
inline constexpr char kOtherService[] = "11111111-0000-4000-8000-000000000002";
inline constexpr char kBaseUrl[] = "https://example.org/repo";

// "00000000-0000-4000-8000-" and twelve digits.
std::string Id(int number);

// A catalog that Load accepts: header, then what is added.
class CatalogFileBuilder {
 public:
  using Description = repository::v1::UpdateDescription;

  explicit CatalogFileBuilder(std::string service_id = kService);

  v1::Category& Category(int id, const std::string& type, int parent = 0);
  // An archive update called "name{id}", revision 1, with one payload.
  Description& Update(int id, int revision = 1);
  // A bundle of revisions 1 of `children`.
  Description& Bundle(int id, const std::vector<int>& children);

  repository::v1::CatalogHeader& header() { return header_; }

  // The uncompressed stream.
  std::string Stream() const;

 private:
  repository::v1::CatalogHeader header_;
  std::vector<std::unique_ptr<v1::Category>> categories_;
  std::vector<std::unique_ptr<Description>> updates_;
};

// A length-delimited record, and a zstd frame.
std::string Delimited(const repository::v1::CatalogRecord& record);
std::string Compressed(absl::string_view bytes, int level = 3,
                       int window_log = 0);

class CatalogFixture : public ::testing::Test {
 protected:
  CatalogFixture();
  ~CatalogFixture() override;

  // Opens (again) what lies in the folder.
  void Open();

  CatalogFile Write(const std::string& target_name,
                    const std::string& compressed);
  CatalogFile Write(const std::string& target_name,
                    const CatalogFileBuilder& builder);
  absl::StatusOr<LoadSummary> Load(const std::vector<CatalogFile>& files);
  // Loads one file, which must succeed.
  LoadSummary Load(const CatalogFileBuilder& builder);

  // The names of the updates found, in order.
  std::vector<std::string> Search(
      const std::string& criteria,
      const std::function<void(Query&)>& adjust = [](Query&) {});
  absl::StatusOr<SearchResult> SearchRows(
      const std::string& criteria,
      const std::function<void(Query&)>& adjust = [](Query&) {});
  std::vector<v1::Update> Updates(const std::vector<int64_t>& rows,
                                  const std::string& locale = "");

  UpdateKey Key(int id, int revision = 1) const {
    return {kService, Id(id), revision};
  }

  // Replaces dpkg's list; "name version" each.
  void InstallPackages(const std::vector<std::string>& packages);

  std::filesystem::path folder_;
  FactsOptions facts_options_;
  std::shared_ptr<Facts> facts_;
  std::set<Sha256Digest> cached_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<Catalog> catalog_;

 private:
  int packages_written_ = 0;
};

}  // namespace usher::catalog

#endif  // USHER_TESTS_UNIT_CATALOG_CATALOG_FIXTURE_H_
