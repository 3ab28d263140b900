// gRPC's own lines in the log: as few and as harmless as any other.

#include "service/grpc_log.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class GrpcLogTest : public ::testing::Test {
 protected:
  GrpcLogTest() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("captured", sink);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
    ::testing::internal::CaptureStderr();
    grpc_init();
    StartGrpcLog();
  }
  ~GrpcLogTest() override {
    StopGrpcLog();
    grpc_shutdown();
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    spdlog::set_default_logger(before_);
  }

  std::vector<std::string> Lines() const {
    return absl::StrSplit(text_.str(), '\n', absl::SkipEmpty());
  }

  const std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

TEST_F(GrpcLogTest, WhatAClientSendsMakesNoLineOfItsOwn) {
  gpr_log(GPR_ERROR, "value=%s", "x\n2026-01-01 info call forged \x1b[2J");
  EXPECT_THAT(Lines(),
              ElementsAre(AllOf(HasSubstr("warning gRPC: value=x\\n2026"),
                                HasSubstr("\\033[2J"))));
}

TEST_F(GrpcLogTest, LongLinesAreCut) {
  gpr_log(GPR_ERROR, "%s", std::string(100'000, 'x').c_str());
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_THAT(Lines()[0], AllOf(HasSubstr("xxx"), SizeIs(::testing::Lt(600))));
}

TEST_F(GrpcLogTest, NobodyFillsTheLogThroughIt) {
  for (int i = 0; i < 1000; ++i) gpr_log(GPR_ERROR, "line");
  EXPECT_THAT(Lines(), SizeIs(::testing::Lt(100)));
  EXPECT_THAT(Lines().back(), HasSubstr("more are suppressed"));
  StopGrpcLog();
  EXPECT_THAT(Lines().back(), HasSubstr("more suppressed"));
  const size_t lines = Lines().size();
  gpr_log(GPR_ERROR, "after the end");
  EXPECT_THAT(Lines(), SizeIs(lines));
}

TEST_F(GrpcLogTest, TheLevelOfTheLogCounts) {
  spdlog::default_logger_raw()->set_level(spdlog::level::off);
  for (int i = 0; i < 1000; ++i) gpr_log(GPR_ERROR, "line");
  StopGrpcLog();
  EXPECT_THAT(Lines(), IsEmpty());
}

}  // namespace
}  // namespace usher::daemon
