#include "service/session/line_limit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace usher::session {
namespace {

// Callers that are told apart; those beyond them share one count.
constexpr size_t kMaxCallers = 1024;
constexpr char kOthers[] = "others";

}  // namespace

LineLimit::LineLimit(int lines, absl::Duration period,
                     std::function<void(const std::string& line)> write)
    : lines_(lines), period_(period), write_(std::move(write)) {}

LineLimit::~LineLimit() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [who, period] : periods_) SayLeftOut(who, period);
}

bool LineLimit::Admit(const std::string& who, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (now >= next_sweep_) Sweep(now);
  auto it = periods_.find(who);
  if (it == periods_.end()) {
    const bool full = periods_.size() >= kMaxCallers;
    it =
        periods_.try_emplace(full ? kOthers : who, Period{now + period_}).first;
    next_sweep_ = std::min(next_sweep_, it->second.end);
  }
  Period& period = it->second;
  if (period.lines < lines_) {
    ++period.lines;
    return true;
  }
  if (period.left_out++ == 0) {
    write_(absl::StrCat("log caller=", it->first, " has caused ", lines_,
                        " lines in ", absl::FormatDuration(period_),
                        "; more are suppressed"));
  }
  return false;
}

void LineLimit::SayLeftOut(const std::string& who, const Period& period) {
  if (period.left_out == 0) return;
  write_(absl::StrCat("log caller=", who, " ", period.left_out,
                      " more suppressed"));
}

void LineLimit::Sweep(absl::Time now) {
  next_sweep_ = absl::InfiniteFuture();
  for (auto it = periods_.begin(); it != periods_.end();) {
    if (it->second.end <= now) {
      SayLeftOut(it->first, it->second);
      periods_.erase(it++);
    } else {
      next_sweep_ = std::min(next_sweep_, it->second.end);
      ++it;
    }
  }
}

}  // namespace usher::session
