// What the Service Control Manager is told, and when.

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/platform/managed_service_win.h"

namespace usher::platform {
namespace {

using ::testing::ElementsAre;
using State = ServiceReport::State;

// Keeps what is reported.
class Manager {
 public:
  void Take(const ServiceReport& report) {
    absl::MutexLock lock(&mutex_);
    reports_.push_back(report);
    mutex_.Await(absl::Condition(&answers_));
  }

  // Whether it answers reports; if not, they wait until it does.
  void SetAnswers(bool answers) {
    absl::MutexLock lock(&mutex_);
    answers_ = answers;
  }

  // Waits for so many reports.
  std::vector<ServiceReport> WaitFor(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count] {
      mutex_.AssertHeld();
      return reports_.size() >= count;
    };
    EXPECT_TRUE(
        mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Minutes(1)));
    return reports_;
  }

  std::vector<State> States() {
    absl::MutexLock lock(&mutex_);
    std::vector<State> states;
    for (const ServiceReport& report : reports_) {
      if (states.empty() || states.back() != report.state) {
        states.push_back(report.state);
      }
    }
    return states;
  }

 private:
  absl::Mutex mutex_;
  bool answers_ ABSL_GUARDED_BY(mutex_) = true;
  std::vector<ServiceReport> reports_ ABSL_GUARDED_BY(mutex_);
};

class ManagedServiceTest : public ::testing::Test {
 protected:
  Manager manager_;
  ManagedService service_{
      [this](const ServiceReport& report) { manager_.Take(report); }};
};

TEST_F(ManagedServiceTest, ReportsProgressWhileItStarts) {
  const std::vector<ServiceReport> reports = manager_.WaitFor(3);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(reports[i].state, State::kStarting);
    EXPECT_EQ(reports[i].checkpoint, i + 1);
    EXPECT_GT(reports[i].wait_hint, 1000u);
  }
}

TEST_F(ManagedServiceTest, GoesForwardOnly) {
  service_.ReportRunning();
  service_.ReportStopping();
  service_.ReportRunning();
  service_.ReportStopped(0);
  service_.ReportStopping();
  service_.ReportStopped(5);
  EXPECT_THAT(manager_.States(),
              ElementsAre(State::kStarting, State::kRunning, State::kStopping,
                          State::kStopped));
  EXPECT_EQ(manager_.WaitFor(4).back().exit_code, 0);
}

TEST_F(ManagedServiceTest, SettledStatesHaveNoCheckpoint) {
  service_.ReportRunning();
  EXPECT_EQ(manager_.WaitFor(2).back().checkpoint, 0u);
  EXPECT_EQ(manager_.WaitFor(2).back().wait_hint, 0u);
  service_.ReportStopping();
  EXPECT_GE(manager_.WaitFor(3).back().checkpoint, 1u);
  service_.ReportStopped(3);
  const ServiceReport last = manager_.WaitFor(4).back();
  EXPECT_EQ(last.checkpoint, 0u);
  EXPECT_EQ(last.wait_hint, 0u);
  EXPECT_EQ(last.exit_code, 3);
}

// A report of progress is under way when the service has stopped: without the
// last report the manager would wait for ever, and so would the process.
TEST_F(ManagedServiceTest, TheLastReportWaitsForAnother) {
  manager_.SetAnswers(false);
  manager_.WaitFor(2);  // the progress thread is in the manager now
  absl::Notification reported;
  std::thread stopping([&] {
    service_.ReportStopped(3);
    reported.Notify();
  });
  EXPECT_FALSE(reported.WaitForNotificationWithTimeout(absl::Milliseconds(50)));
  manager_.SetAnswers(true);
  stopping.join();
  const ServiceReport last = manager_.WaitFor(3).back();
  EXPECT_EQ(last.state, State::kStopped);
  EXPECT_EQ(last.exit_code, 3);
}

TEST_F(ManagedServiceTest, AProcessThatMustEndDoesNotWaitForEver) {
  manager_.SetAnswers(false);
  manager_.WaitFor(2);
  EXPECT_FALSE(service_.TryReportStopped(5, absl::Milliseconds(50)));
  EXPECT_EQ(manager_.States().back(), State::kStarting);
  bool reported = false;
  std::thread ending(
      [&] { reported = service_.TryReportStopped(5, absl::Minutes(1)); });
  manager_.SetAnswers(true);
  ending.join();
  EXPECT_TRUE(reported);
  EXPECT_EQ(manager_.WaitFor(3).back().state, State::kStopped);
  EXPECT_EQ(manager_.WaitFor(3).back().exit_code, 5);
}

TEST_F(ManagedServiceTest, AsksTheServiceToStopOnce) {
  int asked = 0;
  service_.ReportRunning();
  service_.CallOnStop([&asked] { ++asked; });
  service_.RequestStop();
  service_.RequestStop();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(manager_.States().back(), State::kStopping);
}

TEST_F(ManagedServiceTest, KeepsARequestThatCameTooEarly) {
  service_.RequestStop();
  int asked = 0;
  service_.CallOnStop([&asked] { ++asked; });
  EXPECT_EQ(asked, 1);
  service_.ReportRunning();
  EXPECT_EQ(manager_.States().back(), State::kStopping);
}

}  // namespace
}  // namespace usher::platform
