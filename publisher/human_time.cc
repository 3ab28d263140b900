#include "publisher/human_time.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"

namespace usher::publisher {
namespace {

constexpr int64_t kMaxHours = int64_t{100} * 365 * 24;

absl::Status Unreadable(absl::string_view text) {
  return Error(hr::kEInvalidarg,
               absl::StrCat("cannot read \"", text,
                            "\" as a time; write \"in 90 days\", \"2 weeks\", "
                            "\"36h\" or \"2027-01-31T00:00:00Z\""),
               text);
}

absl::Status UnreadableSpan(absl::string_view text) {
  return Error(hr::kEInvalidarg,
               absl::StrCat("cannot read \"", text,
                            "\" as a span of time; write \"90 days\", \"1 week "
                            "2 days\" or \"36h\""),
               text);
}

// One unit; zero for an unknown one.
absl::Duration UnitOf(absl::string_view unit) {
  struct Name {
    absl::string_view text;
    absl::Duration length;
  };
  static constexpr absl::Duration kDay = absl::Hours(24);
  static const Name kNames[] = {
      {"s", absl::Seconds(1)},
      {"second", absl::Seconds(1)},
      {"m", absl::Minutes(1)},
      {"minute", absl::Minutes(1)},
      {"h", absl::Hours(1)},
      {"hour", absl::Hours(1)},
      {"d", kDay},
      {"day", kDay},
      {"w", 7 * kDay},
      {"week", 7 * kDay},
      {"month", 30 * kDay},
      {"year", 365 * kDay},
  };
  for (const Name& name : kNames) {
    if (unit == name.text ||
        (name.text.size() > 1 && unit == absl::StrCat(name.text, "s"))) {
      return name.length;
    }
  }
  return absl::ZeroDuration();
}

template <typename Predicate>
absl::string_view TakeWhile(absl::string_view& text, Predicate predicate) {
  size_t length = 0;
  while (length < text.size() &&
         predicate(static_cast<unsigned char>(text[length]))) {
    ++length;
  }
  const absl::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

// `unreadable`: the error if it is no span.
absl::StatusOr<absl::Duration> ReadSpan(absl::string_view text,
                                        const absl::Status& unreadable) {
  const std::string lower =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  absl::string_view rest = lower;
  if (rest.empty()) return unreadable;
  absl::Duration total = absl::ZeroDuration();
  while (!rest.empty()) {
    const absl::string_view digits = TakeWhile(rest, absl::ascii_isdigit);
    rest = absl::StripLeadingAsciiWhitespace(rest);
    const absl::Duration unit = UnitOf(TakeWhile(rest, absl::ascii_isalpha));
    rest = absl::StripLeadingAsciiWhitespace(rest);
    int64_t number = 0;
    if (unit == absl::ZeroDuration() || !absl::SimpleAtoi(digits, &number)) {
      return unreadable;
    }
    total += unit * number;
    if (total > absl::Hours(kMaxHours)) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("\"", text, "\" is longer than 100 years"),
                   text);
    }
  }
  return total;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text) {
  if (absl::StripAsciiWhitespace(text) == "0") return absl::ZeroDuration();
  return ReadSpan(text, UnreadableSpan(text));
}

absl::StatusOr<absl::Time> ParseRfc3339(absl::string_view text) {
  absl::Time time;
  std::string reason;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &reason) ||
      absl::ParseTime("%Y-%m-%d", text, &time, &reason)) {
    return time;
  }
  return Unreadable(text);
}

absl::StatusOr<absl::Time> ParseFutureTime(absl::string_view text,
                                           absl::Time now) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  absl::Time result;
  if (const auto date = ParseRfc3339(trimmed); date.ok()) {
    result = *date;
  } else {
    absl::string_view span = trimmed;
    absl::ConsumePrefix(&span, "in ");
    const auto duration = ReadSpan(span, Unreadable(text));
    if (!duration.ok()) return duration.status();
    result = now + *duration;
  }
  if (result <= now || result > now + absl::Hours(kMaxHours)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("\"", text, "\" means ", FormatUtc(result),
                              ", which is not within the next 100 years"),
                 text);
  }
  return absl::FromUnixSeconds(absl::ToUnixSeconds(result));
}

std::string FormatUtc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

namespace {

// "" if it is not set.
absl::string_view FixedTime() {
  const char* fixed = std::getenv("SOURCE_DATE_EPOCH");
  return fixed == nullptr ? "" : fixed;
}

bool ReadSeconds(absl::string_view text, int64_t& seconds) {
  // The year 9999: what the metadata can say.
  constexpr int64_t kMaxSeconds = 253'402'300'799;
  return absl::SimpleAtoi(text, &seconds) && seconds >= 0 &&
         seconds <= kMaxSeconds;
}

}  // namespace

absl::Time PublicationTime() {
  int64_t seconds = 0;
  if (ReadSeconds(FixedTime(), seconds)) {
    return absl::FromUnixSeconds(seconds);
  }
  return absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
}

absl::Status CheckPublicationTime() {
  int64_t seconds = 0;
  if (FixedTime().empty() || ReadSeconds(FixedTime(), seconds)) {
    return absl::OkStatus();
  }
  return Error(hr::kEInvalidarg,
               absl::StrCat("SOURCE_DATE_EPOCH is \"", FixedTime(),
                            "\", and must be seconds since 1970"),
               "SOURCE_DATE_EPOCH");
}

}  // namespace usher::publisher
