#include "common/tuf/delegation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/sha256.h"
#include "common/tuf/path_pattern.h"

namespace usher::tuf {
namespace {

constexpr char kTopLevel[] = "targets";

// The hexadecimal digits of a bin's number: as many as the last one has.
int BinDigits(const SuccinctRoles& bins) {
  constexpr int64_t kBitsPerDigit = 4;
  return static_cast<int>((bins.bit_length + kBitsPerDigit - 1) /
                          kBitsPerDigit);
}

bool IsBin(const SuccinctRoles& bins, absl::string_view name) {
  const std::string prefix = absl::StrCat(bins.name_prefix, "-");
  if (!absl::StartsWith(name, prefix)) return false;
  const absl::string_view digits = name.substr(prefix.size());
  uint64_t number = 0;
  return static_cast<int>(digits.size()) == BinDigits(bins) &&
         digits.find_first_not_of("0123456789abcdef") ==
             absl::string_view::npos &&
         absl::SimpleHexAtoi(digits, &number) &&
         number >> static_cast<uint64_t>(bins.bit_length) == 0;
}

// Who is asked about a target, in order; nobody comes after a terminating one.
struct Asked {
  std::vector<std::string> roles;
  bool terminating = false;
};

Asked WhoIsAsked(const Delegations& delegations, absl::string_view target) {
  Asked asked;
  if (delegations.succinct_roles.has_value()) {
    // A target belongs to one bin.
    asked.roles.push_back(BinFor(*delegations.succinct_roles, target));
    asked.terminating = true;
    return asked;
  }
  if (!delegations.roles.has_value()) return asked;
  for (const DelegatedRole& delegated : *delegations.roles) {
    if (!IsDelegatedTo(delegated, target)) continue;
    asked.roles.push_back(delegated.name);
    if (delegated.terminating) {
      asked.terminating = true;
      break;
    }
  }
  return asked;
}

}  // namespace

bool IsDelegatedTo(const DelegatedRole& delegated, absl::string_view target) {
  if (delegated.paths.has_value()) {
    return std::any_of(delegated.paths->begin(), delegated.paths->end(),
                       [target](const std::string& pattern) {
                         return MatchesPathPattern(pattern, target);
                       });
  }
  if (!delegated.path_hash_prefixes.has_value()) return false;
  const std::string hash = ToHex(Sha256Of(target));
  return std::any_of(delegated.path_hash_prefixes->begin(),
                     delegated.path_hash_prefixes->end(),
                     [&hash](const std::string& prefix) {
                       return absl::StartsWith(hash, prefix);
                     });
}

std::string BinName(const SuccinctRoles& bins, uint64_t n) {
  return absl::StrFormat("%s-%0*x", bins.name_prefix, BinDigits(bins), n);
}

std::string BinFor(const SuccinctRoles& bins, absl::string_view target) {
  // The first bits of the hash, as a number.
  constexpr int64_t kBits = 32;
  const Sha256Digest digest = Sha256Of(target);
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(uint32_t); ++i) {
    number = number << 8U | static_cast<uint8_t>(digest[i]);
  }
  return BinName(bins,
                 number >> static_cast<uint64_t>(kBits - bins.bit_length));
}

const Role* FindRole(const Delegations& delegations, absl::string_view name) {
  if (delegations.succinct_roles.has_value() &&
      IsBin(*delegations.succinct_roles, name)) {
    return &delegations.succinct_roles->role;
  }
  if (!delegations.roles.has_value()) return nullptr;
  const auto it =
      std::find_if(delegations.roles->begin(), delegations.roles->end(),
                   [name](const DelegatedRole& delegated) {
                     return delegated.name == name;
                   });
  return it == delegations.roles->end() ? nullptr : &it->role;
}

TargetSearch::TargetSearch(std::string target, Limits limits)
    : target_(std::move(target)), limits_(limits) {
  to_visit_.push_back({{kTopLevel, ""}, 0});
}

absl::StatusOr<std::optional<TargetSearch::Step>> TargetSearch::Next() {
  while (!to_visit_.empty()) {
    Pending next = std::move(to_visit_.back());
    to_visit_.pop_back();
    if (visited_.contains(next.step.role)) continue;
    if (visited_.size() >= limits_.max_roles ||
        next.depth > limits_.max_depth) {
      return Error(
          hr::kWuEMetadataSignatureVerifyFailed,
          absl::StrCat("the search for ", target_, " comes to more than ",
                       limits_.max_roles, " roles, or to one more than ",
                       limits_.max_depth, " levels deep"),
          target_);
    }
    visited_.insert(next.step.role);
    current_ = std::move(next);
    return current_.step;
  }
  return std::nullopt;
}

const TargetInfo* TargetSearch::Visit(const Targets& targets) {
  if (const auto it = targets.targets.find(target_);
      it != targets.targets.end()) {
    to_visit_.clear();
    return &it->second;
  }
  if (!targets.delegations.has_value()) return nullptr;
  const Asked asked = WhoIsAsked(*targets.delegations, target_);
  if (asked.terminating) to_visit_.clear();
  // One more than may be visited is enough to come to the limit.
  const size_t count = std::min(asked.roles.size(), limits_.max_roles + 1);
  for (size_t i = count; i > 0; --i) {
    to_visit_.push_back(
        {{asked.roles[i - 1], current_.step.role}, current_.depth + 1});
  }
  return nullptr;
}

}  // namespace usher::tuf
