#ifndef USHER_CLIENT_CLI_TEXT_H_
#define USHER_CLIENT_CLI_TEXT_H_

// Text for people. Pure functions.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::cli {

// What to do with line breaks in text that a terminal gets.
enum class LineBreaks { kToSpaces, kKeep };

// Makes text that somebody else wrote safe for a terminal: control characters
// (C0, C1, DEL) and those that reorder text are dropped, tabs become spaces,
// bytes that are not UTF-8 become '?'.
std::string Clean(absl::string_view text,
                  LineBreaks breaks = LineBreaks::kToSpaces);

// Columns that cleaned text takes: its code points, two for wide (East Asian)
// ones, none for combining marks.
int DisplayWidth(absl::string_view text);

// At most `width` columns of cleaned text, the end replaced by "…".
std::string Shorten(absl::string_view text, int width);

// Shortened or filled with spaces to exactly `width` columns.
std::string Pad(absl::string_view text, int width);

// "0 B", "999 B", "1.5 kB", "23 MB": decimal units.
std::string FormatBytes(int64_t bytes);

// "1 update", "2 updates".
std::string Counted(int64_t count, absl::string_view noun);

// "4 s", "3 min 20 s", "2 h 5 min".
std::string HumanDuration(absl::Duration duration);

// "2026-11-22 17:42:41" in the local time zone.
std::string FormatLocalTime(absl::Time time);

// RFC 3339 in UTC, for machines.
std::string FormatUtc(absl::Time time);

// Whether text is a UUID in its usual form of 36 characters.
bool LooksLikeUuid(absl::string_view text);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_TEXT_H_
