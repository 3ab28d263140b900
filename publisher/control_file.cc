#include "publisher/control_file.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/utf8.h"

namespace usher::publisher {
namespace {

// A paragraph of the real archive has at most some 30 KB.
constexpr size_t kMaxParagraph = size_t{1024} * 1024;

}  // namespace

absl::StatusOr<ControlParagraph> ControlParagraph::Parse(
    absl::string_view text) {
  ControlParagraph paragraph;
  int line_number = 0;
  // UTF-8 by Debian's policy (5.1); some old or foreign package is not.
  std::string valid;
  if (!IsValidUtf8(text)) {
    valid = ValidUtf8(text);
    text = valid;
  }
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripTrailingAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == ' ' || line.front() == '\t') {
      if (paragraph.fields_.empty()) {
        return Error(hr::kWuEInvalidFile,
                     absl::StrCat("line ", line_number,
                                  " continues a field before the first one"));
      }
      absl::StrAppend(&paragraph.fields_.back().second, "\n", line);
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || colon == 0) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat("line ", line_number,
                                " is not a \"Field: value\" line"));
    }
    paragraph.fields_.emplace_back(
        line.substr(0, colon),
        absl::StripLeadingAsciiWhitespace(line.substr(colon + 1)));
  }
  return paragraph;
}

absl::string_view ControlParagraph::Get(absl::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (absl::EqualsIgnoreCase(field, name)) return value;
  }
  return "";
}

std::string DescriptionSynopsis(absl::string_view description) {
  return std::string(absl::StripAsciiWhitespace(
      description.substr(0, description.find('\n'))));
}

std::string DescriptionBody(absl::string_view description) {
  std::vector<std::string> lines = absl::StrSplit(description, '\n');
  std::string body;
  for (size_t i = 1; i < lines.size(); ++i) {
    absl::string_view line = lines[i];
    if (!line.empty()) line.remove_prefix(1);
    if (line == ".") line = "";
    if (i > 1) body.push_back('\n');
    absl::StrAppend(&body, line);
  }
  return body;
}

absl::Status ParagraphSplitter::Emit(absl::string_view paragraph) {
  if (absl::StripAsciiWhitespace(paragraph).empty()) return absl::OkStatus();
  return sink_(paragraph);
}

absl::Status ParagraphSplitter::Feed(absl::string_view bytes) {
  // The separator may be cut in two by the border between pieces.
  size_t search_from = pending_.empty() ? 0 : pending_.size() - 1;
  pending_.append(bytes.data(), bytes.size());
  size_t start = 0;
  while (true) {
    const size_t end = pending_.find("\n\n", std::max(start, search_from));
    if (end == std::string::npos) break;
    USHER_RETURN_IF_ERROR(
        Emit(absl::string_view(pending_).substr(start, end - start)));
    start = end + 2;
    search_from = start;
  }
  pending_.erase(0, start);
  if (pending_.size() > kMaxParagraph) {
    return Error(hr::kWuEInvalidFile,
                 "a paragraph is larger than 1 MiB; this is not a package "
                 "index");
  }
  return absl::OkStatus();
}

absl::Status ParagraphSplitter::Finish() {
  const std::string last = std::exchange(pending_, "");
  return Emit(last);
}

}  // namespace usher::publisher
