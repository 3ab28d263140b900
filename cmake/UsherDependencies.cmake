# The libraries that Usher uses; docs/dependencies.md lists versions and
# licences.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
# The one without TLS: the transport is local, and half the size counts in a
# service that is always there.
set(USHER_GRPC gRPC::grpc++_unsecure)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(zstd CONFIG REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)

find_program(USHER_PROTOC protoc REQUIRED)
find_program(USHER_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
