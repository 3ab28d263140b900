#include "service/rpc/status.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include "common/error.h"
#include "common/hresult.h"
#include "service/session/text.h"
#include "usher/v1/types.pb.h"

namespace usher::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;

// Metadata has a limit of 16 KiB on both sides; a longer message would lose
// the whole status.
constexpr size_t kMaxMessageBytes = 2048;

// google.rpc.Status in wire form. Its generated code is not packaged with
// Debian's gRPC, and three fields need none:
//   int32 code = 1; string message = 2; repeated google.protobuf.Any details=3;
std::string EncodeRpcStatus(int code, const std::string& message,
                            const google::protobuf::Any& detail) {
  std::string wire;
  google::protobuf::io::StringOutputStream stream(&wire);
  google::protobuf::io::CodedOutputStream output(&stream);
  WireFormatLite::WriteInt32(1, code, &output);
  WireFormatLite::WriteString(2, message, &output);
  WireFormatLite::WriteBytes(3, detail.SerializeAsString(), &output);
  output.Trim();
  return wire;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, const std::string& request_id) {
  if (status.ok()) return grpc::Status::OK;
  const int code = static_cast<int>(status.code());
  const std::string message =
      session::Shorten(status.message(), kMaxMessageBytes);
  const HResult hresult = HResultOf(status);
  v1::ErrorDetail detail;
  detail.set_hresult(hresult);
  if (const HResultInfo* info = FindHResult(hresult); info != nullptr) {
    detail.set_symbol(std::string(info->symbol));
  }
  detail.set_message(message);
  detail.set_subject(session::Shorten(SubjectOf(status), kMaxMessageBytes));
  detail.set_request_id(request_id);
  google::protobuf::Any any;
  any.PackFrom(detail);
  return grpc::Status(static_cast<grpc::StatusCode>(code), message,
                      EncodeRpcStatus(code, message, any));
}

}  // namespace usher::rpc
