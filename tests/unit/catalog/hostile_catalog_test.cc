#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "service/catalog/record_reader.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using Builder = CatalogFileBuilder;
using Description = CatalogFileBuilder::Description;

class HostileCatalogTest : public CatalogFixture {
 protected:
  HResult LoadBytes(const std::string& compressed) {
    return HResultOf(Load({Write("catalog/catalog.usc", compressed)}).status());
  }
  HResult LoadStream(const std::string& stream) {
    return LoadBytes(Compressed(stream));
  }
  // The code of loading one update that `spoil` changed.
  HResult LoadSpoilt(const std::function<void(Description&)>& spoil) {
    Builder builder;
    builder.Category(100, "Product", 101);
    builder.Category(101, "Company");
    spoil(builder.Update(1));
    return LoadStream(builder.Stream());
  }
};

TEST_F(HostileCatalogTest, Updates) {
  const std::vector<std::pair<std::string, std::function<void(Description&)>>>
      cases = {
          {"no id",
           [](Description& d) {
             d.mutable_update()->mutable_identity()->clear_update_id();
           }},
          {"id",
           [](Description& d) {
             d.mutable_update()->mutable_identity()->set_update_id("x");
           }},
          {"revision",
           [](Description& d) {
             d.mutable_update()->mutable_identity()->set_revision_number(0);
           }},
          {"title", [](Description& d) { d.mutable_update()->clear_title(); }},
          {"escape sequence in the title",
           [](Description& d) { d.mutable_update()->set_title("\x1b[2J"); }},
          {"line break in the name",
           [](Description& d) { d.mutable_update()->set_name("a\nb"); }},
          {"type", [](Description& d) { d.mutable_update()->clear_type(); }},
          {"action",
           [](Description& d) {
             d.mutable_update()->set_deployment_action(
                 static_cast<v1::DeploymentAction>(9));
           }},
          {"severity",
           [](Description& d) {
             d.mutable_update()->set_msrc_severity("Bad");
           }},
          {"deadline",
           [](Description& d) {
             d.mutable_update()->mutable_deadline()->set_nanos(-1);
           }},
          {"supersedes itself",
           [](Description& d) {
             d.mutable_update()->add_superseded_update_ids(Id(1));
           }},
          {"superseded id",
           [](Description& d) {
             d.mutable_update()->add_superseded_update_ids("x");
           }},
          {"superseded twice",
           [](Description& d) {
             d.mutable_update()->add_superseded_update_ids(Id(2));
             d.mutable_update()->add_superseded_update_ids(Id(2));
           }},
          {"unknown category",
           [](Description& d) {
             d.mutable_update()->add_category_ids(Id(102));
           }},
          {"category that holds no updates (UAMG-102)",
           [](Description& d) {
             d.mutable_update()->add_category_ids(Id(101));
           }},
          {"no payload", [](Description& d) { d.clear_payloads(); }},
          {"payload above its folder",
           [](Description& d) { d.mutable_payloads(0)->set_name(".."); }},
          {"payload in another folder",
           [](Description& d) { d.mutable_payloads(0)->set_name("a/b"); }},
          {"payload in another folder on Windows",
           [](Description& d) { d.mutable_payloads(0)->set_name("a\\b"); }},
          {"payload as a stream on Windows",
           [](Description& d) { d.mutable_payloads(0)->set_name("a:b"); }},
          {"payload twice, ignoring case",
           [](Description& d) {
             *d.add_payloads() = d.payloads(0);
             d.mutable_payloads(1)->set_name("FILE.tar.gz");
           }},
          {"negative size",
           [](Description& d) { d.mutable_payloads(0)->set_size(-1); }},
          {"huge size",
           [](Description& d) {
             d.mutable_payloads(0)->set_size((int64_t{1} << 40) + 1);
           }},
          {"short digest",
           [](Description& d) { d.mutable_payloads(0)->set_sha256("x"); }},
          {"no location",
           [](Description& d) { d.mutable_payloads(0)->clear_location(); }},
          {"location above targets",
           [](Description& d) {
             d.mutable_payloads(0)->set_location("a/../../b");
           }},
          {"absolute location",
           [](Description& d) {
             d.mutable_payloads(0)->set_location("/etc/passwd");
           }},
          {"file URL",
           [](Description& d) {
             d.mutable_payloads(0)->set_location("file:///etc/passwd");
           }},
          {"URL with credentials",
           [](Description& d) {
             d.mutable_payloads(0)->set_location("https://u:p@h/x");
           }},
          {"product",
           [](Description& d) {
             d.mutable_handler()->mutable_archive()->set_product("..");
           }},
          {"product with a separator",
           [](Description& d) {
             d.mutable_handler()->mutable_archive()->set_product("a/b");
           }},
          {"product version",
           [](Description& d) {
             d.mutable_handler()->mutable_archive()->clear_version();
           }},
          {"strip",
           [](Description& d) {
             d.mutable_handler()->mutable_archive()->set_strip_components(-1);
           }},
          {"program that is no payload",
           [](Description& d) {
             d.mutable_handler()->mutable_exec()->set_program("/bin/sh");
           }},
          {"timeout",
           [](Description& d) {
             d.mutable_handler()->mutable_exec()->set_timeout_seconds(90000);
           }},
          {"exit code without meaning",
           [](Description& d) {
             d.mutable_handler()->mutable_exec()->add_exit_codes();
           }},
          {"option instead of a package",
           [](Description& d) {
             d.mutable_handler()->mutable_deb()->add_packages("--root=/");
           }},
          {"MSI product",
           [](Description& d) {
             d.mutable_handler()->mutable_msi()->set_product_code("x");
           }},
          {"bundle with a handler",
           [](Description& d) {
             auto& child = *d.mutable_update()->add_bundled_updates();
             child.set_update_id(Id(2));
             child.set_revision_number(1);
           }},
          {"localized text without language",
           [](Description& d) { d.add_localized_text(); }},
      };
  for (const auto& [name, spoil] : cases) {
    EXPECT_EQ(LoadSpoilt(spoil), hr::kWuEInvalidUpdate) << name;
  }
  EXPECT_EQ(LoadSpoilt([](Description& d) { d.clear_handler(); }),
            hr::kWuEDsUnknownhandler);
  EXPECT_EQ(LoadSpoilt([](Description& d) { d.mutable_is_installed(); }),
            hr::kWuEEeUnknownExpression);
  EXPECT_EQ(LoadSpoilt([](Description& d) {
              d.mutable_is_installable()->mutable_file()->set_path("x");
            }),
            hr::kWuEEeInvalidExpression);
  EXPECT_EQ(LoadSpoilt([](Description&) {}), hr::kSOk);
}

