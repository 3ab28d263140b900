#include "client/internal/rpc_error.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/hresult.h"
#include "usher/v1/types.pb.h"

namespace usher::internal {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Field 3, length-delimited, of google.rpc.Status: repeated Any details.
constexpr uint32_t kDetailsTag = (3u << 3) | 2u;
// Trailers are metadata, which gRPC limits to 8 KiB by default; anything much
// greater is not ours.
constexpr size_t kMaxDetailBytes = size_t{64} * 1024;

std::optional<v1::ErrorDetail> FindDetail(const std::string& bytes) {
  if (bytes.empty() || bytes.size() > kMaxDetailBytes) return std::nullopt;
  CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size()));
  while (const uint32_t tag = input.ReadTag()) {
    if (tag != kDetailsTag) {
      if (!WireFormatLite::SkipField(&input, tag)) return std::nullopt;
      continue;
    }
    uint32_t length = 0;
    std::string text;
    google::protobuf::Any any;
    if (!input.ReadVarint32(&length) || length > bytes.size() ||
        !input.ReadString(&text, static_cast<int>(length)) ||
        !any.ParseFromString(text)) {
      return std::nullopt;
    }
    v1::ErrorDetail detail;
    if (any.Is<v1::ErrorDetail>() && any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::StatusCode code =
      absl::StatusCodeToString(
          static_cast<absl::StatusCode>(status.error_code()))
              .empty()
          ? absl::StatusCode::kUnknown
          : static_cast<absl::StatusCode>(status.error_code());
  const std::optional<v1::ErrorDetail> detail =
      FindDetail(status.error_details());
  if (detail.has_value() && Failed(detail->hresult())) {
    absl::Status error = Error(
        code, detail->hresult(),
        detail->message().empty() ? status.error_message() : detail->message(),
        detail->subject());
    if (!detail->request_id().empty()) {
      error.SetPayload("usher/request-id", absl::Cord(detail->request_id()));
    }
    return error;
  }
  return Error(code, HResultFromStatusCode(code),
               status.error_message().empty() ? absl::StatusCodeToString(code)
                                              : status.error_message());
}

bool IsBrokenConnection(const grpc::Status& status) {
  // The service's own errors carry a detail. UNAVAILABLE is what gRPC makes of
  // a transport that went away, CANCELLED what a stopping server sends.
  return (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
          status.error_code() == grpc::StatusCode::CANCELLED) &&
         !FindDetail(status.error_details()).has_value();
}

}  // namespace usher::internal
