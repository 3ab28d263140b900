// The msi handler with a program of ours in place of msiexec.

#include "service/install/msi_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "tests/unit/install/fake_msiexec.h"
#include "tests/unit/install/fakes.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using test::Content;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kCode[] = "{AAAAAAAA-0000-4000-8000-00000000000A}";

class FakeMsi : public MsiSystem {
 public:
  explicit FakeMsi(fs::path folder) : folder_(std::move(folder)) {}
  fs::path Program() const override { return test::MsiexecPath(folder_); }
  std::string InstalledVersion(absl::string_view code) const override {
    return code == kCode ? Content(folder_ / "installed") : "";
  }
  absl::Status WaitUntilIdle(absl::Duration /*timeout*/,
                             const Attempt& /*attempt*/) const override {
    ++waits;
    return idle;
  }

  mutable int waits = 0;
  absl::Status idle;

 private:
  const fs::path folder_;
};

class MsiHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto system = std::make_unique<FakeMsi>(dir_.path());
    system_ = system.get();
    handler_ = std::make_unique<MsiHandler>(std::move(system));
    for (const char* folder : {"work", "logs"}) {
      ASSERT_TRUE(MakeDirectories(dir_.path() / folder).ok());
    }
    description_.mutable_handler()->mutable_msi()->set_product_code(kCode);
    auto* payload = description_.add_payloads();
    payload->set_name("app.msi");
    payload->set_size(7);
    payload->set_sha256(cache_.Add("package"));
    attempt_.key = test::Key(1);
    attempt_.description = &description_;
    attempt_.cache = &cache_;
    attempt_.work_dir = dir_.path() / "work";
    attempt_.kept_dir = dir_.path() / "kept";
    attempt_.log_dir = dir_.path() / "logs";
    test::WriteMsiexec(dir_.path(), {});
  }

  ApplyResult Run() {
    const absl::Status prepared = handler_->Prepare(attempt_);
    if (!prepared.ok()) return {prepared, {}};
    return handler_->Apply(attempt_);
  }
  std::string At(const std::string& name) const {
    return PathToUtf8((dir_.path() / name).make_preferred());
  }

  test::TempDir dir_;
  test::FakeCache cache_;
  repository::v1::UpdateDescription description_;
  Attempt attempt_;
  FakeMsi* system_ = nullptr;
  std::unique_ptr<MsiHandler> handler_;
};

TEST_F(MsiHandlerTest, InstallsThePackageWithProperties) {
  auto& properties =
      *description_.mutable_handler()->mutable_msi()->mutable_properties();
  properties["INSTALLDIR"] = "C:\\Program Files\\App";
  test::WriteMsiexec(dir_.path(), {.keep_package = true});
  const ApplyResult result = Run();
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(Content(dir_.path() / "seen"), "package");
  EXPECT_EQ(Content(dir_.path() / "arguments"),
            absl::StrCat("/i\n", At("work/package.msi"),
                         "\n/qn\n/norestart\n/l*v\n", At("logs/msi.log"),
                         "\nINSTALLDIR=C:\\Program Files\\App\n"));
}

TEST_F(MsiHandlerTest, UninstallsByProductCode) {
  attempt_.operation = Operation::kUninstall;
  description_.clear_payloads();
  EXPECT_TRUE(Run().status.ok());
  EXPECT_EQ(Content(dir_.path() / "arguments"),
            absl::StrCat("/x\n", kCode, "\n/qn\n/norestart\n/l*v\n",
                         At("logs/msi.log"), "\n"));
}

TEST_F(MsiHandlerTest, QuotesTheLogOfAFailure) {
  test::WriteMsiexec(dir_.path(),
                     {.log = "Error 1904. it broke", .exit_code = 67});
  const ApplyResult result = Run();
  EXPECT_EQ(HResultOf(result.status), hr::kWuEUhInstallerfailure);
  EXPECT_EQ(result.outcome.unmapped_result_code, 67);
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("Error 1904. it broke"));
}

TEST_F(MsiHandlerTest, DoesNotStartWhileAnotherInstallationRuns) {
  system_->idle = Error(hr::kWuEInstallNotAllowed, "busy");
  EXPECT_EQ(HResultOf(Run().status), hr::kWuEInstallNotAllowed);
  EXPECT_EQ(system_->waits, 1);
  EXPECT_FALSE(fs::exists(dir_.path() / "runs"));
}

TEST_F(MsiHandlerTest, RefusesWhatMsiexecWouldMisread) {
  auto& msi = *description_.mutable_handler()->mutable_msi();
  (*msi.mutable_properties())["lower"] = "x";
  EXPECT_EQ(HResultOf(Run().status), hr::kWuEUhInvalidmetadata);
  msi.clear_properties();
  (*msi.mutable_properties())["A"] = "x\" /x y";
  EXPECT_EQ(HResultOf(Run().status), hr::kWuEUhInvalidmetadata);
  msi.clear_properties();
  msi.set_product_code("/x other");
  EXPECT_EQ(HResultOf(Run().status), hr::kWuEUhInvalidmetadata);
  msi.set_product_code(kCode);
  description_.clear_payloads();
  EXPECT_EQ(HResultOf(Run().status), hr::kWuEUhInvalidmetadata);
  EXPECT_FALSE(fs::exists(dir_.path() / "runs"));
}

TEST_F(MsiHandlerTest, RecoveryAsksWindowsInstaller) {
  const auto recovered = [this] {
    const auto recovery = handler_->Recover(attempt_);
    EXPECT_TRUE(recovery.ok()) << recovery.status();
    return recovery.ok() ? recovery->state : Recovery::State::kUnknown;
  };
  const auto installed = [this](const std::string& version) {
    ASSERT_TRUE(WriteFileAtomically(dir_.path() / "installed", version).ok());
  };
  ASSERT_TRUE(handler_->Prepare(attempt_).ok());
  EXPECT_EQ(recovered(), Recovery::State::kUndone);
  installed("1.0");
  EXPECT_EQ(recovered(), Recovery::State::kApplied);

  // Installed before: another version tells, the same one does not.
  ASSERT_TRUE(RemoveTree(attempt_.work_dir).ok());
  ASSERT_TRUE(MakeDirectories(attempt_.work_dir).ok());
  ASSERT_TRUE(handler_->Prepare(attempt_).ok());
  EXPECT_EQ(recovered(), Recovery::State::kUnknown);
  installed("1.1");
  EXPECT_EQ(recovered(), Recovery::State::kApplied);

  attempt_.operation = Operation::kUninstall;
  EXPECT_EQ(recovered(), Recovery::State::kUndone);
  installed("");
  EXPECT_EQ(recovered(), Recovery::State::kApplied);
}

}  // namespace
}  // namespace usher::install
