#ifndef USHER_PUBLISHER_CONTROL_FILE_H_
#define USHER_PUBLISHER_CONTROL_FILE_H_

// Paragraphs of "Field: value" text, as in a Debian package's control file and
// in an apt Packages index (Debian Policy, section 5.1).

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::publisher {

// One paragraph. Values keep their continuation lines, joined by '\n'.
class ControlParagraph {
 public:
  // Reads one paragraph; fails with WU_E_INVALID_FILE for a line that is
  // neither a field nor a continuation, naming the line within `text`.
  static absl::StatusOr<ControlParagraph> Parse(absl::string_view text);

  // Value of a field, "" when it is not there. Names are case-insensitive.
  absl::string_view Get(absl::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// First line of a Description field.
std::string DescriptionSynopsis(absl::string_view description);

// The lines after the first as plain text: the leading space dropped, " ." an
// empty line.
std::string DescriptionBody(absl::string_view description);

// Cuts a stream of text into paragraphs, fed piece by piece, so that an index
// of any size needs the memory of one paragraph.
class ParagraphSplitter {
 public:
  // `sink` gets the text of each paragraph; an error from it ends the work.
  explicit ParagraphSplitter(
      std::function<absl::Status(absl::string_view)> sink)
      : sink_(std::move(sink)) {}

  absl::Status Feed(absl::string_view bytes);
  // Hands over the last paragraph.
  absl::Status Finish();

 private:
  absl::Status Emit(absl::string_view paragraph);

  std::function<absl::Status(absl::string_view)> sink_;
  std::string pending_;
};

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_CONTROL_FILE_H_
