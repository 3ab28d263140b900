#include "service/session/field_mask.h"

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"

namespace usher::session {
namespace {

using google::protobuf::util::FieldMaskUtil;

constexpr int kMaxPaths = 64;
constexpr size_t kShownLength = 128;

}  // namespace

absl::Status ApplyMask(const google::protobuf::FieldMask& mask, EmptyMask empty,
                       absl::Span<const absl::string_view> writable,
                       const google::protobuf::Message& from,
                       google::protobuf::Message& to) {
  if (mask.paths().empty()) {
    if (empty == EmptyMask::kNothing) return absl::OkStatus();
    return Error(
        hr::kEInvalidarg,
        absl::StrCat("update_mask is empty; name the fields to write: ",
                     absl::StrJoin(writable, ", ")),
        "update_mask");
  }
  if (mask.paths_size() > kMaxPaths) {
    return Error(
        hr::kEInvalidarg,
        absl::StrCat("update_mask has more than ", kMaxPaths, " paths"),
        "update_mask");
  }
  for (const std::string& path : mask.paths()) {
    const absl::string_view top =
        absl::string_view(path).substr(0, path.find('.'));
    const bool allowed =
        std::find(writable.begin(), writable.end(), top) != writable.end() &&
        FieldMaskUtil::GetFieldDescriptors(to.GetDescriptor(), path, nullptr);
    if (!allowed) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat("update_mask path \"",
                                absl::string_view(path).substr(0, kShownLength),
                                "\" cannot be written; these can: ",
                                absl::StrJoin(writable, ", ")),
                   "update_mask");
    }
  }
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(from, mask, options, &to);
  return absl::OkStatus();
}

}  // namespace usher::session
