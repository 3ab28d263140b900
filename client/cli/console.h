#ifndef USHER_CLIENT_CLI_CONSOLE_H_
#define USHER_CLIENT_CLI_CONSOLE_H_

// Everything the program writes goes through here. Text is cleaned (Clean in
// text.h) on its way out, so that nothing from a catalog can steer a terminal;
// colours are added afterwards.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher::cli {

enum class Style { kPlain, kBold, kDim, kGood, kWarning, kBad };

// A piece of a line.
struct Span {
  std::string text;
  Style style = Style::kPlain;
};

// How the console behaves; made by DetectConsole() in the program, by hand in
// tests.
struct ConsoleSettings {
  bool json = false;   // results are one JSON object; no text on stdout
  bool quiet = false;  // no progress and no remarks
  bool color_out = false;
  bool color_err = false;
  bool progress_bar = false;  // stderr is a terminal
  bool can_ask = false;       // stdin and stderr are terminals
  int width = 80;
};

// What stdout and stderr are, and NO_COLOR (https://no-color.org).
ConsoleSettings DetectConsole(bool json, bool quiet, bool no_color);

// How far an operation is.
struct ProgressState {
  std::string what;   // "Downloading hello 2.10 (1/3)"
  int percent = 0;    // 0 … 100
  int64_t bytes = 0;  // both 0 when bytes are not counted
  int64_t total_bytes = 0;
};

// Thread-safe.
class Console {
 public:
  explicit Console(const ConsoleSettings& settings) : settings_(settings) {}

  const ConsoleSettings& settings() const { return settings_; }

  // A line of result on stdout; nothing with --json.
  void Line(const std::vector<Span>& spans = {});
  void Line(absl::string_view text) { Line({{std::string(text)}}); }
  // Several lines, indented.
  void Paragraph(absl::string_view text, int indent);
  // Rows in columns on stdout, as wide as the terminal allows: the last column
  // gives way. All rows have as many cells as the header.
  void Table(const std::vector<std::string>& header,
             const std::vector<std::vector<Span>>& rows);
  // The next element, as JSON text, of the array "updates" of the program's
  // answer with --json: for answers too long to be gathered.
  void JsonElement(absl::string_view element);
  // Ends the program's answer with `members`, the text of further members of
  // the one object that it is. Whatever comes later is dropped, so that there
  // is one also when an interrupt ends the program in the middle.
  void EndJson(absl::string_view members);

  // A remark on stderr; nothing with --quiet or --json.
  void Note(absl::string_view text, Style style = Style::kDim);
  // An error on stderr, whatever the settings.
  void ErrorLine(const std::vector<Span>& spans);

  // Progress on stderr: a bar that is drawn over on a terminal, a line every
  // few seconds elsewhere; nothing with --quiet or --json.
  void Progress(const ProgressState& state);
  // Removes the bar.
  void EndProgress();

  // Asks on the terminal; `fallback` when nobody can answer.
  bool Ask(absl::string_view question, bool fallback);

 private:
  std::string Render(const std::vector<Span>& spans, bool color) const;
  void WriteErr(absl::string_view text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ConsoleSettings settings_;
  absl::Mutex mutex_;
  bool bar_shown_ ABSL_GUARDED_BY(mutex_) = false;
  bool json_begun_ ABSL_GUARDED_BY(mutex_) = false;
  bool json_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::string progress_of_ ABSL_GUARDED_BY(mutex_);
  int last_percent_ ABSL_GUARDED_BY(mutex_) = -1;
  absl::Time last_line_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // For speed and time left.
  absl::Time last_sample_ ABSL_GUARDED_BY(mutex_);
  int64_t last_bytes_ ABSL_GUARDED_BY(mutex_) = -1;
  double speed_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes per second
};

// The text of a progress line `width` columns wide, without colours: name,
// bar, percentage, bytes, speed, time left. Pure; `bar` false leaves the bar
// out.
std::string RenderProgress(const ProgressState& state, double bytes_per_second,
                           int width, bool bar);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_CONSOLE_H_