TEST_F(HostileCatalogTest, IdsAreBroughtIntoOneForm) {
  Builder builder;
  builder.Update(1).mutable_update()->mutable_identity()->set_update_id(
      "ABCDEF00-0000-4000-8000-000000000001");
  Load(builder);
  EXPECT_TRUE(
      catalog_->Row({kService, "abcdef00-0000-4000-8000-000000000001", 1})
          .ok());
}

TEST_F(HostileCatalogTest, Categories) {
  const auto load = [this](const std::function<void(Builder&)>& fill) {
    Builder builder;
    fill(builder);
    return LoadStream(builder.Stream());
  };
  EXPECT_EQ(load([](Builder& b) { b.Category(1, "Kind"); }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) { b.Category(1, "Product").clear_name(); }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) { b.Category(1, "Product", 1); }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) { b.Category(1, "Product", 2); }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) {
              b.Category(1, "Product");
              b.Category(1, "Product");
            }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) {
              b.Category(1, "Company", 3);
              b.Category(2, "Company", 1);
              b.Category(3, "Company", 2);
            }),
            hr::kWuEInvalidUpdate);
  EXPECT_EQ(load([](Builder& b) {
              b.Category(1, "Product", 2);
              b.Category(2, "Company");
            }),
            hr::kSOk);
}

TEST_F(HostileCatalogTest, KeysAreUnique) {
  Builder builder;
  builder.Update(1);
  builder.Update(1);
  EXPECT_EQ(LoadStream(builder.Stream()), hr::kWuEInvalidUpdate);
  Builder different;
  different.Update(1);
  different.Update(1).mutable_update()->set_name("other");
  EXPECT_EQ(LoadStream(different.Stream()), hr::kWuEInvalidUpdate);
}

TEST_F(HostileCatalogTest, Bundles) {
  Builder missing;
  missing.Bundle(1, {2});
  EXPECT_EQ(LoadStream(missing.Stream()), hr::kWuEInvalidUpdate);
  Builder nested;
  nested.Bundle(1, {2});
  nested.Bundle(2, {3});
  nested.Update(3);
  EXPECT_EQ(LoadStream(nested.Stream()), hr::kWuEInvalidUpdate);
  Builder self;
  self.Bundle(1, {1});
  EXPECT_EQ(LoadStream(self.Stream()), hr::kWuEInvalidUpdate);
}

