# Cross-compiles for 64-bit Windows 10 and later with Debian's MinGW-w64. Used
# for the libraries (installer/windows/build-libraries) and for Usher itself
# (preset "windows").
#
# USHER_WINDOWS_PREFIX, where the libraries are: given by -D or in the
# environment, otherwise asked of build-libraries.
if(NOT USHER_WINDOWS_PREFIX)
  set(USHER_WINDOWS_PREFIX "$ENV{USHER_WINDOWS_PREFIX}")
endif()
if(NOT USHER_WINDOWS_PREFIX)
  execute_process(
    COMMAND "${CMAKE_CURRENT_LIST_DIR}/../installer/windows/build-libraries"
            --prefix
    OUTPUT_VARIABLE USHER_WINDOWS_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
endif()
set(USHER_WINDOWS_PREFIX "${USHER_WINDOWS_PREFIX}" CACHE PATH
    "Where the libraries for Windows are")
# CMake reads this file again for each of its own trial builds.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES USHER_WINDOWS_PREFIX)

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
# By name: which thread model the plain names have is the machine's choice.
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_FIND_ROOT_PATH "${USHER_WINDOWS_PREFIX}" /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# 0x0A00 is Windows 10. Libraries and Usher agree on it: it decides which
# branches of a library's headers are seen.
set(CMAKE_C_FLAGS_INIT "-D_WIN32_WINNT=0x0A00")
set(CMAKE_CXX_FLAGS_INIT "-D_WIN32_WINNT=0x0A00")

# Programs run under Wine, with the prefix that the environment names.
find_program(USHER_WINE NAMES wine wine64)
if(USHER_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${USHER_WINE}")
endif()
