#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/error.h"
#include "common/sha256.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using repository::v1::ExitCode;
using repository::v1::UpdateDescription;
using test::Content;
using test::kDoNothing;
using test::kIsUnix;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExecHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Start().ok()); }
  InstallResult Run(const std::string& script,
                    const std::function<void(UpdateDescription&)>& change) {
    const auto key = world_.AddScript(++next_, script, "", change);
    return world_.Install({key})[0];
  }
  // Drops the update's payloads from the cache.
  void ForgetContent(const catalog::UpdateKey& key) {
    const auto description = world_.catalog().Describe(key);
    ASSERT_TRUE(description.ok());
    for (const auto& payload : description->payloads()) {
      Sha256Digest digest;
      std::copy(payload.sha256().begin(), payload.sha256().end(),
                digest.begin());
      ASSERT_TRUE(world_.cache().Remove(digest).ok());
    }
  }
  static std::function<void(UpdateDescription&)> ExitMeans(
      int code, ExitCode::Meaning meaning, HResult hresult = 0) {
    return [=](UpdateDescription& update) {
      ExitCode* exit =
          update.mutable_handler()->mutable_exec()->add_exit_codes();
      exit->set_code(code);
      exit->set_meaning(meaning);
      exit->set_hresult(hresult);
    };
  }

  // A script that leaves a line in the file "seen".
  static std::string Note(const std::string& text) {
    if (kIsUnix) return absl::StrCat("echo \"", text, "\" > $STATE/seen");
    return absl::StrCat(
        "echo ",
        absl::StrReplaceAll(text, {{"$USHER_OPERATION", "%USHER_OPERATION%"},
                                   {"$USHER_REVISION", "%USHER_REVISION%"},
                                   {"$1", "%~1"}}),
        "> \"$STATE\\seen\"");
  }
  // The lines that an installer left in the file "seen".
  std::string Seen() {
    return absl::StrReplaceAll(Content(dir_.path() / "seen"), {{"\r", ""}});
  }

  test::TempDir dir_;
  test::World world_{dir_.path()};
  int next_ = 0;
};

TEST_F(ExecHandlerTest, RunsInAPrivateFolderWithArguments) {
  const InstallResult result =
      Run(kIsUnix ? "echo \"$1,$2,$USHER_OPERATION\" > $STATE/seen; stat -c %a "
                    ". >> $STATE/seen; test -f setup.sh"
                  : "echo %~1,%~2,%USHER_OPERATION%> \"$STATE\\seen\"\r\n"
                    "if not exist setup.cmd exit 9",
          [](UpdateDescription& update) {
            update.mutable_handler()->mutable_exec()->add_arguments("a b");
            update.mutable_handler()->mutable_exec()->add_arguments("$HOME");
          });
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << result.message;
  EXPECT_EQ(Seen(),
            kIsUnix ? "a b,$HOME,install\n700\n" : "a b,$HOME,install\n");
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(ExecHandlerTest, ExitCodes) {
  InstallResult result = Run("exit 5", nullptr);
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_EQ(result.unmapped_result_code, 5);
  EXPECT_EQ(world_.History()[0].unmapped_result_code(), 5);

  result = Run(kIsUnix ? "echo 'no licence' >&2; exit 6"
                       : "echo no licence>&2\r\nexit 6",
               ExitMeans(6, ExitCode::MEANING_FAILURE, hr::kErrorDiskFull));
  EXPECT_EQ(result.hresult, hr::kErrorDiskFull);
  EXPECT_THAT(result.message, HasSubstr("no licence"));

  result = Run("exit 7", ExitMeans(7, ExitCode::MEANING_SUCCESS));
  EXPECT_EQ(result.hresult, hr::kSOk);
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED);

  result = Run("exit 8", ExitMeans(8, ExitCode::MEANING_ALREADY_INSTALLED));
  EXPECT_EQ(result.hresult, hr::kWuSAlreadyInstalled);
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED);

  if (kIsUnix) {
    result = Run("kill -9 $$", nullptr);
    EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
    EXPECT_EQ(result.unmapped_result_code, 137);
  }

  // A success code where a failure is meant does not make it one.
  result = Run("exit 9",
               ExitMeans(9, ExitCode::MEANING_FAILURE, hr::kWuSRebootRequired));
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
}

TEST_F(ExecHandlerTest, RebootIsRememberedUntilTheNextBoot) {
  const InstallResult result =
      Run("exit 10", ExitMeans(10, ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED));
  EXPECT_TRUE(result.reboot_required);
  EXPECT_EQ(result.hresult, hr::kWuSRebootRequired);
  EXPECT_TRUE(world_.engine().RebootRequired());
  EXPECT_FALSE(world_.engine().RebootRequiredBeforeInstallation());
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_TRUE(world_.engine().RebootRequired());
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_FALSE(world_.engine().RebootRequired());
}

