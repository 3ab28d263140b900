// Exit codes of vendors' installers, also those that do not fit into the eight
// bits of a Linux exit status.

#include "service/install/exec_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using repository::v1::ExitCode;
using ::testing::EndsWith;
using ::testing::HasSubstr;

ApplyResult Result(int code, const repository::v1::ExecHandler& exec = {},
                   Operation operation = Operation::kInstall) {
  platform::ProcessResult result;
  result.exit_code = code;
  result.error_output = "what it said\n";
  return ExecResult(operation, exec, result, "update");
}

repository::v1::ExecHandler Listing(int code, ExitCode::Meaning meaning,
                                    HResult hresult = 0) {
  repository::v1::ExecHandler exec;
  ExitCode& listed = *exec.add_exit_codes();
  listed.set_code(code);
  listed.set_meaning(meaning);
  listed.set_hresult(hresult);
  return exec;
}

TEST(ExecResultTest, Defaults) {
  EXPECT_TRUE(Result(0).status.ok());
  EXPECT_FALSE(Result(0).outcome.reboot_required);
  EXPECT_TRUE(Result(3010).status.ok());
  EXPECT_TRUE(Result(3010).outcome.reboot_required);
  EXPECT_FALSE(Result(3010).outcome.restart_mandatory);
  EXPECT_TRUE(Result(1641).status.ok());
  EXPECT_TRUE(Result(1641).outcome.reboot_required);
  EXPECT_TRUE(Result(1641).outcome.restart_mandatory);
  for (const int code : {1, 255, 1603, 3011, -1}) {
    EXPECT_EQ(HResultOf(Result(code).status), hr::kWuEUhInstallerfailure);
    EXPECT_EQ(Result(code).outcome.unmapped_result_code, code);
    EXPECT_THAT(std::string(Result(code).status.message()),
                EndsWith("it said: what it said"));
  }
}

TEST(ExecResultTest, WhatThePublisherSaysComesFirst) {
  EXPECT_EQ(HResultOf(Result(0, Listing(0, ExitCode::MEANING_FAILURE)).status),
            hr::kWuEUhInstallerfailure);
  const ApplyResult silent =
      Result(3010, Listing(3010, ExitCode::MEANING_SUCCESS));
  EXPECT_TRUE(silent.status.ok());
  EXPECT_FALSE(silent.outcome.reboot_required);
  const ApplyResult begun =
      Result(1641, Listing(1641, ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED));
  EXPECT_TRUE(begun.outcome.restart_mandatory);
  const ApplyResult later =
      Result(10, Listing(10, ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED));
  EXPECT_TRUE(later.outcome.reboot_required);
  EXPECT_FALSE(later.outcome.restart_mandatory);
  EXPECT_EQ(HResultOf(Result(4, Listing(4, ExitCode::MEANING_FAILURE,
                                        hr::kErrorDiskFull))
                          .status),
            hr::kErrorDiskFull);
  // Listed without a meaning is not listed.
  EXPECT_TRUE(Result(3010, Listing(3010, ExitCode::MEANING_UNSPECIFIED))
                  .outcome.reboot_required);
}

TEST(ExecResultTest, AlreadyDone) {
  const auto exec = Listing(7, ExitCode::MEANING_ALREADY_INSTALLED);
  EXPECT_EQ(Result(7, exec).outcome.hresult, hr::kWuSAlreadyInstalled);
  EXPECT_EQ(Result(7, exec, Operation::kUninstall).outcome.hresult,
            hr::kWuSAlreadyUninstalled);
}

TEST(ExecResultTest, Signals) {
  platform::ProcessResult result;
  result.exit_code = -1;
  result.signal = 9;
  const ApplyResult ended =
      ExecResult(Operation::kInstall, {}, result, "update");
  EXPECT_EQ(HResultOf(ended.status), hr::kWuEUhInstallerfailure);
  EXPECT_EQ(ended.outcome.unmapped_result_code, 137);
  EXPECT_THAT(std::string(ended.status.message()), HasSubstr("signal 9"));
}

}  // namespace
}  // namespace usher::install
