#include "publisher/staging.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::Rule;
using repository::v1::UpdateDescription;
using Rules = google::protobuf::RepeatedPtrField<Rule>;

bool IsShare(const Rule& rule) {
  return rule.has_rollout() && rule.rollout().seed().empty();
}

bool IsChannels(const Rule& rule) { return rule.has_channel(); }

// The parts that must all hold.
Rules PartsOf(const UpdateDescription& description) {
  Rules parts;
  if (!description.has_is_installable()) return parts;
  const Rule& rule = description.is_installable();
  if (rule.has_all_of()) return rule.all_of().rules();
  *parts.Add() = rule;
  return parts;
}

// Puts the staging's rules first, in one order, so that the same staging gives
// the same description.
void Set(const Staging& staging, UpdateDescription& description) {
  Rule::List list;
  if (staging.basis_points < catalog::kAllBasisPoints) {
    list.add_rules()->mutable_rollout()->set_basis_points(staging.basis_points);
  }
  if (!staging.channels.empty()) {
    auto& rule = *list.add_rules()->mutable_channel();
    for (const std::string& channel : staging.channels) {
      rule.add_channels(channel);
    }
  }
  const bool staged = !list.rules().empty();
  bool was_staged = false;
  for (Rule& part : PartsOf(description)) {
    if (IsShare(part) || IsChannels(part)) {
      was_staged = true;
    } else {
      *list.add_rules() = std::move(part);
    }
  }
  if (!staged && !was_staged) return;
  if (list.rules().empty()) {
    description.clear_is_installable();
  } else {
    *description.mutable_is_installable()->mutable_all_of() = std::move(list);
  }
}

bool TestsStaging(const Rule& rule) {
  const auto any = [](const Rule::List& list) {
    return std::any_of(list.rules().begin(), list.rules().end(), TestsStaging);
  };
  return rule.has_rollout() || rule.has_channel() ||
         (rule.has_all_of() && any(rule.all_of())) ||
         (rule.has_any_of() && any(rule.any_of())) ||
         (rule.has_not_() && TestsStaging(rule.not_()));
}

}  // namespace

Staging StagingOf(const UpdateDescription& description) {
  Staging staging;
  for (const Rule& part : PartsOf(description)) {
    if (IsShare(part)) {
      staging.basis_points =
          std::min(staging.basis_points, part.rollout().basis_points());
    } else if (IsChannels(part)) {
      const std::set<std::string> channels(part.channel().channels().begin(),
                                           part.channel().channels().end());
      staging.channels.assign(channels.begin(), channels.end());
    }
  }
  return staging;
}

void SetShare(int basis_points, UpdateDescription& description) {
  Staging staging = StagingOf(description);
  staging.basis_points = basis_points;
  Set(staging, description);
}

void SetChannels(const std::vector<std::string>& channels,
                 UpdateDescription& description) {
  Staging staging = StagingOf(description);
  const std::set<std::string> sorted(channels.begin(), channels.end());
  staging.channels.assign(sorted.begin(), sorted.end());
  Set(staging, description);
}

absl::Status CheckStaging(const UpdateDescription& description) {
  if (TestsStaging(description.is_installed())) {
    return Error(hr::kWuEEeInvalidExpression,
                 "a rollout and channels decide what is offered, not what is "
                 "installed; they belong to is_installable");
  }
  const Rules parts = PartsOf(description);
  if (std::count_if(parts.begin(), parts.end(), IsShare) > 1) {
    return Error(hr::kWuEEeInvalidExpression,
                 "two rollouts without a seed; leave one of them out or give "
                 "it a seed");
  }
  if (std::count_if(parts.begin(), parts.end(), IsChannels) > 1) {
    return Error(hr::kWuEEeInvalidExpression,
                 "two rules about channels; name all channels in one of them");
  }
  return absl::OkStatus();
}

absl::optional<int> BasisPointsOf(double percent) {
  // Also false for what is no number.
  if (!(percent >= 0 && percent <= 100)) return absl::nullopt;
  const double exact = percent * 100;
  const double whole = std::round(exact);
  // Decimal fractions are not exact in binary.
  if (std::abs(exact - whole) > 1e-9 || (whole == 0 && percent > 0)) {
    return absl::nullopt;
  }
  return static_cast<int>(whole);
}

absl::optional<int> ParsePercent(absl::string_view text) {
  absl::ConsumeSuffix(&text, "%");
  double percent = 0;
  if (text.empty() ||
      !std::all_of(text.begin(), text.end(),
                   [](char c) { return absl::ascii_isdigit(c) || c == '.'; }) ||
      !absl::SimpleAtod(text, &percent)) {
    return absl::nullopt;
  }
  return BasisPointsOf(percent);
}

std::string FormatPercent(int basis_points) {
  const int fraction = basis_points % 100;
  std::string text = absl::StrCat(basis_points / 100);
  if (fraction == 0) return text;
  absl::StrAppend(&text, ".", fraction / 10);
  if (fraction % 10 != 0) absl::StrAppend(&text, fraction % 10);
  return text;
}

}  // namespace usher::publisher
