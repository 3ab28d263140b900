# shellcheck shell=bash
# How each library is built for Windows: with what, and one function for each
# source package, run by build-libraries in a subshell with the source in
# $SOURCE. What stands here and in the toolchain file, but for the comments, is
# part of the cache's key: nothing else decides what is built.

readonly CC=x86_64-w64-mingw32-gcc-posix CXX=x86_64-w64-mingw32-g++-posix
readonly AR=x86_64-w64-mingw32-ar RANLIB=x86_64-w64-mingw32-ranlib
readonly RC=x86_64-w64-mingw32-windres
readonly WINDOWS_FLAGS=-D_WIN32_WINNT=0x0A00

# Where the tools come from and what they bring: their versions count as well.
readonly TOOL_PACKAGES=(
  g++-mingw-w64-x86-64-posix gcc-mingw-w64-x86-64-posix
  binutils-mingw-w64-x86-64 mingw-w64-x86-64-dev mingw-w64-common
)

# The source package, and the binary package whose installed version counts. A
# library stands behind those that it uses.
readonly LIBRARIES=(
  "zlib zlib1g-dev" "bzip2 libbz2-dev" "xz-utils liblzma-dev"
  "libzstd libzstd-dev" "sqlite3 libsqlite3-dev" "abseil libabsl-dev"
  "c-ares libc-ares-dev" "protobuf libprotobuf-dev" "openssl libssl-dev"
  "grpc libgrpc-dev" "curl libcurl4-openssl-dev" "fmtlib libfmt-dev"
  "spdlog libspdlog-dev" "googletest libgtest-dev"
  "libarchive libarchive-dev"
)
# What dpkg-source is told: Debian's patches point gRPC at the system's upb.
readonly -A SOURCE_OPTIONS=([grpc]=--skip-patches)
# Headers only: taken as they are installed.
readonly HEADER_PACKAGES=(libtomlplusplus-dev nlohmann-json3-dev libcli11-dev)

cmake_configure() {
  local source=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache
              -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  cmake -G Ninja -S "$source" -B "$source/build-windows" \
    -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" -DUSHER_WINDOWS_PREFIX="$PREFIX" \
    -DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_PREFIX_PATH="$PREFIX" \
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_CXX_STANDARD=17 "${launcher[@]}" "$@"
}

# cmake_library FOLDER OPTION…: configures, builds and installs.
cmake_library() {
  cmake_configure "$@"
  cmake --build "$1/build-windows" -j "$JOBS"
  cmake --install "$1/build-windows"
}

# compile_archive NAME FLAGS FILE…: C sources of the current folder into
# lib/libNAME.a.
compile_archive() {
  local name=$1 flags=$2 file objects=()
  shift 2
  for file in "$@"; do
    # Flags are several words.
    # shellcheck disable=SC2086
    $CC -O2 $WINDOWS_FLAGS $flags -c "$file" -o "${file%.c}.o"
    objects+=("${file%.c}.o")
  done
  "$AR" rcs "$PREFIX/lib/lib$name.a" "${objects[@]}"
}

# install_package NAME: our own CMake package for a library.
install_package() {
  install -D -m 644 "$HERE/packages/$1Config.cmake" \
    "$PREFIX/lib/cmake/$1/$1Config.cmake"
}

build_zlib() {
  # Debian's tarball lacks the win32 folder that zlib's CMake file wants.
  cd "$SOURCE"
  compile_archive z "" adler32.c compress.c crc32.c deflate.c gzclose.c \
    gzlib.c gzread.c gzwrite.c infback.c inffast.c inflate.c inftrees.c \
    trees.c uncompr.c zutil.c
  install -m 644 zlib.h zconf.h "$PREFIX/include/"
}

build_bzip2() {
  cd "$SOURCE"
  # On Windows its header declares pointers into a DLL to be loaded.
  sed -i 's/^#ifdef _WIN32$/#if 0/' bzlib.h
  compile_archive bz2 "" blocksort.c huffman.c crctable.c randtable.c \
    compress.c decompress.c bzlib.c
  install -m 644 bzlib.h "$PREFIX/include/"
}

