#ifndef USHER_SERVICE_GRPC_LOG_H_
#define USHER_SERVICE_GRPC_LOG_H_

namespace usher::daemon {

// Takes gRPC's own lines into the process-wide log, at level warn: escaped, cut
// and no more than some a minute. By itself gRPC writes them to standard error,
// whatever the log's settings are; and they quote what any client sends, line
// breaks included. To be called once the log is there.
void StartGrpcLog();

// Says how many lines were left out; from here on they are dropped. To be
// called before the log goes.
void StopGrpcLog();

}  // namespace usher::daemon

#endif  // USHER_SERVICE_GRPC_LOG_H_
