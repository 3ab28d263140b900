#include "service/logging.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/grpc_log.h"
#include "service/platform/system_log.h"
#include "spdlog/sinks/base_sink.h"
#include "spdlog/sinks/rotating_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

// Constant: a pattern from outside could make spdlog 1.10 spend time
// (CVE-2025-6140).
constexpr char kPattern[] = "%Y-%m-%dT%H:%M:%S.%e%z %l [%t] %v";
constexpr char kManagedPattern[] = "%l [%t] %v";

// Warnings and errors for the machine's log.
class SystemLogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit SystemLogSink(std::shared_ptr<platform::SystemLog> log)
      : log_(std::move(log)) {
    set_level(spdlog::level::warn);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    log_->Write(message.level >= spdlog::level::err
                    ? platform::SystemLog::Severity::kError
                    : platform::SystemLog::Severity::kWarning,
                {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  const std::shared_ptr<platform::SystemLog> log_;
};

// Set by StartLog and StopLog, before and after all other threads.
std::shared_ptr<platform::SystemLog>& Machine() {
  static auto* const log = new std::shared_ptr<platform::SystemLog>();
  return *log;
}

}  // namespace

absl::Status StartLog(const Config& config, bool managed) {
  std::vector<spdlog::sink_ptr> sinks;
  try {
    const auto level = spdlog::level::from_str(config.log_level);
    if (!config.log_file.empty() && level != spdlog::level::off) {
      USHER_RETURN_IF_ERROR(MakeDirectories(config.log_file.parent_path()));
      auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          config.log_file.native(), static_cast<size_t>(config.log_max_bytes),
          static_cast<size_t>(config.log_files));
      file->set_pattern(kPattern);
      sinks.push_back(std::move(file));
    }
    Machine() = platform::SystemLog::Open();
    if (Machine() != nullptr) {
      // Then nobody reads standard error.
      sinks.push_back(std::make_shared<SystemLogSink>(Machine()));
    } else if (config.log_stderr) {
      auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
      terminal->set_pattern(managed ? kManagedPattern : kPattern);
      sinks.push_back(std::move(terminal));
    }
    auto logger =
        std::make_shared<spdlog::logger>("usherd", sinks.begin(), sinks.end());
    logger->set_level(level);
    // Each line is written at once: with the defaults they are few, and a
    // thread that flushes by the clock would keep the machine awake.
    logger->flush_on(level);
    // A full disk must not end the service.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& error) {
    return Error(hr::kWuEUnexpected,
                 absl::StrCat("cannot open the log ",
                              PathToUtf8(config.log_file), ": ", error.what()),
                 "log.file");
  }
  StartGrpcLog();
  return absl::OkStatus();
}

void StopLog() {
  StopGrpcLog();
  spdlog::shutdown();
  Machine().reset();
}

void Announce(const std::string& text) {
  spdlog::info("{}", text);
  if (Machine() != nullptr) {
    Machine()->Write(platform::SystemLog::Severity::kInformation, text);
  }
}

void ReportFailure(absl::string_view text) {
  std::fprintf(stderr, "usherd: %s\n", std::string(text).c_str());
  if (const std::unique_ptr<platform::SystemLog> log =
          platform::SystemLog::Open();
      log != nullptr) {
    log->Write(platform::SystemLog::Severity::kError, text);
  }
}

}  // namespace usher::daemon
