// What is a scan package, and what is refused.

#include "service/repository/scan_package.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"
#include "tests/unit/repository/test_tar.h"

namespace usher::repository {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTimestamp[] = "metadata/timestamp.json";

std::string PayloadName(const std::string& content, const std::string& name) {
  return absl::StrCat("targets/payloads/", ToHex(Sha256Of(content)), "/", name);
}

std::string CatalogName(const std::string& content) {
  return absl::StrCat("targets/catalog/", ToHex(Sha256Of(content)),
                      ".catalog.usc");
}

// Takes everything into memory.
class MemorySink final : public ScanPackageSink {
 public:
  std::map<std::string, std::string> files;
  std::vector<std::string> calls;
  absl::Status metadata_status;

  absl::Status MetadataComplete() override {
    calls.emplace_back("complete");
    return metadata_status;
  }
  absl::Status Begin(const std::string& name) override {
    calls.push_back(name);
    name_ = name;
    files[name].clear();
    return absl::OkStatus();
  }
  absl::Status Write(absl::string_view bytes) override {
    files[name_].append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status End() override { return absl::OkStatus(); }

 private:
  std::string name_;
};

RepositoryOptions SmallLimits() {
  RepositoryOptions options;
  options.max_root_bytes = 100;
  options.max_timestamp_bytes = 200;
  options.max_snapshot_bytes = 300;
  options.max_targets_bytes = 400;
  options.max_role_bytes = 350;
  options.max_catalog_bytes = 500;
  return options;
}

absl::Status Read(const std::string& bytes, MemorySink& sink,
                  const ScanPackageLimits& limits = {},
                  const CancellationToken& cancel = CancellationToken()) {
  size_t position = 0;
  return ReadScanPackage(
      [&](char* buffer, size_t length) -> absl::StatusOr<size_t> {
        // In small pieces, as a slow disk might give them.
        const size_t count =
            std::min({length, bytes.size() - position, size_t{1000}});
        bytes.copy(buffer, count, position);
        position += count;
        return count;
      },
      SmallLimits(), limits, sink, cancel);
}

absl::Status Read(const std::string& bytes) {
  MemorySink sink;
  return Read(bytes, sink);
}

TestTar Begun() { return TestTar().Add(kTimestamp, "{}"); }

void ExpectNoPackage(const std::string& bytes, const std::string& why) {
  const absl::Status status = Read(bytes);
  EXPECT_EQ(HResultOf(status), hr::kWuEOlInvalidScanfile) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

TEST(ScanPackageTest, MembersComeInOrder) {
  MemorySink sink;
  const std::string payload(200'000, 'p');
  const std::string catalog = "catalog";
  const std::string delegated =
      absl::StrCat("targets/catalog/acme/", ToHex(Sha256Of("a")), ".a.usc");
  const absl::Status status = Read(TestTar()
                                       .Add("metadata/1.root.json", "root")
                                       .Add(kTimestamp, "time")
                                       .Add("metadata/12.targets.json", "")
                                       .Add("metadata/3.a%2Fb.json", "role")
                                       .Add(CatalogName(catalog), catalog)
                                       .Add(delegated, "a")
                                       .Add(PayloadName(payload, "x"), payload)
                                       .Bytes(),
                                   sink);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(sink.calls,
              ElementsAre("metadata/1.root.json", kTimestamp,
                          "metadata/12.targets.json", "metadata/3.a%2Fb.json",
                          "complete", CatalogName(catalog), delegated,
                          PayloadName(payload, "x")));
  EXPECT_EQ(sink.files[PayloadName(payload, "x")], payload);
  EXPECT_EQ(sink.files[kTimestamp], "time");
}

TEST(ScanPackageTest, NamesMayBeLongAndNotAscii) {
  MemorySink sink;
  const std::string name =
      PayloadName("x", absl::StrCat("größe-", std::string(200, 'n')));
  const absl::Status status =
      Read(Begun().AddPaxName(name).Add("short", "x").Bytes(), sink);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(sink.files[name], "x");
}

TEST(ScanPackageTest, MetadataAloneIsComplete) {
  MemorySink sink;
  ASSERT_TRUE(Read(Begun().Bytes(), sink).ok());
  EXPECT_THAT(sink.calls, ElementsAre(kTimestamp, "complete"));
}

class BadName : public ::testing::TestWithParam<std::string> {};

TEST_P(BadName, IsRefused) {
  ExpectNoPackage(Begun().Add(GetParam(), "x").Bytes(),
                  "has no place in a scan package");
}

const std::string& X() {
  static const auto* const hex = new std::string(ToHex(Sha256Of("x")));
  return *hex;
}

INSTANTIATE_TEST_SUITE_P(
    ScanPackageTest, BadName,
    ::testing::Values(
        "x", "/metadata/1.root.json", "./metadata/1.root.json",
        "metadata/../1.root.json", "metadata//1.root.json",
        "metadata/1.root.json/x", "metadata/root.json", "metadata/0.root.json",
        "metadata/01.root.json", "metadata/-1.root.json", "metadata/1root.json",
        "metadata/1.root", "metadata/.root.json", "metadata/1..json.json/..",
        "metadata/1.json", "metadata/1.timestamp.json",
        "metadata/1.ro%6Ft.json", "metadata/1.a b.json",
        "metadata/1.a%2fb.json", "metadata/1.a%2.json", "metadata/1.a%00b.json",
        "metadata/1234567890123456789.root.json", "metadata/1.a\\b.json",
        "metadata/1.a:b.json", "Metadata/1.root.json", "targets/x",
        "targets/payloads/x", absl::StrCat("targets/payloads/", X()),
        absl::StrCat("targets/payloads/", X(), "/a/b"),
        absl::StrCat("targets/payloads/", X(), "/.."),
        absl::StrCat("targets/payloads/", X(), "/../x"),
        absl::StrCat("targets/payloads/", X(), "/a."),
        absl::StrCat("targets/payloads/", X(), "/a:b"),
        absl::StrCat("targets/payloads/", X(), "/a\\b"),
        absl::StrCat("targets/payloads/", X(), "/\xff"),
        absl::StrCat("targets/payloads/", X().substr(1), "/x"),
        absl::StrCat("targets/payloads/", X(), "0/x"),
        absl::StrCat("targets/catalog/", X(), ".usc.x"),
        absl::StrCat("targets/catalog/", X(), ".usc/x"),
        absl::StrCat("targets/catalog/", X()), "targets/catalog/catalog.usc",
        absl::StrCat("targets/catalog/../", X(), ".a.usc"),
        absl::StrCat("targets/other/", X(), ".a.usc")));

TEST(ScanPackageTest, DigestsInNamesAreLowerCase) {
  const std::string upper = absl::AsciiStrToUpper(X());
  ExpectNoPackage(
      Begun().Add(absl::StrCat("targets/payloads/", upper, "/x"), "x").Bytes(),
      "has no place");
}

TEST(ScanPackageTest, OnlyRegularFiles) {
  const std::string name = PayloadName("", "x");
  // Hard link, symbolic link, devices, folder, pipe.
  for (const char type : {'1', '2', '3', '4', '5', '6'}) {
    SCOPED_TRACE(type);
    ExpectNoPackage(Begun().Add(name, "", type, "/etc/passwd").Bytes(),
                    "is not a regular file");
  }
  ExpectNoPackage(TestTar().Add("metadata/", "", '5').Bytes(),
                  "is not a regular file");
}

TEST(ScanPackageTest, SizesAreLimitedByKind) {
  const auto metadata = [](const std::string& name, size_t size) {
    return Read(Begun().Add(name, std::string(size, 'x')).Bytes());
  };
  const std::map<std::string, size_t> limits = {
      {"metadata/1.root.json", 100},
      {"metadata/1.snapshot.json", 300},
      {"metadata/1.targets.json", 400},
      {"metadata/1.acme.json", 350}};
  for (const auto& [name, limit] : limits) {
    EXPECT_TRUE(metadata(name, limit).ok()) << name;
    EXPECT_THAT(std::string(metadata(name, limit + 1).message()),
                AllOf(HasSubstr(name), HasSubstr("larger than the limit")));
  }
  ExpectNoPackage(TestTar().Add(kTimestamp, std::string(201, 'x')).Bytes(),
                  "larger than the limit of 200 bytes");
  const std::string catalog(501, 'c');
  ExpectNoPackage(Begun().Add(CatalogName(catalog), catalog).Bytes(),
                  "larger than the limit of 500 bytes");
  // What is promised is refused before it comes.
  ExpectNoPackage(
      Begun().Add(PayloadName("x", "x"), "x", '0', "", 077777777777).Bytes(),
      "cut short");
  ScanPackageLimits small;
  small.max_bytes = 10;
  MemorySink sink;
  EXPECT_EQ(HResultOf(Read(
                Begun().Add(PayloadName("x", "x"), "", '0', "", 11).Bytes(),
                sink, small)),
            hr::kWuEOlInvalidScanfile);
  EXPECT_THAT(sink.calls, ElementsAre(kTimestamp));
}

TEST(ScanPackageTest, MembersAreCounted) {
  TestTar tar = Begun();
  for (int i = 1; i < 10; ++i) {
    tar.Add(absl::StrCat("metadata/", i, ".root.json"), "x");
  }
  ScanPackageLimits limits;
  limits.max_members = 10;
  MemorySink sink;
  EXPECT_TRUE(Read(tar.Bytes(), sink, limits).ok());
  limits.max_members = 9;
  const absl::Status status = Read(tar.Bytes(), sink, limits);
  EXPECT_EQ(HResultOf(status), hr::kWuEOlInvalidScanfile);
  EXPECT_EQ(SubjectOf(status), "metadata/9.root.json");
}

TEST(ScanPackageTest, ContentMustBeWhatTheNameSays) {
  for (const std::string& name : {PayloadName("x", "x"), CatalogName("x")}) {
    EXPECT_TRUE(Read(Begun().Add(name, "x").Bytes()).ok());
    for (const char* const other : {"y", "", "xx"}) {
      const absl::Status status = Read(Begun().Add(name, other).Bytes());
      EXPECT_EQ(HResultOf(status), hr::kWuEDmIncorrectfilehash) << status;
      EXPECT_EQ(SubjectOf(status), name);
    }
  }
}

TEST(ScanPackageTest, CutShortAnywhereIsRefused) {
  const std::string whole =
      Begun().Add(PayloadName("payload", "x"), "payload").Bytes();
  for (size_t size = 0; size < whole.size(); size += 64) {
    EXPECT_EQ(HResultOf(Read(whole.substr(0, size))), hr::kWuEOlInvalidScanfile)
        << size;
  }
  EXPECT_EQ(HResultOf(Read(whole.substr(0, whole.size() - 1))),
            hr::kWuEOlInvalidScanfile);
  // Zeros of a member are not the end of the file.
  const std::string zeros(4096, '\0');
  const std::string of_zeros =
      Begun().Add(PayloadName(zeros, "x"), zeros).Bytes();
  ASSERT_TRUE(Read(of_zeros).ok());
  for (const size_t less : {512, 1024, 1536}) {
    EXPECT_EQ(HResultOf(Read(of_zeros.substr(0, of_zeros.size() - less))),
              hr::kWuEOlInvalidScanfile)
        << less;
  }
  EXPECT_TRUE(Read(whole + std::string(8192, '\0')).ok());
  ExpectNoPackage(whole + "x", "behind the end");
  ExpectNoPackage(whole + whole, "behind the end");
  ExpectNoPackage(whole + std::string(100, '\0'), "behind the end");
  std::string damaged = whole;
  damaged[200] ^= 1;  // in the first header
  ExpectNoPackage(damaged, "damaged");
}

TEST(ScanPackageTest, OtherFilesAreNone) {
  ExpectNoPackage("", "no uncompressed tar file");
  ExpectNoPackage("text", "no uncompressed tar file");
  ExpectNoPackage("\x1f\x8b\x08 a gzip file", "no uncompressed tar file");
  ExpectNoPackage(std::string(10240, '\0'), kTimestamp);
}

// The header that a pax header of these records makes a member.
std::string Extended(const std::string& records) {
  return Begun()
      .Add("PaxHeader", records, 'x')
      .Add(PayloadName("x", "x"), "x")
      .Bytes();
}

TEST(ScanPackageTest, PaxHeadersAreReadStrictly) {
  EXPECT_TRUE(Read(Extended("")).ok());
  EXPECT_TRUE(Read(Extended("9 size=1\n20 mtime=1234567890\n")).ok());
  for (const char* const bad :
       {"x", "9", "9 size=1", "8 size=1\n", "11 size=1\n", "-9 size=1\n",
        "+9 size=1\n", "999999999999 size=1\n", "2 \n", "5 ab\n", "9 size=x\n",
        "8 size=\n", "10 size=-1\n", "28 size=9999999999999999999\n"}) {
    SCOPED_TRACE(bad);
    ExpectNoPackage(Extended(bad), "pax header");
  }
  ExpectNoPackage(Extended("22 GNU.sparse.major=1\n"), "sparse");
  ExpectNoPackage(Extended(std::string(70'000, ' ')), "too large");
  // The size of the header is what counts, wherever it stands.
  ExpectNoPackage(Extended("10 size=99\n"), "");
  ExpectNoPackage(Begun().Add("a", "", 'x').Add("b", "", 'x').Bytes(),
                  "before another");
  ExpectNoPackage(Begun().Add("a", "", 'x').Bytes(), "before nothing");
}

TEST(ScanPackageTest, OtherKindsOfHeadersAreRefused) {
  // Of everything that follows; of GNU tar: a long name, a sparse file.
  for (const char type : {'g', 'L', 'K', 'S', 'V'}) {
    SCOPED_TRACE(type);
    ExpectNoPackage(Begun().Add("x", "x", type).Bytes(),
                    "is not a regular file");
  }
  std::string gnu = Begun().Bytes();
  gnu.replace(257, 8, "ustar  ");
  ExpectNoPackage(gnu, "ustar or pax");
}

TEST(ScanPackageTest, MetadataComesFirst) {
  ExpectNoPackage(
      TestTar().Add(CatalogName("c"), "c").Add(kTimestamp, "{}").Bytes(),
      "there is no metadata/timestamp.json");
  ExpectNoPackage(Begun()
                      .Add(CatalogName("c"), "c")
                      .Add("metadata/1.root.json", "{}")
                      .Bytes(),
                  "stands behind the targets");
}

TEST(ScanPackageTest, RefusedMetadataEndsIt) {
  MemorySink sink;
  sink.metadata_status = Error(hr::kCertEExpired, "expired");
  EXPECT_EQ(HResultOf(Read(Begun().Add(CatalogName("c"), "c").Bytes(), sink)),
            hr::kCertEExpired);
  EXPECT_THAT(sink.calls, ElementsAre(kTimestamp, "complete"));
}

TEST(ScanPackageTest, CanBeCancelled) {
  CancellationToken cancel;
  cancel.Cancel();
  MemorySink sink;
  EXPECT_EQ(HResultOf(Read(Begun().Bytes(), sink, {}, cancel)),
            hr::kWuECallCancelled);
}

TEST(ScanPackageTest, AFailingSourceIsItsOwnError) {
  MemorySink sink;
  const absl::Status status = ReadScanPackage(
      [](char*, size_t) -> absl::StatusOr<size_t> {
        return Error(hr::kEAccessdenied, "no");
      },
      SmallLimits(), {}, sink, CancellationToken());
  EXPECT_EQ(HResultOf(status), hr::kEAccessdenied);
}

class UnpackTest : public ::testing::Test {
 protected:
  absl::Status Unpack(const std::string& bytes,
                      const ScanPackageLimits& limits = {}) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / "package.usp", bytes).ok());
    return UnpackScanPackage(
        folder_ / "package.usp", folder_ / "out", SmallLimits(), limits,
        [this] {
          metadata_ = Content(kTimestamp);
          return absl::OkStatus();
        },
        CancellationToken());
  }
  std::string Content(const std::string& name) {
    return ReadFile(folder_.path() / "out" / PathFromUtf8(name), 1 << 20)
        .value_or("");
  }

  TempFolder folder_;
  std::string metadata_;
};

TEST_F(UnpackTest, FilesLieAsInARepository) {
  const absl::Status status =
      Unpack(Begun().Add(PayloadName("x", "x.deb"), "x").Bytes());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(metadata_, "{}");
  EXPECT_EQ(Content(PayloadName("x", "x.deb")), "x");
}

TEST_F(UnpackTest, NothingIsThereTwice) {
  const absl::Status status = Unpack(
      Begun().Add("metadata/1.root.json", "a").Add(kTimestamp, "b").Bytes());
  EXPECT_EQ(HResultOf(status), hr::kWuEOlInvalidScanfile);
  EXPECT_THAT(std::string(status.message()), HasSubstr("twice"));
  EXPECT_EQ(SubjectOf(status), kTimestamp);
  EXPECT_EQ(Content(kTimestamp), "{}");
}

TEST_F(UnpackTest, TheFileIsLimited) {
  ScanPackageLimits limits;
  limits.max_bytes = 1024;
  const absl::Status status = Unpack(Begun().Bytes(), limits);
  EXPECT_EQ(HResultOf(status), hr::kWuEOlInvalidScanfile);
  EXPECT_THAT(std::string(status.message()), HasSubstr("limit"));
}

TEST_F(UnpackTest, OnlyAFileIsRead) {
  const auto unpack = [this](const std::filesystem::path& package) {
    return HResultOf(UnpackScanPackage(
        package, folder_ / "out", SmallLimits(), {},
        [] { return absl::OkStatus(); }, CancellationToken()));
  };
  EXPECT_EQ(unpack(folder_.path()), hr::kWuEInvalidFile);
  EXPECT_EQ(unpack(folder_ / "none"), hr::kErrorFileNotFound);
}

}  // namespace
}  // namespace usher::repository
