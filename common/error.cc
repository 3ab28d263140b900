#include "common/error.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/utf8.h"

namespace usher {
namespace {

constexpr absl::string_view kHResultUrl = "usher/hresult";
constexpr absl::string_view kSubjectUrl = "usher/subject";
constexpr absl::string_view kAdviceUrl = "usher/advice";

}  // namespace

absl::Status Error(HResult hr, absl::string_view message,
                   absl::string_view subject) {
  const HResultInfo* info = FindHResult(hr);
  const absl::StatusCode code =
      info != nullptr && info->code != absl::StatusCode::kOk
          ? info->code
          : absl::StatusCode::kFailedPrecondition;
  return Error(code, hr, message, subject);
}

absl::Status Error(absl::StatusCode code, HResult hr, absl::string_view message,
                   absl::string_view subject) {
  absl::Status status(code, ValidUtf8(message));
  status.SetPayload(kHResultUrl, absl::Cord(FormatHResult(hr)));
  if (!subject.empty()) {
    status.SetPayload(kSubjectUrl, absl::Cord(ValidUtf8(subject)));
  }
  return status;
}

HResult HResultOf(const absl::Status& status) {
  if (status.ok()) return hr::kSOk;
  const absl::optional<absl::Cord> payload = status.GetPayload(kHResultUrl);
  HResult hr = 0;
  if (payload.has_value() && absl::SimpleHexAtoi(std::string(*payload), &hr)) {
    return hr;
  }
  return HResultFromStatusCode(status.code());
}

std::string SubjectOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kSubjectUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::Status WithAdvice(absl::Status status, absl::string_view advice) {
  status.SetPayload(kAdviceUrl, absl::Cord(ValidUtf8(advice)));
  return status;
}

std::string AdviceOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kAdviceUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(
      status.code(), absl::StrCat(ValidUtf8(context), ": ", status.message()));
  status.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& payload) {
        annotated.SetPayload(url, payload);
      });
  return annotated;
}

absl::Status SystemError(int error_number, absl::string_view what,
                         absl::string_view path) {
  const std::string message =
      absl::StrCat("cannot ", what, " ", path, ": ",
                   std::generic_category().message(error_number));
  switch (error_number) {
    case ENOSPC:
      return Error(hr::kErrorDiskFull, message, path);
    case EACCES:
    case EPERM:
      return Error(hr::kEAccessdenied, message, path);
    case ENOENT:
      return Error(hr::kErrorFileNotFound, message, path);
    default:
      return Error(absl::ErrnoToStatusCode(error_number), hr::kWuEUnexpected,
                   message, path);
  }
}

}  // namespace usher
