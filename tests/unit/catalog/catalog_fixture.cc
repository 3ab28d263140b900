#include "tests/unit/catalog/catalog_fixture.h"

#include <zstd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/file_io.h"
#include "common/uuid.h"

namespace usher::catalog {

std::string Id(int number) {
  return absl::StrFormat("00000000-0000-4000-8000-%012d", number);
}

std::string Delimited(const repository::v1::CatalogRecord& record) {
  const std::string bytes = record.SerializeAsString();
  std::string result;
  for (size_t length = bytes.size();; length >>= 7) {
    if (length < 0x80) {
      result.push_back(static_cast<char>(length));
      break;
    }
    result.push_back(static_cast<char>(length | 0x80));
  }
  return result + bytes;
}

std::string Compressed(absl::string_view bytes, int level, int window_log) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  }
  // Without the size in the frame, as a streaming writer has it.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress2(context, out.data(), out.size(),
                                     bytes.data(), bytes.size());
  ZSTD_freeCCtx(context);
  EXPECT_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}

CatalogFileBuilder::CatalogFileBuilder(std::string service_id) {
  header_.set_format_version(1);
  header_.set_service_id(std::move(service_id));
  header_.set_service_name("Test service");
}

v1::Category& CatalogFileBuilder::Category(int id, const std::string& type,
                                           int parent) {
  v1::Category& category =
      *categories_.emplace_back(std::make_unique<v1::Category>());
  category.set_category_id(Id(id));
  category.set_name(absl::StrCat("category", id));
  category.set_type(type);
  if (parent != 0) category.set_parent_category_id(Id(parent));
  return category;
}

CatalogFileBuilder::Description& CatalogFileBuilder::Update(int id,
                                                            int revision) {
  header_.set_update_count(header_.update_count() + 1);
  Description& description =
      *updates_.emplace_back(std::make_unique<Description>());
  v1::Update& update = *description.mutable_update();
  update.mutable_identity()->set_update_id(Id(id));
  update.mutable_identity()->set_revision_number(revision);
  update.set_name(absl::StrCat("name", id));
  update.set_title(absl::StrCat("Title of ", id));
  update.set_type(v1::UPDATE_TYPE_SOFTWARE);
  update.set_deployment_action(v1::DEPLOYMENT_ACTION_INSTALLATION);
  repository::v1::Payload& payload = *description.add_payloads();
  payload.set_name("file.tar.gz");
  payload.set_size(1000 + id);
  payload.set_sha256(std::string(32, static_cast<char>(id)));
  payload.set_location(absl::StrCat("payloads/x/file+", id, ".tar.gz"));
  repository::v1::ArchiveHandler& handler =
      *description.mutable_handler()->mutable_archive();
  handler.set_product(update.name());
  handler.set_version("1.0");
  return description;
}

CatalogFileBuilder::Description& CatalogFileBuilder::Bundle(
    int id, const std::vector<int>& children) {
  Description& description = Update(id);
  description.clear_payloads();
  description.clear_handler();
  for (const int child : children) {
    v1::UpdateKey& key = *description.mutable_update()->add_bundled_updates();
    key.set_update_id(Id(child));
    key.set_revision_number(1);
  }
  return description;
}

std::string CatalogFileBuilder::Stream() const {
  repository::v1::CatalogRecord record;
  *record.mutable_header() = header_;
  std::string bytes = Delimited(record);
  for (const auto& category : categories_) {
    *record.mutable_category() = *category;
    bytes += Delimited(record);
  }
  for (const auto& update : updates_) {
    *record.mutable_update() = *update;
    bytes += Delimited(record);
  }
  return bytes;
}

CatalogFixture::CatalogFixture()
    : folder_(std::filesystem::temp_directory_path() /
              ("usher-catalog-" + RandomResourceId())) {
  EXPECT_TRUE(MakeDirectories(folder_).ok());
  facts_options_.dpkg_status = folder_ / "status";
  facts_options_.os_release = folder_ / "os-release";
  facts_options_.product_dir = folder_ / "products";
  EXPECT_TRUE(WriteFileAtomically(facts_options_.os_release,
                                  "ID=debian\nVERSION_ID=\"12\"\n")
                  .ok());
  Open();
}

