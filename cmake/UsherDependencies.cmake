# The libraries that Usher uses; docs/dependencies.md lists versions and
# licences.
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
if(TARGET zstd::libzstd_shared)
  set(USHER_ZSTD zstd::libzstd_shared)
else()
  set(USHER_ZSTD zstd::libzstd_static)
endif()
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)

if(MINGW)
  # CMake's own modules do not say what a static library needs.
  target_compile_definitions(LibArchive::LibArchive INTERFACE
    LIBARCHIVE_STATIC)
  target_link_libraries(LibArchive::LibArchive INTERFACE
    ${USHER_ZSTD} "${USHER_WINDOWS_PREFIX}/lib/liblzma.a"
    "${USHER_WINDOWS_PREFIX}/lib/libbz2.a" "${USHER_WINDOWS_PREFIX}/lib/libz.a"
    bcrypt)
  target_link_libraries(OpenSSL::Crypto INTERFACE ws2_32 crypt32)
endif()

# Programs of the building machine, also when the build is for another one.
find_program(USHER_PROTOC protoc REQUIRED)
find_program(USHER_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
