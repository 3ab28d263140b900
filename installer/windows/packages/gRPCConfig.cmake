# The part of gRPC that is built for Windows: the library without TLS, under
# the name that gRPC's own CMake package gives it.
include(CMakeFindDependencyMacro)
find_dependency(absl)
find_dependency(Protobuf CONFIG)
find_dependency(c-ares CONFIG)

get_filename_component(_usher_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.."
                       ABSOLUTE)
if(NOT TARGET gRPC::grpc++_unsecure)
  foreach(library gpr address_sorting upb grpc_unsecure grpc++_unsecure)
    add_library(gRPC::${library} STATIC IMPORTED)
    set_target_properties(gRPC::${library} PROPERTIES
      IMPORTED_LOCATION "${_usher_prefix}/lib/lib${library}.a"
      INTERFACE_INCLUDE_DIRECTORIES "${_usher_prefix}/include")
  endforeach()
  target_link_libraries(gRPC::gpr INTERFACE
    absl::base absl::core_headers absl::memory absl::random_random
    absl::status absl::cord absl::str_format absl::strings
    absl::synchronization absl::time absl::optional absl::variant
    ws2_32 crypt32)
  target_link_libraries(gRPC::grpc_unsecure INTERFACE
    gRPC::gpr gRPC::address_sorting gRPC::upb c-ares::cares
    "${_usher_prefix}/lib/libz.a" absl::cleanup absl::flat_hash_map
    absl::flat_hash_set absl::inlined_vector absl::any_invocable
    absl::bind_front absl::function_ref absl::hash absl::type_traits
    absl::statusor absl::span absl::utility ws2_32 crypt32 iphlpapi)
  target_link_libraries(gRPC::grpc++_unsecure INTERFACE
    gRPC::grpc_unsecure protobuf::libprotobuf)
endif()
unset(_usher_prefix)
