#include "service/catalog/facts.h"

#include <filesystem>

#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "gmock/gmock.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class FactsTest : public ::testing::Test {
 protected:
  FactsTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("usher-facts-" + RandomResourceId())) {
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    options_.dpkg_status = folder_ / "status";
    options_.os_release = folder_ / "os-release";
    options_.labels = {"b", "a"};
  }
  ~FactsTest() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }

  void Write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, content).ok());
  }

  std::filesystem::path folder_;
  FactsOptions options_;
};

TEST_F(FactsTest, ReadsTheMachine) {
  Write("os-release", "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n");
  Facts facts(options_);
  const auto machine = facts.Current();
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_EQ((*machine)->distribution, "debian");
  EXPECT_EQ((*machine)->version, "12");
  EXPECT_THAT((*machine)->family, Not(IsEmpty()));
  EXPECT_THAT((*machine)->architecture, Not(IsEmpty()));
  EXPECT_THAT((*machine)->boot_id, Not(IsEmpty()));
  EXPECT_THAT((*machine)->labels, ElementsAre("a", "b"));
  EXPECT_THAT((*machine)->packages, IsEmpty());
}

TEST_F(FactsTest, ReadsDpkg) {
  Write("status",
        "Package: hello\nStatus: install ok installed\nArchitecture: amd64\n"
        "Description: a\n Version: 99 (in a continuation line)\n"
        "Version: 2.10-3\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: half\nStatus: install ok half-configured\nVersion: 1\n\n"
        "Package: trig\nStatus: install ok triggers-pending\nVersion: 3\n"
        "Architecture: all\n\n"
        "Package: two\nStatus: install ok installed\nVersion: 1\n"
        "Architecture: amd64\n\n"
        "Package: two\nStatus: hold ok installed\nVersion: 2\n"
        "Architecture: i386");
  Facts facts(options_);
  const auto machine = facts.Current();
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ((*machine)->packages.size(), 3u);
  EXPECT_EQ((*machine)->PackageText("hello"), "amd64 2.10-3");
  EXPECT_EQ((*machine)->PackageText("trig"), "all 3");
  EXPECT_EQ((*machine)->PackageText("two"), "amd64 1\ni386 2");
  EXPECT_EQ((*machine)->PackageText("gone"), "");
}

TEST_F(FactsTest, RereadsOnlyWhatChanged) {
  Facts facts(options_);
  const auto first = *facts.Current();
  EXPECT_EQ(*facts.Current(), first);
  Write("status", "Package: ab\nStatus: install ok installed\nVersion: 1\n\n");
  const auto second = *facts.Current();
  EXPECT_NE(second, first);
  EXPECT_EQ(*facts.Current(), second);
  EXPECT_EQ(second->Fingerprint(), first->Fingerprint());
  Write("os-release", "ID=other\n");
  EXPECT_NE((*facts.Current())->Fingerprint(), first->Fingerprint());
}

TEST_F(FactsTest, UnreadableListIsAnError) {
  ASSERT_TRUE(MakeDirectories(options_.dpkg_status).ok());
  Facts facts(options_);
  EXPECT_EQ(HResultOf(facts.Current().status()), hr::kWuEInvalidFile);
}

TEST_F(FactsTest, StampsFiles) {
  Facts facts(options_);
  const std::string path = PathToUtf8(folder_ / "f");
  EXPECT_EQ(facts.Stamp(path), "");
  Write("f", "a");
  const std::string first = facts.Stamp(path);
  EXPECT_NE(first, "");
  EXPECT_EQ(facts.Stamp(path), first);
  EXPECT_TRUE(facts.HasDigest(path, Sha256Of("a")));
  Write("f", "b");
  EXPECT_NE(facts.Stamp(path), first);
  EXPECT_FALSE(facts.HasDigest(path, Sha256Of("a")));
  EXPECT_TRUE(facts.HasDigest(path, Sha256Of("b")));
}

}  // namespace
}  // namespace usher::catalog
