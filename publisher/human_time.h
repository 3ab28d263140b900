#ifndef USHER_PUBLISHER_HUMAN_TIME_H_
#define USHER_PUBLISHER_HUMAN_TIME_H_

// Points in time as people write them.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::publisher {

// Reads a span of time: one or more "NUMBER UNIT" pairs, the unit being
// seconds, minutes, hours, days, weeks, months (30 days) or years (365 days),
// singular, plural or s, m, h, d, w; for example "90 days", "1 week 2 days",
// "36h"; or 0. At most 100 years. E_INVALIDARG with the accepted forms.
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text);

// Reads a point in time after `now`: a span, with or without "in" before it,
// or RFC 3339 ("2027-01-31T00:00:00Z", "2027-01-31"). The result has whole
// seconds. E_INVALIDARG when it is not readable or not in the future.
absl::StatusOr<absl::Time> ParseFutureTime(absl::string_view text,
                                           absl::Time now);

// Reads RFC 3339, with or without the time of day (midnight UTC).
absl::StatusOr<absl::Time> ParseRfc3339(absl::string_view text);

// "2027-01-31T00:00:00Z".
std::string FormatUtc(absl::Time time);

// The time of the publication: SOURCE_DATE_EPOCH (seconds since 1970) when
// that variable is set, so that builds can be reproduced; the clock otherwise.
// Whole seconds.
absl::Time PublicationTime();
// E_INVALIDARG if that variable is set to something else.
absl::Status CheckPublicationTime();

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_HUMAN_TIME_H_
