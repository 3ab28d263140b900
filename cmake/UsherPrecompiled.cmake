# Headers that nearly every source includes, parsed once for all targets: a
# third of the time that a build takes. A source includes what it uses all the
# same: the builds of the fuzz targets and of clang-tidy go without
# (CMAKE_DISABLE_PRECOMPILE_HEADERS), and so does whoever sets that.
#
# usher_precompile(TARGET [SET]): SET is "common" (default), "test" (GoogleTest,
# too) or "cli" (CLI11 and JSON, too).

set(USHER_PRECOMPILED_common
  <algorithm> <cstdint> <filesystem> <functional> <map> <memory> <optional>
  <string> <utility> <vector>
  <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
  <absl/strings/string_view.h> <absl/synchronization/mutex.h>
  <absl/time/time.h>)
set(USHER_PRECOMPILED_test
  ${USHER_PRECOMPILED_common} <gmock/gmock.h> <gtest/gtest.h>)
set(USHER_PRECOMPILED_cli
  ${USHER_PRECOMPILED_common} <CLI/CLI.hpp> <nlohmann/json.hpp>)
set(USHER_PRECOMPILED_DEPS_common
  absl::status absl::statusor absl::strings absl::synchronization absl::time)
set(USHER_PRECOMPILED_DEPS_test
  ${USHER_PRECOMPILED_DEPS_common} GTest::gmock GTest::gtest)
set(USHER_PRECOMPILED_DEPS_cli
  ${USHER_PRECOMPILED_DEPS_common} CLI11::CLI11 nlohmann_json::nlohmann_json)

function(usher_precompile target)
  set(set common)
  if(ARGC GREATER 1)
    set(set ${ARGV1})
  endif()
  set(owner usher_precompiled_${set})
  if(NOT TARGET ${owner})
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/cmake/precompiled.cc"
         CONTENT "// Only for the precompiled header that comes with it.\n")
    add_library(${owner} STATIC "${PROJECT_BINARY_DIR}/cmake/precompiled.cc")
    target_link_libraries(${owner}
      PRIVATE usher_options ${USHER_PRECOMPILED_DEPS_${set}})
    target_precompile_headers(${owner} PRIVATE ${USHER_PRECOMPILED_${set}})
    target_compile_options(${owner} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
  # Objects of programs, too, are compiled as those of libraries are: a
  # precompiled header serves one kind only.
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE AND NOT WIN32)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  # So that ccache sees the header's content.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