build_xz_utils() { cmake_library "$SOURCE"; }

build_libzstd() {
  cmake_library "$SOURCE/build/cmake" -DZSTD_BUILD_PROGRAMS=OFF \
    -DZSTD_BUILD_SHARED=OFF -DZSTD_BUILD_STATIC=ON -DZSTD_LEGACY_SUPPORT=OFF
}

build_sqlite3() {
  cd "$SOURCE"
  # Only to make the one big source file, hence for this machine.
  ./configure --disable-tcl
  make sqlite3.c
  compile_archive sqlite3 "-DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_COLUMN_METADATA
    -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION" sqlite3.c
  install -m 644 sqlite3.h "$PREFIX/include/"
}

build_abseil() { cmake_library "$SOURCE" -DABSL_PROPAGATE_CXX_STD=ON; }

build_c_ares() {
  # Its checks do not find these in MinGW's headers.
  cmake_library "$SOURCE" -DCARES_STATIC=ON -DCARES_SHARED=OFF \
    -DCARES_BUILD_TOOLS=OFF \
    "-DCMAKE_C_FLAGS=$WINDOWS_FLAGS -DINADDRSZ=4 -DIN6ADDRSZ=16 -DINT16SZ=2 -DHAVE_STRUCT_SOCKADDR_IN6=1"
}

build_protobuf() {
  cmake_library "$SOURCE" -Dprotobuf_BUILD_TESTS=OFF \
    -Dprotobuf_BUILD_PROTOC_BINARIES=OFF -Dprotobuf_WITH_ZLIB=OFF
}

build_openssl() {
  cd "$SOURCE"
  # libcrypto for signatures; nothing is loaded from its folders at run time.
  env CC="$CC" RC="$RC" AR="$AR" RANLIB="$RANLIB" ./Configure mingw64 \
    --prefix="$PREFIX" --libdir=lib --openssldir=C:/usher/ssl \
    no-shared no-tests no-module no-autoload-config
  make -j "$JOBS" build_generated libcrypto.a libssl.a
  install -m 644 libcrypto.a libssl.a "$PREFIX/lib/"
  cp -r include/openssl "$PREFIX/include/"
}

build_grpc() {
  local build=$SOURCE/build-windows
  # Its build wants this folder; nothing in it is used.
  mkdir -p "$SOURCE/third_party/opencensus-proto/src"
  # No TLS, for the pipe is local, and so no RE2. CMake wants a protobuf
  # compiler library; any file will do.
  cmake_configure "$SOURCE" \
    -DgRPC_BUILD_TESTS=OFF -DgRPC_BUILD_CODEGEN=OFF \
    -DgRPC_BUILD_CSHARP_EXT=OFF \
    -DgRPC_ABSL_PROVIDER=package -DgRPC_CARES_PROVIDER=package \
    -DgRPC_PROTOBUF_PROVIDER=package -DgRPC_PROTOBUF_PACKAGE_TYPE=CONFIG \
    -DgRPC_ZLIB_PROVIDER=package -DgRPC_RE2_PROVIDER=none \
    -DgRPC_SSL_PROVIDER=none \
    -DZLIB_LIBRARY="$PREFIX/lib/libz.a" -DZLIB_INCLUDE_DIR="$PREFIX/include" \
    -DProtobuf_PROTOC_LIBRARY="$PREFIX/lib/libprotobuf.a" \
    -DProtobuf_PROTOC_EXECUTABLE=/usr/bin/protoc
  cmake --build "$build" -j "$JOBS" --target grpc++_unsecure
  # CMake's install step wants all of gRPC; this is the part that was built.
  install -m 644 "$build"/lib*.a "$PREFIX/lib/"
  cp -r "$SOURCE/include/." "$PREFIX/include/"
  install_package gRPC
  # The pipe transport is written against gRPC's inner interfaces.
  local inner=$PREFIX/include/grpc-internal
  mkdir -p "$inner"
  cd "$SOURCE"
  find src/core third_party/upb third_party/xxhash \
    '(' -name '*.h' -o -name '*.inc' ')' -exec cp --parents -t "$inner" '{}' +
}

