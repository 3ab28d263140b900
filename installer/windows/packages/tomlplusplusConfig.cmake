# toml++ by its headers alone; Debian's package is the compiled variant.
if(NOT TARGET tomlplusplus::tomlplusplus)
  add_library(tomlplusplus::tomlplusplus INTERFACE IMPORTED)
  get_filename_component(_usher_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.."
                         ABSOLUTE)
  target_include_directories(tomlplusplus::tomlplusplus INTERFACE
    "${_usher_prefix}/include")
  target_compile_features(tomlplusplus::tomlplusplus INTERFACE cxx_std_17)
  unset(_usher_prefix)
endif()
