#include "service/session/line_limit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace usher::session {
namespace {

// Callers that are told apart; those beyond them share one count.
constexpr size_t kMaxCallers = 1024;
constexpr char kOthers[] = "others";
constexpr char kAll[] = "all";
// Callers read the clock before they ask, so they come a little out of order.
constexpr absl::Duration kDisorder = absl::Seconds(1);

}  // namespace

LineLimit::LineLimit(const Limits& limits,
                     std::function<void(const std::string& line)> write)
    : limits_(limits), write_(std::move(write)) {}

LineLimit::~LineLimit() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [who, period] : periods_) SayLeftOut(who, period);
  SayLeftOut(kAll, together_);
}

bool LineLimit::Admit(const std::string& who, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (now >= next_sweep_ || now < last_sweep_ - kDisorder) Sweep(now);
  auto it = periods_.find(who);
  if (it == periods_.end()) {
    const bool full = periods_.size() >= kMaxCallers;
    it =
        periods_.try_emplace(full ? kOthers : who, Period{now + limits_.period})
            .first;
    next_sweep_ = std::min(next_sweep_, it->second.end);
  }
  return Count(it->first, limits_.lines_per_caller, it->second) &&
         Count(kAll, limits_.lines, together_);
}

bool LineLimit::Count(const std::string& who, int max, Period& period) {
  if (period.lines < max) {
    ++period.lines;
    return true;
  }
  if (period.left_out++ == 0) {
    write_(absl::StrCat("log caller=", who, " has caused ", max, " lines in ",
                        absl::FormatDuration(limits_.period),
                        "; more are suppressed"));
  }
  return false;
}

void LineLimit::SayLeftOut(const std::string& who, const Period& period) {
  if (period.left_out == 0) return;
  write_(absl::StrCat("log caller=", who, " ", period.left_out,
                      " more suppressed"));
}

bool LineLimit::IsOver(const Period& period, absl::Time now) const {
  return period.end <= now || period.end - limits_.period > now + kDisorder;
}

void LineLimit::Sweep(absl::Time now) {
  last_sweep_ = now;
  if (IsOver(together_, now)) {
    SayLeftOut(kAll, together_);
    together_ = {now + limits_.period};
  }
  next_sweep_ = together_.end;
  for (auto it = periods_.begin(); it != periods_.end();) {
    if (IsOver(it->second, now)) {
      SayLeftOut(it->first, it->second);
      periods_.erase(it++);
    } else {
      next_sweep_ = std::min(next_sweep_, it->second.end);
      ++it;
    }
  }
}

}  // namespace usher::session