CatalogFixture::~CatalogFixture() {
  catalog_.reset();
  database_.reset();
  EXPECT_TRUE(RemoveTree(folder_).ok());
}

void CatalogFixture::Open() {
  catalog_.reset();
  database_.reset();
  auto database =
      store::Database::Open(folder_ / "usher.db", store::DatabaseOptions());
  ASSERT_TRUE(database.ok()) << database.status();
  database_ = *std::move(database);
  facts_ = std::make_shared<Facts>(facts_options_);
  auto catalog = Catalog::Open(
      *database_, facts_,
      [this](const Sha256Digest& digest) { return cached_.contains(digest); });
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  catalog_ = *std::move(catalog);
}

CatalogFile CatalogFixture::Write(const std::string& target_name,
                                  const std::string& compressed) {
  CatalogFile file;
  file.target_name = target_name;
  file.path = folder_ / RandomResourceId();
  file.sha256 = Sha256Of(compressed);
  EXPECT_TRUE(WriteFileAtomically(file.path, compressed).ok());
  return file;
}

CatalogFile CatalogFixture::Write(const std::string& target_name,
                                  const CatalogFileBuilder& builder) {
  return Write(target_name, Compressed(builder.Stream()));
}

absl::StatusOr<LoadSummary> CatalogFixture::Load(
    const std::vector<CatalogFile>& files) {
  return catalog_->Load(kService, kBaseUrl, files, CancellationToken());
}

LoadSummary CatalogFixture::Load(const CatalogFileBuilder& builder) {
  auto summary = Load({Write("catalog/catalog.usc", builder)});
  EXPECT_TRUE(summary.ok()) << summary.status();
  return summary.ok() ? *summary : LoadSummary();
}

absl::StatusOr<SearchResult> CatalogFixture::SearchRows(
    const std::string& criteria, const std::function<void(Query&)>& adjust) {
  Query query;
  query.criteria = criteria;
  query.service_id = kService;
  adjust(query);
  return catalog_->Search(query, CancellationToken());
}

std::vector<v1::Update> CatalogFixture::Updates(
    const std::vector<int64_t>& rows, const std::string& locale) {
  std::vector<v1::Update> updates;
  const auto missing =
      catalog_->Stream(rows, locale, [&updates](absl::string_view wire) {
        EXPECT_TRUE(updates.emplace_back().ParseFromArray(
            wire.data(), static_cast<int>(wire.size())));
        return absl::OkStatus();
      });
  EXPECT_TRUE(missing.ok()) << missing.status();
  EXPECT_EQ(static_cast<size_t>(missing.value_or(0)) + updates.size(),
            rows.size());
  return updates;
}

std::vector<std::string> CatalogFixture::Search(
    const std::string& criteria, const std::function<void(Query&)>& adjust) {
  const auto result = SearchRows(criteria, adjust);
  EXPECT_TRUE(result.ok()) << result.status();
  std::vector<std::string> names;
  if (!result.ok()) return names;
  for (const v1::Update& update : Updates(result->rows)) {
    names.push_back(update.name());
  }
  return names;
}

void CatalogFixture::InstallPackages(const std::vector<std::string>& packages) {
  std::string text;
  for (const std::string& package : packages) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(package, ' ');
    absl::StrAppend(&text, "Package: ", parts.first,
                    "\nStatus: install ok installed\nArchitecture: amd64\n"
                    "Version: ",
                    parts.second, "\nDescription: x\n more\n\n");
  }
  // The stamp must change even within the clock's grain.
  absl::StrAppend(&text, std::string(++packages_written_, '\n'));
  ASSERT_TRUE(WriteFileAtomically(facts_options_.dpkg_status, text).ok());
}

}  // namespace usher::catalog
