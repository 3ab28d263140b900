#include "client/cli/console.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "client/cli/terminal.h"
#include "client/cli/text.h"

namespace usher::cli {
namespace {

constexpr absl::Duration kLineInterval = absl::Seconds(5);
constexpr absl::Duration kSampleInterval = absl::Milliseconds(500);

absl::string_view CodeOf(Style style) {
  switch (style) {
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
    default:
      return "";
  }
}

void WriteTo(std::FILE* file, absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace

ConsoleSettings DetectConsole(bool json, bool quiet, bool no_color) {
  const char* unwanted = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool color = !no_color && (unwanted == nullptr || *unwanted == '\0') &&
                     (term == nullptr || absl::string_view(term) != "dumb");
  ConsoleSettings settings;
  settings.json = json;
  settings.quiet = quiet;
  settings.color_out = color && StdoutIsTerminal();
  settings.color_err = color && StderrIsTerminal();
  settings.progress_bar = StderrIsTerminal();
  settings.can_ask = !json && StdinIsTerminal() && StderrIsTerminal();
  settings.width = std::clamp(TerminalWidth(), 20, 400);
  return settings;
}

std::string Console::Render(const std::vector<Span>& spans, bool color) const {
  std::string line;
  for (const Span& span : spans) {
    const absl::string_view code = color ? CodeOf(span.style) : "";
    absl::StrAppend(&line, code, Clean(span.text),
                    code.empty() ? "" : "\x1b[0m");
  }
  return line;
}

void Console::Line(const std::vector<Span>& spans) {
  if (settings_.json) return;
  absl::MutexLock lock(&mutex_);
  WriteTo(stdout, absl::StrCat(Render(spans, settings_.color_out), "\n"));
}

void Console::Paragraph(absl::string_view text, int indent) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  const std::string clean = Clean(text, LineBreaks::kKeep);
  for (const absl::string_view line : absl::StrSplit(clean, '\n')) {
    Line(absl::StrCat(margin, line));
  }
}

void Console::Table(const std::vector<std::string>& header,
                    const std::vector<std::vector<Span>>& rows) {
  if (settings_.json || header.empty()) return;
  constexpr int kGap = 2;
  std::vector<int> widths;
  widths.reserve(header.size());
  for (const std::string& title : header) widths.push_back(DisplayWidth(title));
  for (const std::vector<Span>& row : rows) {
    for (size_t i = 0; i < header.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(Clean(row[i].text)));
    }
  }
  int before = 0;
  for (size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + kGap;
  // Only a terminal has an edge; a pipe gets whole texts.
  if (StdoutIsTerminal()) {
    widths.back() =
        std::max(DisplayWidth(header.back()), settings_.width - before);
  }
  const auto print = [&](const std::vector<Span>& row) {
    std::vector<Span> cells;
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      cells.push_back({Pad(Clean(row[i].text), widths[i]), row[i].style});
      cells.push_back({std::string(kGap, ' ')});
    }
    cells.push_back(
        {Shorten(Clean(row.back().text), widths.back()), row.back().style});
    Line(cells);
  };
  std::vector<Span> titles;
  titles.reserve(header.size());
  for (const std::string& title : header) {
    titles.push_back({title, Style::kBold});
  }
  print(titles);
  for (const std::vector<Span>& row : rows) print(row);
}

void Console::JsonElement(absl::string_view element) {
  absl::MutexLock lock(&mutex_);
  if (json_ended_) return;
  WriteTo(stdout,
          absl::StrCat(json_begun_ ? ",\n" : "{\"updates\": [\n", element));
  json_begun_ = true;
}

void Console::EndJson(absl::string_view members) {
  absl::MutexLock lock(&mutex_);
  if (json_ended_) return;
  WriteTo(stdout,
          absl::StrCat(json_begun_ ? "\n],\n" : "{\n", members, "\n}\n"));
  json_ended_ = true;
}

void Console::WriteErr(absl::string_view text) {
  if (bar_shown_) WriteTo(stderr, "\r\x1b[K");
  bar_shown_ = false;
  WriteTo(stderr, text);
  std::fflush(stderr);
}

void Console::Note(absl::string_view text, Style style) {
  if (settings_.json || settings_.quiet) return;
  absl::MutexLock lock(&mutex_);
  WriteErr(absl::StrCat(
      Render({{std::string(text), style}}, settings_.color_err), "\n"));
}

void Console::ErrorLine(const std::vector<Span>& spans) {
  absl::MutexLock lock(&mutex_);
  WriteErr(absl::StrCat(Render(spans, settings_.color_err), "\n"));
}

void Console::Progress(const ProgressState& state) {
  if (settings_.json || settings_.quiet) return;
  absl::MutexLock lock(&mutex_);
  const absl::Time now = absl::Now();
  if (last_bytes_ < 0 || state.bytes < last_bytes_) {
    last_sample_ = now;
    last_bytes_ = state.bytes;
    speed_ = 0;
  } else if (now - last_sample_ >= kSampleInterval) {
    const double latest = static_cast<double>(state.bytes - last_bytes_) /
                          absl::ToDoubleSeconds(now - last_sample_);
    speed_ = speed_ == 0 ? latest : 0.7 * speed_ + 0.3 * latest;
    last_sample_ = now;
    last_bytes_ = state.bytes;
  }
  if (settings_.progress_bar) {
    WriteErr(RenderProgress(state, speed_, settings_.width - 1, /*bar=*/true));
    bar_shown_ = true;
    return;
  }
  // A log gets a line when something new begins and then now and then.
  if (state.what == progress_of_ &&
      (now - last_line_ < kLineInterval || state.percent == last_percent_)) {
    return;
  }
  progress_of_ = state.what;
  last_percent_ = state.percent;
  last_line_ = now;
  WriteErr(absl::StrCat(
      RenderProgress(state, speed_, settings_.width, /*bar=*/false), "\n"));
}

void Console::EndProgress() {
  absl::MutexLock lock(&mutex_);
  WriteErr("");
  last_bytes_ = -1;
  progress_of_.clear();
}

bool Console::Ask(absl::string_view question, bool fallback) {
  if (!settings_.can_ask) return fallback;
  {
    absl::MutexLock lock(&mutex_);
    WriteErr(absl::StrCat(Clean(question), fallback ? " [Y/n] " : " [y/N] "));
  }
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;
  if (answer.empty()) return fallback;
  return answer[0] == 'y' || answer[0] == 'Y';
}

std::string RenderProgress(const ProgressState& state, double bytes_per_second,
                           int width, bool bar) {
  const int percent = std::clamp(state.percent, 0, 100);
  std::string numbers = absl::StrCat(percent < 10    ? "  "
                                     : percent < 100 ? " "
                                                     : "",
                                     percent, " %");
  if (state.total_bytes > 0) {
    absl::StrAppend(&numbers, "  ", FormatBytes(state.bytes), " of ",
                    FormatBytes(state.total_bytes));
    if (bytes_per_second >= 1) {
      absl::StrAppend(&numbers, "  ",
                      FormatBytes(static_cast<int64_t>(bytes_per_second)),
                      "/s");
      if (state.bytes < state.total_bytes) {
        const double left =
            static_cast<double>(state.total_bytes - state.bytes) /
            bytes_per_second;
        absl::StrAppend(&numbers, "  ", HumanDuration(absl::Seconds(left)),
                        " left");
      }
    }
  }
  const std::string what = Clean(state.what);
  if (!bar) return absl::StrCat(what, " ", numbers);
  constexpr int kBar = 20;
  const int room = width - DisplayWidth(numbers) - 1;
  const bool has_bar = room - kBar - 3 >= 10;
  const int name_width = std::max(0, has_bar ? room - kBar - 3 : room);
  std::string line =
      Pad(what, std::min(name_width, std::max(30, DisplayWidth(what))));
  if (has_bar) {
    const int filled = kBar * percent / 100;
    absl::StrAppend(&line, " [", std::string(static_cast<size_t>(filled), '#'),
                    std::string(static_cast<size_t>(kBar - filled), '.'), "]");
  }
  return absl::StrCat(line, " ", numbers);
}

}  // namespace usher::cli