// At the last moment: what is to be run has been prepared.
TEST_F(ExecHandlerTest, AbortedBeforeItRuns) {
  const auto key = world_.AddScript(1, Note("ran"), "", nullptr);
  CancellationToken cancel;
  const auto watcher = std::make_shared<test::Watcher>(1);
  watcher->on_progress = [&cancel](int percent) {
    if (percent >= 30) cancel.Cancel();
  };
  ASSERT_TRUE(
      world_.engine().Begin(world_.Request({key}), watcher, cancel).ok());
  watcher->Wait();
  EXPECT_EQ(watcher->results[0].result_code, v1::OPERATION_RESULT_CODE_ABORTED)
      << watcher->results[0].message;
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "seen"));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(ExecHandlerTest, HungInstallerIsStopped) {
  const InstallResult result =
      Run(kIsUnix ? "sleep 60" : "ping -n 60 127.0.0.1 >nul",
          [](UpdateDescription& update) {
            update.mutable_handler()->mutable_exec()->set_timeout_seconds(1);
          });
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerhung);
}

TEST_F(ExecHandlerTest, UninstallsWithWhatWasKept) {
  const auto key =
      world_.AddScript(1, kDoNothing, Note("$USHER_OPERATION"), nullptr);
  EXPECT_EQ(world_.Install({key})[0].hresult, hr::kSOk);
  // The cache has dropped its content meanwhile.
  ForgetContent(key);
  const InstallResult result = world_.Uninstall({key})[0];
  EXPECT_EQ(result.hresult, hr::kSOk) << result.message;
  EXPECT_EQ(Seen(), "uninstall\n");
  EXPECT_FALSE(world_.catalog().HasReceipt(key));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path() / "work/kept"));
}

// The repository has only the newest revision.
TEST_F(ExecHandlerTest, UninstallsAnOlderRevisionAsThatOneSaid) {
  const auto r1 = world_.AddScript(
      1, kDoNothing, Note("one $USHER_REVISION $1"),
      [](UpdateDescription& update) {
        update.mutable_handler()->mutable_exec()->add_uninstall_arguments(
            "--quiet");
      });
  EXPECT_EQ(world_.Install({r1})[0].hresult, hr::kSOk);
  ForgetContent(r1);
  world_.catalog().Forget(r1);
  world_.AddScript(1, kDoNothing, Note("two"), [](UpdateDescription& update) {
    update.mutable_update()->mutable_identity()->set_revision_number(2);
  });
  const catalog::UpdateKey r2 = test::Key(1, 2);
  ForgetContent(r2);
  const InstallResult result = world_.Uninstall({r2})[0];
  EXPECT_EQ(result.hresult, hr::kSOk) << result.message;
  EXPECT_EQ(Seen(), "one 1 --quiet\n");
  EXPECT_FALSE(world_.catalog().HasReceipt(r1));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path() / "work/kept"));
}

TEST_F(ExecHandlerTest, ANewRevisionIsKeptInThePlaceOfTheOldOne) {
  const auto r1 = world_.AddScript(1, kDoNothing, Note("one"), nullptr);
  EXPECT_EQ(world_.Install({r1})[0].hresult, hr::kSOk);
  world_.AddScript(1, kDoNothing, Note("two"), [](UpdateDescription& update) {
    update.mutable_update()->mutable_identity()->set_revision_number(2);
  });
  const catalog::UpdateKey r2 = test::Key(1, 2);
  EXPECT_EQ(world_.Install({r2})[0].hresult, hr::kSOk);
  for (const auto& entry :
       std::filesystem::directory_iterator(dir_.path() / "work/kept")) {
    EXPECT_THAT(entry.path().filename().string(), HasSubstr("_2"));
  }
  ForgetContent(r2);
  EXPECT_EQ(world_.Uninstall({r2})[0].hresult, hr::kSOk);
  EXPECT_EQ(Seen(), "two\n");
}

TEST_F(ExecHandlerTest, DamagedKeptPayloadIsNotRun) {
  const auto key = world_.AddScript(1, kDoNothing, Note("ran"), nullptr);
  EXPECT_EQ(world_.Install({key})[0].hresult, hr::kSOk);
  for (const auto& file : std::filesystem::recursive_directory_iterator(
           dir_.path() / "work/kept")) {
    if (file.is_regular_file()) {
      ASSERT_TRUE(WriteFileAtomically(file.path(), "#!/bin/sh\n").ok());
    }
  }
  ForgetContent(key);
  EXPECT_EQ(world_.Uninstall({key})[0].hresult, hr::kWuEDmIncorrectfilehash);
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "seen"));
}

TEST_F(ExecHandlerTest, WithoutUninstallerNotAllowed) {
  const auto key = world_.AddScript(1, kDoNothing, "", nullptr);
  EXPECT_EQ(world_.Install({key})[0].hresult, hr::kSOk);
  EXPECT_EQ(world_.Uninstall({key})[0].hresult, hr::kWuEUninstallNotAllowed);
}

TEST_F(ExecHandlerTest, RefusesPayloadsThatAreNoPlainNames) {
  for (const std::string& name :
       {std::string("../setup.sh"), std::string("a/b"), std::string(".."),
        absl::AsciiStrToUpper(test::kScript)}) {
    const InstallResult result =
        Run(kDoNothing, [&](UpdateDescription& update) {
          world_.AddPayload(update, name, "x");
        });
    EXPECT_EQ(result.hresult, hr::kWuEUhInvalidmetadata) << name;
  }
  const InstallResult result = Run(kDoNothing, [](UpdateDescription& update) {
    update.mutable_handler()->mutable_exec()->set_program("../../bin/sh");
  });
  EXPECT_EQ(result.hresult, hr::kWuEUhInvalidmetadata);
}

}  // namespace
}  // namespace usher::install