build_curl() {
  # Schannel: Windows' own TLS and its own certificates.
  cmake_library "$SOURCE" -DBUILD_CURL_EXE=OFF -DHTTP_ONLY=ON \
    -DENABLE_UNICODE=ON \
    -DCURL_USE_SCHANNEL=ON -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF \
    -DUSE_LIBIDN2=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF \
    -DCURL_ZLIB=OFF
}

build_fmtlib() { cmake_library "$SOURCE" -DFMT_TEST=OFF -DFMT_DOC=OFF; }

build_spdlog() {
  # Log files may lie in folders whose names the code page lacks.
  cmake_library "$SOURCE" -DSPDLOG_FMT_EXTERNAL=ON \
    -DSPDLOG_WCHAR_FILENAMES=ON -DSPDLOG_BUILD_EXAMPLE=OFF \
    -DSPDLOG_BUILD_TESTS=OFF
}

build_googletest() { cmake_library "$SOURCE" -DBUILD_GMOCK=ON; }

build_libarchive() {
  # Whether zlib is the stdcall variant is probed by running a program, which
  # a cross build cannot; ours is the plain one.
  cmake_configure "$SOURCE" -DENABLE_TEST=OFF -DENABLE_TAR=OFF \
    -DENABLE_CPIO=OFF -DENABLE_CAT=OFF -DENABLE_OPENSSL=OFF -DENABLE_CNG=ON \
    -DENABLE_LIBB2=OFF -DENABLE_LZ4=OFF -DENABLE_LIBXML2=OFF \
    -DENABLE_EXPAT=OFF -DENABLE_ICONV=OFF -DENABLE_ACL=OFF \
    -DENABLE_XATTR=OFF -DENABLE_LZO=OFF -DENABLE_PCREPOSIX=OFF \
    -DENABLE_WERROR=OFF -DPOSIX_REGEX_LIB=NONE \
    "-DCMAKE_C_FLAGS=$WINDOWS_FLAGS -DLZMA_API_STATIC" \
    -DZLIB_WINAPI_EXITCODE=1 -DZLIB_WINAPI_EXITCODE__TRYRUN_OUTPUT= \
    -DZLIB_LIBRARY="$PREFIX/lib/libz.a" -DZLIB_INCLUDE_DIR="$PREFIX/include" \
    -DBZIP2_LIBRARIES="$PREFIX/lib/libbz2.a" \
    -DBZIP2_INCLUDE_DIR="$PREFIX/include" \
    -DLIBLZMA_LIBRARY="$PREFIX/lib/liblzma.a" \
    -DLIBLZMA_INCLUDE_DIR="$PREFIX/include" \
    -DZSTD_LIBRARY="$PREFIX/lib/libzstd.a" \
    -DZSTD_INCLUDE_DIR="$PREFIX/include"
  # Its build makes the DLL, too, whatever one asks for.
  cmake --build "$SOURCE/build-windows" -j "$JOBS" --target archive_static
  install -m 644 "$SOURCE/build-windows/libarchive/libarchive_static.a" \
    "$PREFIX/lib/libarchive.a"
  install -m 644 "$SOURCE"/libarchive/archive{,_entry}.h "$PREFIX/include/"
}

# Header-only libraries, with their CMake packages where those hold nothing of
# this machine.
build_headers() {
  local package file
  for package in "${HEADER_PACKAGES[@]}"; do
    while read -r file; do
      [[ ! -f $file ]] ||
        install -D -m 644 "$file" "$PREFIX/${file#/usr/}"
    done < <(dpkg -L "$package" | grep -E '^/usr/(include|share/cmake)/')
  done
  install_package tomlplusplus
}
