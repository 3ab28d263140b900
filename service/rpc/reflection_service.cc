// gRPC's own reflection plug-in is a synchronous service: it would give each
// server a thread and a poller of its own. This one takes neither.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "service/rpc/call_record.h"
#include "service/rpc/services.h"

namespace usher::rpc {
namespace {

namespace wire = grpc::reflection::v1alpha;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

void Collect(const FileDescriptor& file, std::set<std::string>& seen,
             wire::FileDescriptorResponse& response) {
  if (!seen.insert(file.name()).second) return;
  google::protobuf::FileDescriptorProto description;
  file.CopyTo(&description);
  response.add_file_descriptor_proto(description.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) {
    Collect(*file.dependency(i), seen, response);
  }
}

void SetError(grpc::StatusCode code, const std::string& message,
              wire::ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

void SetFile(const FileDescriptor* file,
             wire::ServerReflectionResponse& response) {
  if (file == nullptr) {
    SetError(grpc::StatusCode::NOT_FOUND, "not known here", response);
    return;
  }
  std::set<std::string> seen;
  Collect(*file, seen, *response.mutable_file_descriptor_response());
}

void Answer(const wire::ServerReflectionRequest& request,
            wire::ServerReflectionResponse& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  response.Clear();
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  using Request = wire::ServerReflectionRequest;
  switch (request.message_request_case()) {
    case Request::kListServices:
      for (const std::string& name : ServiceNames()) {
        response.mutable_list_services_response()->add_service()->set_name(
            name);
      }
      for (const std::string& name :
           {std::string(grpc::health::v1::Health::service_full_name()),
            std::string(wire::ServerReflection::service_full_name())}) {
        response.mutable_list_services_response()->add_service()->set_name(
            name);
      }
      break;
    case Request::kFileByFilename:
      SetFile(pool.FindFileByName(request.file_by_filename()), response);
      break;
    case Request::kFileContainingSymbol:
      SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
              response);
      break;
    // The API has no extensions.
    case Request::kFileContainingExtension:
      SetFile(nullptr, response);
      break;
    case Request::kAllExtensionNumbersOfType:
      if (pool.FindMessageTypeByName(request.all_extension_numbers_of_type()) ==
          nullptr) {
        SetFile(nullptr, response);
      } else {
        response.mutable_all_extension_numbers_response()->set_base_type_name(
            request.all_extension_numbers_of_type());
      }
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      SetError(grpc::StatusCode::INVALID_ARGUMENT, "nothing was asked",
               response);
      break;
  }
}

// One question at a time: read, answer, read.
class ReflectionStream
    : public grpc::ServerBidiReactor<wire::ServerReflectionRequest,
                                     wire::ServerReflectionResponse> {
 public:
  explicit ReflectionStream(const CallRecord& record) : record_(record) {
    if (record_.admitted().ok()) {
      StartRead(&request_);
    } else {
      Finish(record_.Finish(record_.admitted()));
    }
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(record_.Finish(absl::OkStatus()));
      return;
    }
    Answer(request_, response_);
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      Finish(record_.Finish(absl::CancelledError("the client left")));
      return;
    }
    StartRead(&request_);
  }

  void OnDone() override { delete this; }

  const CallRecord record_;
  wire::ServerReflectionRequest request_;
  wire::ServerReflectionResponse response_;
};

class ReflectionServiceImpl : public wire::ServerReflection::CallbackService {
 public:
  explicit ReflectionServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerBidiReactor<wire::ServerReflectionRequest,
                          wire::ServerReflectionResponse>*
  ServerReflectionInfo(grpc::CallbackServerContext* context) override {
    return new ReflectionStream(CallRecord(
        *context, environment_, "ServerReflection.ServerReflectionInfo",
        CallRecord::Kind::kRead));
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeReflectionService(Environment& environment) {
  return std::make_unique<ReflectionServiceImpl>(environment);
}

}  // namespace usher::rpc
