# usher_library(NAME SOURCES … DEPS … [PRIVATE_DEPS …] [PRECOMPILED cli])
# usher_binary(NAME SOURCES … DEPS … [PRECOMPILED cli])
#
# One static library per layer. A target sees only the include root and its
# dependencies' symbols, so that an upward include does not link.

add_library(usher_options INTERFACE)
target_include_directories(usher_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(usher_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  -Wno-missing-field-initializers)
target_compile_definitions(usher_options INTERFACE
  USHER_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${USHER_FAULT_POINTS}>:USHER_FAULT_POINTS=1>)
# GCC 12 takes a string moved out of a StatusOr for uninitialised when it
# optimises.
target_compile_options(usher_options INTERFACE
  $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
# What nobody calls, above all of generated code, is left out.
add_compile_options($<$<CONFIG:Release>:-ffunction-sections>
                    $<$<CONFIG:Release>:-fdata-sections>)
add_link_options($<$<CONFIG:Release>:-Wl,--gc-sections>)
if(WIN32)
  # For generated code, too. UNICODE: a Windows call by its plain name is the
  # wide one; NOMINMAX: no macros min and max.
  add_compile_definitions(UNICODE _UNICODE NOMINMAX WIN32_LEAN_AND_MEAN)
  if(MINGW)
    # A program that needs nothing but Windows.
    add_link_options(-static)
    # Ubiquitous in generated code and templates, and too many for the object
    # format's usual sections.
    add_compile_options(-Wa,-mbig-obj)
  endif()
else()
  # -pthread: what gRPC asks of its users; the same for all, since a precompiled
  # header serves one set of options only.
  target_compile_options(usher_options INTERFACE
    -fstack-protector-strong -pthread)
  target_compile_definitions(usher_options INTERFACE
    $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
if(USHER_SANITIZE)
  add_compile_options(-fsanitize=${USHER_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${USHER_SANITIZE})
endif()
if(USHER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(USHER_SANITIZE STREQUAL "thread")
  # Abseil and gRPC in a form that ThreadSanitizer sees through, also where one
  # of them needs the other (which a RUNPATH would not reach).
  execute_process(
    COMMAND "${PROJECT_SOURCE_DIR}/tests/sanitizers/build-libraries" --prefix
    OUTPUT_VARIABLE USHER_TSAN_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  # Beside the programs: whoever may run them may not be able to enter a cache.
  file(COPY "${USHER_TSAN_PREFIX}/lib/" DESTINATION "${PROJECT_BINARY_DIR}/lib")
  add_link_options(-Wl,--disable-new-dtags "-Wl,-rpath,${PROJECT_BINARY_DIR}/lib")
endif()

# The platform twin of a source: usher_twin(host VAR) sets VAR to host_win.cc
# or host_posix.cc.
if(WIN32)
  set(USHER_PLATFORM win)
else()
  set(USHER_PLATFORM posix)
endif()

if(WIN32)
  # What Windows asks a program before it starts it: that it takes long paths.
  set(USHER_MANIFEST "${PROJECT_BINARY_DIR}/program.res.o")
  add_custom_command(
    OUTPUT "${USHER_MANIFEST}"
    COMMAND "${CMAKE_RC_COMPILER}" -O coff program.rc "${USHER_MANIFEST}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}/installer/windows"
    DEPENDS "${PROJECT_SOURCE_DIR}/installer/windows/program.rc"
            "${PROJECT_SOURCE_DIR}/installer/windows/program.manifest"
    VERBATIM)
  add_custom_target(usher_manifest DEPENDS "${USHER_MANIFEST}")
endif()

function(usher_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS}
                        PRIVATE usher_options ${ARG_PRIVATE_DEPS})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  usher_precompile(${name} ${ARG_PRECOMPILED})
endfunction()

function(usher_binary name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE usher_options ${ARG_DEPS})
  if(WIN32)
    target_link_libraries(${name} PRIVATE "${USHER_MANIFEST}")
    add_dependencies(${name} usher_manifest)
  endif()
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  usher_precompile(${name} ${ARG_PRECOMPILED})
endfunction()
