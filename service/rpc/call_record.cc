#include "service/rpc/call_record.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/hresult.h"
#include "common/uuid.h"
#include "service/rpc/status.h"
#include "service/session/core.h"
#include "spdlog/spdlog.h"

namespace usher::rpc {
namespace {

constexpr char kRequestIdKey[] = "x-usher-request-id";
constexpr size_t kMaxRequestId = 64;
constexpr char kSecretKey[] = "x-usher-secret";

// Takes as long for every wrong secret.
bool SameSecret(const grpc::string_ref& given, const std::string& secret) {
  if (given.size() != secret.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < secret.size(); ++i) {
    difference |= static_cast<unsigned char>(given.data()[i]) ^
                  static_cast<unsigned char>(secret[i]);
  }
  return difference == 0;
}

bool IsRequestId(const grpc::string_ref& text) {
  return !text.empty() && text.size() <= kMaxRequestId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

// Unique on this machine: a random part for the process and a number.
std::string MakeRequestId() {
  static const std::string* const prefix =
      new std::string(RandomResourceId().substr(0, 12));
  static std::atomic<uint64_t> next{0};
  return absl::StrCat(*prefix, "-", absl::Hex(next.fetch_add(1)));
}

// A caller's mistakes are the caller's: they must not drown what an
// administrator has to see.
spdlog::level::level_enum LevelOf(absl::StatusCode code,
                                  CallRecord::Kind kind) {
  switch (code) {
    case absl::StatusCode::kOk:
      return kind == CallRecord::Kind::kRead ? spdlog::level::debug
                                             : spdlog::level::info;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return spdlog::level::err;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kResourceExhausted:
      return spdlog::level::warn;
    default:
      return spdlog::level::info;
  }
}

}  // namespace

CallRecord::CallRecord(const grpc::CallbackServerContext& context,
                       const Environment& environment, const char* method,
                       Kind kind)
    : core_(environment.core),
      method_(method),
      kind_(kind),
      start_(std::chrono::steady_clock::now()) {
  call_.caller = environment.caller;
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find(kRequestIdKey);
  call_.request_id = it != metadata.end() && IsRequestId(it->second)
                         ? std::string(it->second.data(), it->second.size())
                         : MakeRequestId();
  if (!environment.secret.empty()) {
    const auto secret = metadata.find(kSecretKey);
    if (secret == metadata.end() ||
        !SameSecret(secret->second, environment.secret)) {
      call_.caller = {kUnknownCaller, /*is_administrator=*/false};
      admitted_ = Error(absl::StatusCode::kUnauthenticated, hr::kEAccessdenied,
                        absl::StrCat("the call lacks the right ", kSecretKey,
                                     " in its metadata; read it from the file "
                                     "that the service wrote for its loopback "
                                     "port"),
                        kSecretKey);
    }
  }
}

grpc::Status CallRecord::Finish(const absl::Status& status) const {
  const spdlog::level::level_enum level = LevelOf(status.code(), kind_);
  spdlog::logger* const logger = spdlog::default_logger_raw();
  if (logger->should_log(level) && MayLog(level)) {
    const int64_t microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - start_)
            .count();
    // Messages quote what callers sent: escaped, so that no caller writes
    // lines of its own into the log.
    logger->log(level,
                "call request_id={} caller={} method={} code={} hresult={} "
                "duration_us={}{}{}",
                call_.request_id, call_.caller.user, method_,
                absl::StatusCodeToString(status.code()),
                FormatHResult(HResultOf(status)), microseconds,
                status.ok() ? "" : " error=",
                status.ok() ? "" : absl::Utf8SafeCEscape(status.message()));
  }
  return ToGrpc(status, call_.request_id);
}

// What goes wrong within the service, and what administrators do, is always
// written. Neither can anybody else cause at will.
bool CallRecord::MayLog(int level) const {
  return level >= spdlog::level::err || level <= spdlog::level::debug ||
         call_.caller.is_administrator ||
         core_.log_lines().Admit(call_.caller.user, absl::Now());
}

}  // namespace usher::rpc