TEST_F(HostileCatalogTest, Headers) {
  Builder builder;
  builder.Update(1);
  builder.header().set_format_version(2);
  EXPECT_EQ(LoadStream(builder.Stream()), hr::kWuEOlNewclientRequired);
  builder.header().set_format_version(0);
  EXPECT_EQ(LoadStream(builder.Stream()), hr::kWuEOlInvalidScanfile);
  builder.header().set_format_version(1);
  builder.header().set_update_count(2);
  EXPECT_EQ(LoadStream(builder.Stream()), hr::kWuEOlInvalidScanfile);
  builder.header().set_update_count(0);
  EXPECT_EQ(LoadStream(builder.Stream()), hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(Builder(kOtherService).Stream()),
            hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(Builder().Stream() + Builder().Stream()),
            hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(""), hr::kWuEOlInvalidScanfile);
}

TEST_F(HostileCatalogTest, OrderOfRecords) {
  repository::v1::CatalogRecord category;
  category.mutable_category()->set_category_id(Id(1));
  category.mutable_category()->set_name("n");
  category.mutable_category()->set_type("Product");
  EXPECT_EQ(LoadStream(Delimited(category)), hr::kWuEOlInvalidScanfile);
  Builder builder;
  builder.Update(1);
  EXPECT_EQ(LoadStream(builder.Stream() + Delimited(category)),
            hr::kWuEOlInvalidScanfile);
  const std::string unknown("\x02\x7a\x00", 3);  // field 15, empty
  EXPECT_EQ(LoadStream(Builder().Stream() + unknown),
            hr::kWuEOlNewclientRequired);
}

TEST_F(HostileCatalogTest, DamagedStreams) {
  Builder builder;
  for (int i = 1; i < 200; ++i) builder.Update(i);
  const std::string stream = builder.Stream();
  const std::string compressed = Compressed(stream);
  EXPECT_EQ(LoadBytes("not zstd at all"), hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadBytes(compressed.substr(0, compressed.size() / 2)),
            hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadBytes(compressed + "x"), hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(stream.substr(0, stream.size() - 3)),
            hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(stream + '\x05'), hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(stream + std::string(10, '\xff')),
            hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(LoadStream(stream + std::string("\x02\xff\xff", 3)),
            hr::kWuEInvalidUpdate);
  // A record of 1 MiB and one byte.
  EXPECT_EQ(LoadStream(stream + std::string("\x81\x80\x40", 3) +
                       std::string((1 << 20) + 1, 'x')),
            hr::kWuEOlInvalidScanfile);
  // Two frames are as good as one.
  EXPECT_EQ(LoadBytes(Compressed(stream.substr(0, 1000)) +
                      Compressed(stream.substr(1000))),
            hr::kSOk);
}

TEST_F(HostileCatalogTest, FileThatChangedSinceVerification) {
  CatalogFile file = Write("catalog/catalog.usc", Builder());
  file.sha256[0] ^= 1;
  EXPECT_EQ(HResultOf(Load({file}).status()),
            hr::kWuEMetadataSignatureVerifyFailed);
  file.path = folder_ / "missing";
  EXPECT_EQ(HResultOf(Load({file}).status()), hr::kErrorFileNotFound);
}

TEST_F(HostileCatalogTest, Limits) {
  const auto read = [this](const std::string& compressed,
                           const RecordLimits& limits) {
    const CatalogFile file = Write("x", compressed);
    auto reader = RecordReader::Open(file.path, limits);
    EXPECT_TRUE(reader.ok());
    while (true) {
      const auto more = (*reader)->Next();
      if (!more.ok()) return HResultOf(more.status());
      if (!*more) return hr::kSOk;
    }
  };
  std::string stream;
  for (int i = 0; i < 10; ++i) {
    stream += std::string(
        "\x03"
        "abc",
        4);
  }
  RecordLimits limits;
  limits.record_bytes = 3;
  limits.records = 10;
  limits.stream_bytes = 40;
  EXPECT_EQ(read(Compressed(stream), limits), hr::kSOk);
  --limits.records;
  EXPECT_EQ(read(Compressed(stream), limits), hr::kWuEOlInvalidScanfile);
  ++limits.records;
  --limits.stream_bytes;
  EXPECT_EQ(read(Compressed(stream), limits), hr::kWuEOlInvalidScanfile);
  ++limits.stream_bytes;
  --limits.record_bytes;
  EXPECT_EQ(read(Compressed(stream), limits), hr::kWuEOlInvalidScanfile);
  // A stream that would need a window of 128 MiB.
  EXPECT_EQ(read(Compressed(std::string(9 << 20, 'x'), 3, 27), RecordLimits()),
            hr::kWuEOlInvalidScanfile);
}

}  // namespace
}  // namespace usher::catalog
